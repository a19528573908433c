"""Names from titles: the rules hold for every text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uss.clouds.aws import AWS_NAMES
from uss.clouds.azure import AZURE_NAMES
from uss.clouds.gcp import GCP_NAMES
from uss.records.naming import NameFault, NameRules, cloud_name, exact_name


@pytest.mark.parametrize(
    ("title", "prefix", "name"),
    [
        ("My Secret", "", "My-Secret"),
        ("a/b_c+d=e.f@g-h", "", "a/b_c+d=e.f@g-h"),
        ("  two  spaces ", "", "--two--spaces-"),
        ("x" * 512, "", "x" * 512),
        ("db", "team/", "team/db"),
        ("0042", "", "0042"),
        (" ", "", "-"),
        ("/", "", "/"),
        ("x" * 500, "y" * 12, "y" * 12 + "x" * 500),
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
        ("line\n", "", "the name would hold U+000A"),
        ("\ud800", "", "the name would hold U+D800"),
        ("e\u0301", "", "the name would hold '\u0301' (U+0301)"),
        ("\u0663", "", "the name would hold '\u0663' (U+0663)"),
        ("ok", "bad prefix/", "the name would hold U+0020"),
        ("x" * 513, "", "the name would have 513 characters"),
        ("x" * 510, "abc", "the name would have 513 characters"),
        ("(!?*#%)", "", "the name would hold '!' (U+0021), '#' (U+0023), '%' (U+0025), '(' (U+0028), ')' (U+0029)"),
    ],
)
def test_illegal_titles_are_refused_with_what_was_found(title: str, prefix: str, fault: str) -> None:
    result = cloud_name(title, prefix, AWS_NAMES)
    assert isinstance(result, NameFault)
    assert result.text.startswith(fault)


ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included
LIKELY_TEXT = st.text(st.sampled_from("aZ09/_+=.@- :\t\n\u00a0é日\ud800"), max_size=12)
LONG_TEXT = st.integers(500, 520).map(lambda length: "x" * length)


@given(ANY_TEXT | LIKELY_TEXT | LONG_TEXT, st.text(alphabet="abc/-", max_size=5) | LIKELY_TEXT)
@settings(max_examples=200, deadline=None)
def test_a_name_is_the_prefix_and_the_title_and_fits_or_there_is_none(title: str, prefix: str) -> None:
    wanted = prefix + title.replace(" ", "-")
    fits = bool(title) and re.fullmatch(r"[A-Za-z0-9/_+=.@-]{1,512}", wanted) is not None
    result = cloud_name(title, prefix, AWS_NAMES)
    assert result == wanted if fits else isinstance(result, NameFault)


def test_many_illegal_characters_are_counted() -> None:
    result = cloud_name("!#%()*:", "", AWS_NAMES)
    assert isinstance(result, NameFault)
    assert result.text.endswith("')' (U+0029) and 2 more kinds of characters")


STRICT = NameRules(
    cloud="A strict cloud",
    maximum=5,
    allowed=re.compile(r"[A-Za-z0-9-]"),
    first=re.compile(r"[A-Za-z]"),
    last=re.compile(r"[A-Za-z0-9]"),
    wording="1 to 5 letters",
    case_sensitive=False,
)


@pytest.mark.parametrize(
    ("title", "fault"),
    [
        ("1a", "the name would start with '1' (U+0031)"),
        (" a", "the name would start with '-' (U+002D)"),
        ("a-", "the name would end with '-' (U+002D)"),
        ("abcdef", "the name would have 6 characters"),
    ],
)
def test_rules_for_the_first_and_the_last_character_are_kept(title: str, fault: str) -> None:
    assert cloud_name(title, "", STRICT) == NameFault(fault)
    assert cloud_name("a-1", "", STRICT) == "a-1"


def test_names_are_compared_as_the_cloud_compares_them() -> None:
    assert STRICT.key("My-Name") == STRICT.key("my-name")
    assert AWS_NAMES.key("My-Name") != AWS_NAMES.key("my-name")


@pytest.mark.parametrize("name", ["team/a", "team/", "team/-9-"])
def test_a_name_of_its_own_is_taken_as_it_is(name: str) -> None:
    assert exact_name(name, "team/", AWS_NAMES) == name


def test_how_a_name_of_its_own_starts_and_ends_does_not_matter() -> None:
    for rules in (AZURE_NAMES, GCP_NAMES):
        assert exact_name("9-", "", rules) == "9-"
        assert isinstance(cloud_name("9-", "", rules), NameFault)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("other", 'the name does not start with "team/", this configuration\'s namePrefix'),
        ("team/a b", "the name would hold U+0020"),
        ("team/" + "x" * 508, "the name would have 513 characters"),
    ],
)
def test_a_name_of_its_own_that_does_not_fit_is_refused(name: str, fault: str) -> None:
    assert exact_name(name, "team/", AWS_NAMES) == NameFault(fault)
