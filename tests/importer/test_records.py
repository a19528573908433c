"""Records from cloud secrets: the sync writes back the same text under the same name, whatever the text is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import ARN, configuration, only, plan
from uss.clouds.aws import AWS_NAMES
from uss.clouds.gcp import GCP_NAMES
from uss.importer.readers.secrets import CloudSecret, Listed, Skipped
from uss.importer.recognition import recognise
from uss.importer.records import NewRecord, SkipReason, new_record
from uss.keeper import Field, Record
from uss.records.naming import NameRules
from uss.records.payload import JSON, TEXT, Payload, PayloadFault, flatten, payload_of

TYPES = ["login", "databaseCredentials", "serverCredentials", "encryptedNotes", "pamUser"]


def imported(text: str, record_type: str = "login", name: str = "n", prefix: str = "", **more: Any) -> NewRecord:
    """The record of a secret that has one."""
    result = new_record(CloudSecret(Listed(name, ARN, **more), "1", text), record_type, prefix, AWS_NAMES)
    assert isinstance(result, NewRecord)
    return result


def shape(record: NewRecord) -> list[tuple[str, str, str]]:
    """The fields, standard ones first, with type, label and text; no reserved ones."""
    found = [(entry.type, entry.label, entry.values[0]) for entry in (*record.fields, *record.custom)]
    return [entry for entry in found if not entry[1].startswith("uss:")]


def reserved(record: NewRecord) -> dict[str, str]:
    """The reserved fields."""
    return {entry.label: entry.values[0] for entry in record.custom if entry.label.startswith("uss:")}


def test_the_record_is_in_keepers_shape() -> None:
    text = '{"username":"u","password":"p","port":5432,"notes":"n"}'
    assert imported(text, tags={"b": "2", "a": "1"}, description="d\ne").content() == {
        "title": "n",
        "type": "login",
        "fields": [{"type": "login", "value": ["u"]}, {"type": "password", "value": ["p"]}],
        "custom": [
            {"type": "text", "label": "port", "value": ["5432"]},
            {"type": "text", "label": "uss:source", "value": [ARN]},
            {"type": "text", "label": "uss:tags", "value": ['{"a":"1","b":"2"}']},
            {"type": "multiline", "label": "uss:description", "value": ["d\ne"]},
            {
                "type": "text",
                "label": "uss:format",
                "value": [
                    '{"kind":"json","open":"{","between":",","colon":":","close":"}","keys":[{"name":"username",'
                    '"field":"login"},{"name":"password"},{"name":"port","raw":true},{"name":"notes"}]}'
                ],
            },
        ],
        "notes": "n",
    }
    assert "notes" not in imported("x").content()


@pytest.mark.parametrize(
    ("record_type", "text", "fields"),
    [
        ("login", '{"Host":"h","User":"u","PASS":"p"}', [("login", "", "u"), ("password", "", "p"), ("url", "", "h")]),
        ("login", '{"user":"u","login":"l"}', [("login", "", "l"), ("text", "user", "u")]),
        ("login", '{"user":"u","username":"l"}', [("login", "", "u"), ("text", "username", "l")]),
        ("login", '{"secret":"s","password":"p"}', [("password", "", "p"), ("secret", "secret", "s")]),
        ("login", '{"login":"","user":"u"}', [("text", "user", "u")]),
        ("login", '{"user":"","password":"p"}', [("password", "", "p")]),
        ("login", '{"mail":"m","email":"e"}', [("text", "mail", "m"), ("email", "email", "e")]),
        ("login", '{"url":{"a":1}}', [("text", "url", '{"a":1}')]),
        ("login", '{"password":12}', [("password", "", "12")]),
        ("login", '{"password":"a\\nb"}', [("multiline", "password", "a\nb")]),
        ("login", '{"a":[\n1]}', [("multiline", "a", "[\n1]")]),
        ("databaseCredentials", '{"user":"u","host":"h"}', [("login", "", "u"), ("url", "host", "h")]),
        ("encryptedNotes", '{"user":"u","x":"y"}', [("login", "user", "u"), ("text", "x", "y")]),
        ("login", "A=1\nUSER=x\n", [("login", "", "x"), ("text", "A", "1")]),
        ("login", "token", [("secret", "value", "token")]),
        ("login", "two\nlines", [("multiline", "value", "two\nlines")]),
        ("login", '{"uss:format":"x"}', [("secret", "value", '{"uss:format":"x"}')]),
        ("login", '{"":"x"}', [("secret", "value", '{"":"x"}')]),
        ("login", '{" a":"x"}', [("secret", "value", '{" a":"x"}')]),
        ("login", '{"a\\n":"x"}', [("secret", "value", '{"a\\n":"x"}')]),
        ("login", '{"value":"x"}', [("text", "value", "x")]),
    ],
)
def test_keys_become_the_fields_that_they_name(record_type: str, text: str, fields: list[tuple[str, str, str]]) -> None:
    record = imported(text, record_type)
    assert shape(record) == fields
    assert reserved(record).keys() >= {"uss:source"}
    payload = payload_of(record.as_read())
    assert isinstance(payload, Payload)
    assert payload.value == text


def test_there_is_a_format_only_where_the_syncs_own_rules_are_not_enough() -> None:
    assert "uss:format" not in reserved(imported('{"a":"1","login":"2"}'))
    assert "uss:format" not in reserved(imported("token"))
    assert "uss:format" in reserved(imported('{"login":"1","a":"2"}'))


def test_notes_are_a_records_notes() -> None:
    assert (imported('{"Note":"a\\nb"}').notes, shape(imported('{"Note":"a\\nb"}'))) == ("a\nb", [])
    two = imported('{"Note":"a","notes":"b"}')
    assert (two.notes, shape(two)) == ("b", [("text", "Note", "a")])


@pytest.mark.parametrize(
    ("name", "prefix", "rules", "title", "kept"),
    [
        ("a/b", "", AWS_NAMES, "a/b", None),
        ("team/a", "team/", AWS_NAMES, "a", None),
        ("team/", "team/", AWS_NAMES, "team/", "team/"),
        ("1a", "", GCP_NAMES, "1a", "1a"),
        ("p-a-", "p-", GCP_NAMES, "p-a-", "p-a-"),
    ],
)
def test_the_title_gives_the_name_or_the_name_is_kept(
    name: str, prefix: str, rules: NameRules, title: str, kept: str | None
) -> None:
    record = new_record(CloudSecret(Listed(name, ARN), "1", "x"), "login", prefix, rules)
    assert isinstance(record, NewRecord)
    assert (record.title, reserved(record).get("uss:name")) == (title, kept)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("other", "x", SkipReason.OUTSIDE),
        ("p-a b", "x", SkipReason.ILLEGAL_NAME),
        ("p-a", "", SkipReason.EMPTY),
        ("p-a", "\ud800", SkipReason.NOT_TEXT),
        ("p-a", '{"a":"\ud800"}', SkipReason.NOT_TEXT),
        ("p-a", "A=\ud800\nB=1", SkipReason.NOT_TEXT),
    ],
)
def test_what_cannot_be_imported_is_skipped_with_a_reason(name: str, text: str, reason: SkipReason) -> None:
    listed = Listed(name, ARN)
    assert new_record(CloudSecret(listed, "1", text), "login", "p-", AWS_NAMES) == Skipped(listed, reason)


plain = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.sampled_from(
    [
        "user",
        "login",
        "Login",
        "username",
        "password",
        "pass",
        "secret",
        "url",
        "host",
        "email",
        "notes",
        "note",
        "value",
        "a",
        "b",
        "uss:x",
        "text",
    ]
)
scalars = plain | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
nested = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3), max_leaves=6
)
objects = st.dictionaries(names | plain, nested, max_size=6)
gaps = st.sampled_from(["", "", " ", "\n", "\n  ", "\r\n\t"])


def written(value: dict[str, Any], ascii_only: bool, gap: list[str], inner: tuple[str, str], slashes: bool) -> str:
    """The object as some tool would write it."""
    one = [
        f"{json.dumps(key, ensure_ascii=ascii_only)}{gap[2]}:{gap[3]}"
        f"{json.dumps(part, ensure_ascii=ascii_only, separators=inner)}"
        for key, part in value.items()
    ]
    text = f"{gap[0]}{{{gap[1]}" + f"{gap[4]},{gap[5]}".join(one) + f"{gap[6]}}}{gap[7]}"
    return text.replace("/", r"\/") if slashes else text


styled = st.builds(
    written,
    objects,
    st.booleans(),
    st.lists(gaps, min_size=8, max_size=8),
    st.sampled_from([(",", ":"), (", ", ": ")]),
    st.booleans(),
)
one_line = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)
env = st.builds(
    lambda pairs, end, last: end.join(f"{key}={value}" for key, value in pairs) + (end if last else ""),
    st.lists(st.tuples(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True), one_line), min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
anything = st.text(st.characters(exclude_categories=()))
likely = st.text(st.sampled_from('{}[]",:=\\/ \n\r\tabA1_é\u2028\ud800'), max_size=20)
long = st.sampled_from(["x" * 60_000, json.dumps({"a": "é" * 20_000, "b": 1}), "A=" + "y" * 60_000 + "\nB=1"])
texts = styled | env | anything | likely | long


@given(texts, st.sampled_from(TYPES))
@settings(max_examples=1500, deadline=None)
def test_every_text_comes_back_to_the_byte(text: str, record_type: str) -> None:
    result = new_record(CloudSecret(Listed("n", ARN), "1", text), record_type, "", AWS_NAMES)
    if isinstance(result, Skipped):
        assert result.reason is (SkipReason.NOT_TEXT if text else SkipReason.EMPTY)
        assert not text or any("\ud800" <= character <= "\udfff" for character in text)
        return
    payload = payload_of(result.as_read())
    assert isinstance(payload, Payload)
    assert payload.value == text
    opaque = shape(result) == [("multiline" if "\n" in text or "\r" in text else "secret", "value", text)]
    assert payload.content_type == (TEXT if opaque or not text.strip().startswith("{") else JSON)


@given(st.dictionaries(names.filter(lambda name: name != "uss:x"), nested, min_size=1), gaps, st.booleans())
@settings(max_examples=300, deadline=None)
def test_an_object_in_one_style_with_any_value_is_never_opaque(
    value: dict[str, Any], gap: str, ascii_only: bool
) -> None:
    text = written(value, ascii_only, [gap] * 8, (",", ":"), slashes=False)
    assert (recognise(text) is None) is all(part in (None, "") for part in value.values())
    if recognise(text):
        filled = [part for part in value.values() if part not in (None, "")]
        record = imported(text)
        assert len(shape(record)) + bool(record.notes) == len(filled)


edits = st.lists(
    st.tuples(st.integers(0, 8), st.one_of(st.none(), plain, st.sampled_from(["1", "[1", "{}", "a\nb"]))), max_size=3
)
new_fields = st.lists(
    st.builds(
        Field,
        type=st.sampled_from(["login", "password", "text", "checkbox"]),
        label=names | plain,
        values=st.lists(plain | st.booleans() | st.integers(), max_size=2).map(tuple),
    ),
    max_size=2,
)


def edited(record: Record, changes: list[tuple[int, str | None]], added: list[Field]) -> Record:
    """The record after people were at it."""
    fields = list(record.fields)
    for index, value in changes:
        if index < len(fields) and not fields[index].label.startswith("uss:"):
            fields[index] = Field(fields[index].type, fields[index].label, () if value is None else (value,))
    return Record(record.uid, record.title, record.type, 2, record.folders, (*fields, *added), record.notes)


@given(styled | env, edits, new_fields)
@settings(max_examples=500, deadline=None)
def test_whatever_people_do_afterwards_every_value_arrives_or_the_record_is_refused(
    text: str, changes: list[tuple[int, str | None]], added: list[Field]
) -> None:
    record = edited(imported(text).as_read(), changes, added)
    payload = payload_of(record)
    if isinstance(payload, PayloadFault):
        assert payload in (PayloadFault.EMPTY, PayloadFault.NOT_LINES)
        assert (payload is PayloadFault.EMPTY) is (not flatten(record))
        return
    flat = flatten(record)
    if payload.content_type == JSON:
        found = [repr(value) for value in json.loads(payload.value).values()]
        assert all(repr(value) in found or _is_raw(value, found) for value in flat.values())
    else:
        assert all(str(value).lower() in payload.value.lower() for value in flat.values())


def _is_raw(value: Any, found: list[str]) -> bool:
    return isinstance(value, str) and repr(json.loads(value)) in found


@given(styled | env | likely, st.sampled_from(["db", "team/db", "0042"]), st.sampled_from(["", "team/"]))
@settings(max_examples=200, deadline=None)
def test_a_plan_for_the_new_record_has_the_same_name_value_and_tags(text: str, name: str, prefix: str) -> None:
    secret = CloudSecret(
        Listed(name, ARN, {"owner": "x", "managed-by": "hand", "aws:cloudformation:stack-id": "s"}), "1", text
    )
    result = new_record(secret, "login", prefix, AWS_NAMES)
    if isinstance(result, Skipped):
        return
    read = result.as_read("R1")
    entry = Record("R1", read.title, read.type, 1, frozenset({"FOLDER-0000000000000001"}), read.fields, read.notes)
    (planned,) = only(plan([entry], (), configuration(name_prefix=prefix))).secrets
    assert (planned.name, planned.payload.value) == (name, text)
    assert (planned.tags["owner"], planned.tags["managed-by"]) == ("x", "keeper-uss")
    assert not [key for key in planned.tags if key.startswith("aws:")]
