"""Formats: what they write, that they refuse what could not be read again, and that people may edit what they want."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uss.records.format import LINE_NAME, Format, Key, Kind, decode, parse_format, render

COMPACT: dict[str, Any] = {"kind": Kind.JSON, "open": "{", "between": ",", "colon": ":", "close": "}"}
LINES: dict[str, Any] = {"kind": Kind.LINES, "between": "\n", "colon": "="}


def form(*keys: Key, **parts: Any) -> Format:
    """A format, compact JSON but for the parts given."""
    return Format.model_validate(COMPACT | {"keys": keys} | parts)


def lines(*keys: Key, **parts: Any) -> Format:
    """A format of lines."""
    return Format.model_validate(LINES | {"keys": keys} | parts)


def test_keys_have_their_order_their_names_and_what_stands_around_them() -> None:
    spaced = form(
        Key(name="user", field="login"), Key(name="a"), open="{\n  ", between=",\n  ", colon=": ", close="\n}\n"
    )
    assert render(spaced, {"a": "1", "login": "x"}) == '{\n  "user": "x",\n  "a": "1"\n}\n'
    assert render(lines(Key(name="B"), Key(name="A"), close="\n"), {"A": '"1" # x', "B": "2"}) == 'B=2\nA="1" # x\n'


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1.0", "1.0"),
        ("1e400", "1e400"),
        ("9" * 5000, "9" * 5000),
        ("true", "true"),
        ("null", "null"),
        ('{"a": [1,  2]}', '{"a": [1,  2]}'),
        ('"x"', r'"\"x\""'),
        ("NaN", '"NaN"'),
        ("-Infinity", '"-Infinity"'),
        ("1 2", '"1 2"'),
        (" 1", '" 1"'),
        ("01", '"01"'),
        ("[1", '"[1"'),
        ("[" * 100 + "]" * 100, "[" * 100 + "]" * 100),
        ("[" * 101 + "]" * 101, '"' + "[" * 101 + "]" * 101 + '"'),
        ("[" * 100_000, '"' + "[" * 100_000 + '"'),
    ],
)
def test_raw_text_stays_as_it_is_while_it_is_json_and_no_string(text: str, written: str) -> None:
    assert render(form(Key(name="k", raw=True)), {"k": text}) == f'{{"k":{written}}}'


def test_a_key_whose_value_is_gone_is_left_out_or_has_its_literal() -> None:
    keys = Key(name="a"), Key(name="b", literal='""'), Key(name="c", literal="null"), Key(name="d", raw=True)
    assert render(form(*keys), {}) == '{"b":"","c":null}'
    assert render(form(*keys), {"b": "1", "c": "2", "d": "3"}) == '{"b":"1","c":"2","d":3}'
    assert render(lines(Key(name="A", literal=""), Key(name="B")), {}) == "A="


def test_what_the_format_does_not_name_comes_last_in_the_order_of_its_keys() -> None:
    assert render(form(Key(name="z"), between=", "), {"z": "1", "b": 2, "a": True}) == '{"z":"1", "a":true, "b":2}'
    assert render(lines(Key(name="Z"), close="\n"), {"Z": "1", "a": "2"}) == "Z=1\na=2\n"


def test_an_added_key_never_doubles_one_that_is_there() -> None:
    user = form(Key(name="user", field="login"))
    assert render(user, {"login": "x", "user": "y"}) == '{"user":"x","user.2":"y"}'
    assert render(user, {"login": "x", "user": "y", "user.2": "z"}) == '{"user":"x","user.3":"y","user.2":"z"}'


@pytest.mark.parametrize("flat", [{"A": "1\n2"}, {"A": "1\r"}, {"A": "1", "b.c": "2"}, {"A": "1", "DB Host": "2"}])
def test_lines_that_would_be_read_as_something_else_are_not_written(flat: dict[str, str]) -> None:
    assert render(lines(Key(name="A")), flat) is None


def test_characters_are_escaped_as_they_were() -> None:
    php = form(Key(name="u"), escapes={"/": r"\/", "é": r"\u00E9"}, ascii=True)
    assert render(php, {"u": 'é/ö"'}) == r'{"u":"\u00E9\/\u00f6\""}'


@pytest.mark.parametrize("value", ["\ud800", float("nan")])
@pytest.mark.parametrize("escaped", [True, False])
def test_what_is_no_text_is_an_error(value: object, escaped: bool) -> None:
    with pytest.raises(ValueError, match="surrogates|JSON compliant"):
        render(form(ascii=escaped), {"a": value})


def test_a_format_is_read_as_it_is_written() -> None:
    whole = form(
        Key(name="a", field="b", raw=True), Key(name="c", literal="null"), ascii=True, escapes={"<": r"\u003c"}
    )
    assert parse_format(whole.text()) == whole
    assert lines(Key(name="A"), between="\r\n").text() == (
        '{"kind":"lines","between":"\\r\\n","colon":"=","keys":[{"name":"A"}]}'
    )


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "yaml"},
        {"open": ""},
        {"open": "{x"},
        {"between": ";"},
        {"between": ",,"},
        {"colon": "="},
        {"close": "}}"},
        {"close": "}\u00a0"},
        {"ascii": 1},
        {"other": 1},
        {"escapes": {"ab": "ab"}},
        {"escapes": {"/": "x"}},
        {"escapes": {"/": '/","x":"'}},
        {"keys": [{"name": "a"}, {"name": "a"}]},
        {"keys": [{"name": "a", "field": "b"}, {"name": "b"}]},
        {"keys": [{"name": "a", "literal": "canary"}]},
        {"keys": [{"name": "a", "raw": "yes"}]},
        {"keys": [{"name": 1}]},
        {"kind": "lines"},
        {"kind": "lines", "open": "", "close": "", "colon": "=", "between": "\r"},
        {"kind": "lines", "open": "", "close": "", "colon": "=", "between": "\n", "ascii": True},
        {"kind": "lines", "open": "", "close": "", "colon": "=", "between": "\n", "keys": [{"name": "a b"}]},
        {"kind": "lines", "open": "", "close": "", "colon": "=", "between": "\n", "keys": [{"name": "a", "raw": True}]},
    ],
)
def test_a_format_that_could_write_what_cannot_be_read_is_none(change: dict[str, Any]) -> None:
    assert parse_format(json.dumps(COMPACT | {"keys": [{"name": "a"}]})) is not None
    assert parse_format(json.dumps(COMPACT | change)) is None


@given(st.text(st.characters(exclude_categories=())) | st.recursive(st.none(), st.lists).map(json.dumps))
@settings(max_examples=200, deadline=None)
def test_whatever_text_stands_for_a_format_is_read_or_refused(text: str) -> None:
    assert parse_format(text) is None


RAW = ("1", "[1]", "true")
"""Texts that are JSON by themselves; Hypothesis finds others, as 0."""
labels = st.sampled_from(["a", "b", "user", "user.2", "login", "A", "B_2", ""]) | st.text(max_size=5)
spaces = st.text(st.sampled_from(" \t\r\n"), max_size=3)
keys = st.lists(
    st.builds(
        Key,
        name=labels,
        field=st.none() | labels,
        raw=st.booleans(),
        literal=st.sampled_from([None, '""', "null"]),
    ),
    max_size=4,
    unique_by=(lambda key: key.name, lambda key: key.source),
).map(tuple)
json_formats = st.builds(
    lambda a, b, c, d, e, f, g, h, named: Format(
        kind=Kind.JSON,
        open=f"{a}{{{b}",
        between=f"{c},{d}",
        colon=f"{e}:{f}",
        close=f"{g}}}{h}",
        keys=named,
        ascii=bool(a),
        escapes={"/": r"\/"} if b else {},
    ),
    *[spaces] * 8,
    keys,
)
line_formats = st.builds(
    lambda names, between, close: lines(*(Key(name=name) for name in names), between=between, close=close),
    st.lists(st.from_regex(LINE_NAME, fullmatch=True), max_size=4, unique=True),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n"]),
)
values = st.text(st.characters(codec="utf-8")) | st.sampled_from([*RAW, "a/b"]) | st.integers() | st.booleans()
flats = st.dictionaries(labels, values, min_size=1, max_size=5)


def stands_alone(value: Any) -> Any:
    """What a raw text is read as; one that is no JSON is never written raw."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


