"""Values from records: every value arrives once and unchanged, whatever the record holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import record
from tests.leaks import leaks
from tests.sync.every_type import CASES, Case
from uss.keeper import Field
from uss.keeper.records import fields_of
from uss.records.payload import JSON, TEXT, Payload, PayloadFault, flatten, payload_of

texts = st.text(st.characters(codec="utf-8"), max_size=20)
scalars = texts | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
fields = st.lists(
    st.builds(
        Field,
        type=st.sampled_from(["login", "password", "url", "phone"]),
        label=st.sampled_from(["", "login", "url.2", "value", "a"]) | texts,
        values=st.lists(values, max_size=3).map(tuple),
    ),
    max_size=5,
)


def payload(*given: Field, notes: str = "") -> Payload:
    """The payload of a record that has one."""
    result = payload_of(record("R1", "Record", *given, notes=notes))
    assert isinstance(result, Payload)
    return result


def leaves(value: Any) -> Iterator[Any]:
    """Every scalar that is not empty."""
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from leaves(part)
    elif value is not None and value != "":
        yield value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.expected[:40])
def test_the_rules_by_example(case: Case) -> None:
    given = fields_of({"fields": case.fields, "custom": case.custom})
    result = payload_of(record("R1", "Record", *given, notes=case.notes or ""))
    assert isinstance(result, Payload)
    assert result.value == case.expected
    assert result.size == len(case.expected.encode())


def test_the_one_key_value_is_plain_text_and_says_so() -> None:
    assert payload(Field("secret", "value", ("0042",))) == Payload("0042", TEXT)
    assert payload(Field("secret", "value", ("0042",)), Field("login", "", ("x",))).content_type == JSON
    assert payload(Field("secret", "value", ("a", "b"))).content_type == JSON
    assert payload(Field("secret", "value", ("a",)), notes="n").content_type == JSON
    assert payload(Field("checkbox", "value", (True,))).value == "true"


@pytest.mark.parametrize(
    "given", [(), (Field("login", "", ("",)),), (Field("host", "", ({"hostName": "", "port": None}, [], {})),)]
)
def test_a_record_without_values_has_no_payload(given: tuple[Field, ...]) -> None:
    empty = given or (Field("fileRef", "", ("FILE",)),)
    assert payload_of(record("R1", "Record", *empty)) is PayloadFault.EMPTY


@pytest.mark.parametrize("value", ["\ud800", float("nan"), float("inf")])
@pytest.mark.parametrize("label", ["value", "other"])
def test_what_no_cloud_can_hold_is_a_fault(value: Any, label: str) -> None:
    assert payload_of(record("R1", "Record", Field("text", label, (value,)))) is PayloadFault.NOT_TEXT


@given(fields, texts)
@settings(max_examples=200, deadline=None)
def test_every_value_arrives_once_and_unchanged(given: list[Field], notes: str) -> None:
    flat = flatten(record("R1", "Record", *(given or [Field("a", "", ())]), notes=notes))
    sent = [leaf for entry in given for leaf in leaves(entry.values)] + list(leaves(notes))
    assert Counter(map(repr, flat.values())) == Counter(map(repr, sent))


@given(fields, texts)
@settings(max_examples=200, deadline=None)
def test_the_value_is_compact_sorted_json_of_the_flat_keys(given: list[Field], notes: str) -> None:
    entry = record("R1", "Record", *(given or [Field("a", "", ())]), notes=notes)
    result = payload_of(entry)
    if result is PayloadFault.EMPTY:
        assert flatten(entry) == {}
    elif isinstance(result, Payload) and result.content_type == JSON:
        found = json.loads(result.value)
        assert found == flatten(entry)
        assert list(found) == sorted(found)
        assert result.value == json.dumps(found, ensure_ascii=False, separators=(",", ":"))


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), min_size=1), min_size=2, max_size=4))
@settings(max_examples=200, deadline=None)
def test_the_parts_of_two_values_never_mix(phones: list[dict[str, str]]) -> None:
    flat = flatten(record("R1", "Record", Field("phone", "", tuple(phones))))
    stems = ["phone", *(f"phone.{number}" for number in range(2, len(phones) + 1))]
    found = [{part: flat[f"{stem}.{part}"] for part in "abc" if f"{stem}.{part}" in flat} for stem in stems]
    assert found == phones


def test_a_payload_does_not_print_its_value() -> None:
    assert leaks(repr(payload(Field("secret", "value", ("canary",)))), "canary") == {}


def reordered(value: Any) -> Any:
    """The same value with the parts of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: reordered(part) for name, part in reversed(value.items())}
    return [reordered(part) for part in value] if isinstance(value, list) else value


