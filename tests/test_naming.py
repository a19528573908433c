"""Names from titles: the rules hold for every text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uss.naming import AWS_NAMES, NameFault, cloud_name


@pytest.mark.parametrize(
    ("title", "prefix", "name"),
    [
        ("My Secret", "", "My-Secret"),
        ("a/b_c+d=e.f@g-h", "", "a/b_c+d=e.f@g-h"),
        ("  two  spaces ", "", "--two--spaces-"),
        ("x" * 512, "", "x" * 512),
        ("db", "team/", "team/db"),
        ("0042", "", "0042"),
    ],
)
def test_legal_titles(title: str, prefix: str, name: str) -> None:
    assert cloud_name(title, prefix, AWS_NAMES) == name


@pytest.mark.parametrize(
    ("title", "prefix", "fault"),
    [
        ("", "team/", "the record has no title"),
        ("a:b", "", "the name would hold ':' (U+003A)"),
        ("tab\there", "", "the name would hold U+0009"),
        ("Größe", "", "the name would hold 'ß' (U+00DF), 'ö' (U+00F6)"),
        ("a\u00a0b", "", "the name would hold U+00A0"),
        ("x" * 510, "abc", "the name would have 513 characters"),
        ("(!?*#%)", "", "the name would hold '!' (U+0021), '#' (U+0023), '%' (U+0025), '(' (U+0028), ')' (U+0029)"),
    ],
)
def test_illegal_titles_are_refused_with_what_was_found(title: str, prefix: str, fault: str) -> None:
    result = cloud_name(title, prefix, AWS_NAMES)
    assert isinstance(result, NameFault)
    assert result.text.startswith(fault)


@given(st.text(), st.text(alphabet="abc/-", max_size=5))
def test_a_name_is_the_prefix_and_the_title_and_fits_or_there_is_none(title: str, prefix: str) -> None:
    wanted = prefix + title.replace(" ", "-")
    fits = bool(title) and re.fullmatch(r"[A-Za-z0-9/_+=.@-]{1,512}", wanted) is not None
    result = cloud_name(title, prefix, AWS_NAMES)
    assert result == wanted if fits else isinstance(result, NameFault)