@given(json_formats, flats)
@settings(max_examples=400, deadline=None)
def test_whatever_people_do_to_the_record_it_stays_json_in_which_every_value_arrives(
    given: Format, flat: dict[str, Any]
) -> None:
    text = render(given, flat)
    assert text is not None
    pairs: list[tuple[str, Any]] = json.loads(text, object_pairs_hook=lambda found: found)
    assert len({name for name, _ in pairs}) == len(pairs)
    found = [value for _, value in pairs]
    assert all(value in found or stands_alone(value) in found for value in flat.values())
    added = flat.keys() - {key.source for key in given.keys} - {key.name for key in given.keys}
    assert all(dict(pairs)[name] == flat[name] for name in added)


@given(line_formats, flats)
@settings(max_examples=200, deadline=None)
def test_lines_stay_lines_whatever_people_do(given: Format, flat: dict[str, Any]) -> None:
    text = render(given, flat)
    fits = all(LINE_NAME.fullmatch(key) for key in flat) and not any(
        isinstance(value, str) and ("\n" in value or "\r" in value) for value in flat.values()
    )
    assert (text is not None) is fits
    if text is not None:
        entries = dict(line.split("=", 1) for line in text.removesuffix(given.close).split(given.between))
        assert entries == {key: value if isinstance(value, str) else json.dumps(value) for key, value in flat.items()}


def test_json_is_read_the_same_way_however_deep_the_caller_is() -> None:
    def deep(levels: int) -> object:
        return deep(levels - 1) if levels else decode("[" * 100 + "]" * 100)

    assert deep(600) == decode("[" * 100 + "]" * 100)
