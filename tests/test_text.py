"""Texts made safe to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uss.text import shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ("Größe 日本", '"Größe 日本"'),
        ("a\nb\tc", '"a\\nb\\tc"'),
        ("\x1b[31mred", '"\\x1b[31mred"'),
        ("abc\u202edef", '"abc\\u202edef"'),
        ("\ud800", '"\\ud800"'),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, expected: str) -> None:
    assert shown(text) == expected


@given(st.text())
def test_the_result_is_printable_and_quoted(text: str) -> None:
    assert shown(text).isprintable()
    assert shown(text)[0] == shown(text)[-1] == '"'


def test_a_long_text_is_cut() -> None:
    assert shown("x" * 1000) == '"' + "x" * 120 + '…"'
