"""Texts made safe to show."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uss.text import encodable, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ("Größe 日本", '"Größe 日本"'),
        ("a\nb\tc", '"a\\nb\\tc"'),
        ("\x1b[31mred", '"\\x1b[31mred"'),
        ("abc\u202edef", '"abc\\u202edef"'),
        ("\ud800", '"\\ud800"'),
        ("a<{%bogus%}>", '"a\\x3c{%bogus%}>"'),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, expected: str) -> None:
    assert shown(text) == expected


ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included
LONGEST_ESCAPE = len("\\U0001f600")


@given(ANY_TEXT, st.integers(0, 40))
@settings(max_examples=200, deadline=None)
def test_the_result_is_printable_quoted_and_bounded(text: str, limit: int) -> None:
    result = shown(text, limit)
    assert result.isprintable()
    assert len(result) >= 2
    assert result[0] == result[-1] == '"'
    assert len(result) <= limit * LONGEST_ESCAPE + len('"…"')
    result.encode()


@given(ANY_TEXT)
@settings(max_examples=200, deadline=None)
def test_a_short_printable_text_stays_as_it_is(text: str) -> None:
    if text.isprintable() and len(text) <= 120:
        assert shown(text) == f'"{text}"'


@given(ANY_TEXT)
@settings(max_examples=200, deadline=None)
def test_every_text_can_be_made_encodable_and_an_encodable_one_stays_as_it_is(text: str) -> None:
    result = encodable(text)
    assert result.encode().decode() == result
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert result == text


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("x" * 120, 120, '"' + "x" * 120 + '"'),
        ("x" * 121, 120, '"' + "x" * 120 + '…"'),
        ("abcd", 3, '"abc…"'),
        ("\n\n\n", 2, '"\\n\\n…"'),
        ("", 0, '""'),
    ],
)
def test_a_long_text_is_cut_before_it_is_escaped(text: str, limit: int, expected: str) -> None:
    assert shown(text, limit) == expected


def test_a_lone_surrogate_is_made_an_escape() -> None:
    assert encodable("a\ud800b") == "a\\ud800b"
