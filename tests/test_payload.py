"""Values from records: every value arrives once and unchanged, whatever the record holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import record
from tests.sync.every_type import CASES, Case
from uss.keeper import Field
from uss.keeper.records import fields_of
from uss.payload import JSON, TEXT, Payload, PayloadFault, flatten, payload_of

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
def test_the_parts_of_two_values_never_mix(phones: list[dict[str, str]]) -> None:
    flat = flatten(record("R1", "Record", Field("phone", "", tuple(phones))))
    stems = ["phone", *(f"phone.{number}" for number in range(2, len(phones) + 1))]
    found = [{part: flat[f"{stem}.{part}"] for part in "abc" if f"{stem}.{part}" in flat} for stem in stems]
    assert found == phones


def test_a_payload_does_not_print_its_value() -> None:
    assert "canary" not in repr(payload(Field("secret", "value", ("canary",))))