@given(fields, texts)
@settings(max_examples=200, deadline=None)
def test_the_value_does_not_depend_on_the_order_of_an_objects_parts(given: list[Field], notes: str) -> None:
    other = [Field(entry.type, entry.label, tuple(reordered(value) for value in entry.values)) for entry in given]
    some = [Field("a", "", ())]
    first, again, second = (
        payload_of(record("R1", "Record", *(entries or some), notes=notes)) for entries in (given, given, other)
    )
    assert first == again == second


def test_parts_that_meet_in_a_key_are_told_apart_in_one_order() -> None:
    one = payload(Field("json", "", ({"a.b": 1, "a": {"b": 2}},)))
    other = payload(Field("json", "", ({"a": {"b": 2}, "a.b": 1},)))
    assert one.value == other.value == '{"json.a.b":2,"json.a.b.2":1}'


def unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, if no key comes twice."""
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


@given(fields, texts)
@settings(max_examples=200, deadline=None)
def test_no_key_comes_twice(given: list[Field], notes: str) -> None:
    result = payload_of(record("R1", "Record", *(given or [Field("a", "", ())]), notes=notes))
    if isinstance(result, Payload) and result.content_type == JSON:
        json.loads(result.value, object_pairs_hook=unique)


nested = st.recursive(
    st.none(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "2", "3", "2.a", "a.2"]), inner, min_size=1, max_size=3)
    ),
    max_leaves=5,
)


def marked(value: Any, mark: int) -> Any:
    """The value with the mark in the place of every leaf."""
    if isinstance(value, dict):
        return {name: marked(part, mark) for name, part in value.items()}
    return [marked(part, mark) for part in value] if isinstance(value, list) else mark


@given(st.lists(nested, min_size=2, max_size=4))
@settings(max_examples=200, deadline=None)
def test_what_is_below_a_numbered_key_is_of_one_value_however_it_is_nested(shapes: list[Any]) -> None:
    values = tuple(marked(shape, number) for number, shape in enumerate(shapes))
    flat = flatten(record("R1", "Record", Field("json", "", values)))
    for stem in {".".join(key.split(".")[:2]) for key in flat}:
        if stem != "json":
            assert len({leaf for key, leaf in flat.items() if f"{key}.".startswith(f"{stem}.")}) == 1, flat


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ([("l", [[{"x": 1}, {"y": 2}], {"z": 3}])], {"l.x", "l.2.y", "l.3.z"}),
        ([("l", [{"2": {"x": 1}}, {"z": 3}])], {"l.2.x", "l.3.z"}),
        ([("a.b", [{"y": 1}]), ("a", [{"b": {"x": 2}}])], {"a.b.y", "a.2.b.x"}),
        ([("a", [{"b": {"x": 2}}]), ("a.b", [{"y": 1}])], {"a.b.x", "a.b.2.y"}),
        ([("a.b", ["s"]), ("a", [{"b": 1, "c": 2}])], {"a.b", "a.2.b", "a.2.c"}),
        ([("a.b", ["s"]), ("a", [{"c": 2}])], {"a.b", "a.c"}),
        ([("u.2", ["own"]), ("u", ["x", "y"])], {"u.2", "u", "u.3"}),
        ([("u", ["x"]), ("u", ["y"])], {"u", "u.2"}),
        ([("u", ["", "x", None, [], {}, "y"])], {"u", "u.2"}),
        ([("notes", ["own"])], {"notes", "notes.2"}),
    ],
)
def test_a_value_never_reaches_into_anothers_keys(given: list[tuple[str, list[Any]]], keys: set[str]) -> None:
    entries = [Field("t", label, tuple(content)) for label, content in given]
    notes = "n" if given[0][0] == "notes" else ""
    assert flatten(record("R1", "Record", *entries, notes=notes)).keys() == keys


anything = st.recursive(
    st.text(st.characters(exclude_categories=()), max_size=5) | st.integers() | st.booleans() | st.none() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.fixed_dictionaries({}, optional={"fields": anything, "custom": anything, "notes": anything}))
@settings(max_examples=200, deadline=None)
def test_whatever_json_stands_for_the_fields_is_read_or_refused_and_never_crashes(content: dict[str, Any]) -> None:
    try:
        given = fields_of(content)
    except ValueError:
        return
    assert isinstance(payload_of(record("R1", "Record", *given)), Payload | PayloadFault)


@given(
    st.lists(
        st.fixed_dictionaries({"type": st.sampled_from(["login", "fileRef", "json"])}, optional={"value": anything}),
        min_size=1,
        max_size=3,
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_json_a_field_holds_gives_a_payload_or_a_fault(content: list[dict[str, Any]]) -> None:
    result = payload_of(record("R1", "Record", *fields_of({"custom": content})))
    assert isinstance(result, Payload | PayloadFault)
    if isinstance(result, Payload):
        assert result.size == len(result.value.encode()) > 0


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"fields": 5}, "fields that are not a list"),
        ({"custom": True}, "fields that are not a list"),
        ({"fields": {"type": "canary"}}, "fields that are not a list"),
        ({"fields": "canary"}, "fields that are not a list"),
        ({"fields": ["canary"]}, "a field without a type"),
        ({"fields": [{"value": ["canary"]}]}, "a field without a type"),
        ({"fields": [{"type": 5, "value": ["canary"]}]}, "a field without a type"),
        ({"custom": [{"type": "text", "label": ["canary"]}]}, "a field whose label is not text"),
    ],
)
def test_what_is_no_typed_record_is_told_without_its_values(content: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        fields_of(content)


@pytest.mark.parametrize("depth", [2_000, 100_000])
def test_a_value_nested_too_deeply_is_a_fault(depth: int) -> None:
    value: Any = "canary"
    for _ in range(depth):
        value = [value]
    assert payload_of(record("R1", "Record", Field("json", "", (value,)))) is PayloadFault.TOO_DEEP


@pytest.mark.parametrize(
    "value",
    [
        "0042",
        " both ends ",
        "\ttab",
        "a\r\nb\n",
        "é",
        "e\u0301",
        "\ufeffbom",
        "null",
        "true",
        "{}",
        '"quoted"',
        "\x00",
        "😀",
    ],
)
def test_texts_arrive_to_the_byte(value: str) -> None:
    assert payload(Field("secret", "value", (value,))) == Payload(value, TEXT)
    assert json.loads(payload(Field("secret", "", (value,))).value) == {"secret": value}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (False, "false"),
        (2**70, "1180591620717411303424"),
        (1.5, "1.5"),
        (-0.0, "-0.0"),
        (1e400 - 1e400, None),
    ],
)
def test_numbers_and_booleans_stay_what_they_are(value: Any, expected: str | None) -> None:
    result = payload_of(record("R1", "Record", Field("secret", "", (value,))))
    assert result == (Payload(f'{{"secret":{expected}}}', JSON) if expected else PayloadFault.NOT_TEXT)


COMPACT = '{"kind":"json","open":"{","between":", ","colon":":","close":"}","keys":[{"name":"b"},{"name":"a"}]}'
LINES = '{"kind":"lines","between":"\\n","colon":"=","keys":[{"name":"b"},{"name":"a"}]}'
TWO = Field("text", "a", ("1",)), Field("text", "b", ("2",))


def test_reserved_fields_are_no_part_of_the_value() -> None:
    others = [
        Field("text", f"uss:{label}", ("canary",)) for label in ("source", "tags", "name", "description", "x", "")
    ]
    assert payload(*TWO, *others) == payload(*TWO)
    assert payload(Field("secret", "value", ("v",)), *others) == Payload("v", TEXT)
    assert payload_of(record("R1", "Record", *others)) is PayloadFault.EMPTY
    assert payload(Field("text", "uss", ("v",))).value == '{"uss":"v"}'


@pytest.mark.parametrize(
    ("form", "expected"), [(COMPACT, Payload('{"b":"2", "a":"1"}', JSON)), (LINES, Payload("b=2\na=1", TEXT))]
)
def test_a_format_has_the_value_written_in_another_way(form: str, expected: Payload) -> None:
    assert payload(*TWO, Field("text", "uss:format", (form,))) == expected


@pytest.mark.parametrize(
    "values",
    [("canary",), ("{}",), (COMPACT + "x",), (COMPACT, LINES), ({"kind": "json"},), (COMPACT.replace("{", "["),)],
)
def test_a_format_that_cannot_be_read_is_a_fault(values: tuple[Any, ...]) -> None:
    assert payload_of(record("R1", "Record", *TWO, Field("text", "uss:format", values))) is PayloadFault.NO_FORMAT


def test_an_emptied_format_is_none() -> None:
    assert payload(*TWO, Field("text", "uss:format", ("",))) == payload(*TWO)


def test_what_lines_cannot_hold_is_a_fault() -> None:
    form = Field("text", "uss:format", (LINES,))
    assert payload_of(record("R1", "Record", *TWO, form, notes="a\nb")) is PayloadFault.NOT_LINES
    assert payload_of(record("R1", "Record", *TWO, form, Field("text", "a b", ("1",)))) is PayloadFault.NOT_LINES
    assert payload(*TWO, form, notes="one line").value == "b=2\na=1\nnotes=one line"


@pytest.mark.parametrize("form", [COMPACT, LINES])
def test_formatted_values_have_the_faults_of_all_values(form: str) -> None:
    entry = Field("text", "uss:format", (form,))
    assert payload_of(record("R1", "Record", entry)) is PayloadFault.EMPTY
    for value in ("\ud800", float("nan")):
        assert payload_of(record("R1", "Record", Field("text", "a", (value,)), entry)) is PayloadFault.NOT_TEXT
