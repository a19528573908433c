"""A cloud's secret as a new Keeper record, from which the sync's own rules give the very same text and name.

Structure where it can be had: a field for each key, so that people see and edit what they know. But exactness beats
structure: each record is put to the proof before it is handed out, and what it would not give back to the byte
becomes one opaque text instead (docs/notes/0012-imported-bytes.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from uss.importer.readers.secrets import CloudSecret, Listed, Skipped
from uss.importer.recognition import Recognised, recognise
from uss.keeper.records import Field, Record, fields_of
from uss.records.format import Key, Kind
from uss.records.naming import NameRules, cloud_name, exact_name
from uss.records.origin import RESERVED, Label
from uss.records.payload import JSON, TEXT, Payload, payload_of

_NOTES = "notes"
_KINDS = {
    "username": "login",
    "user": "login",
    "login": "login",
    "password": "password",
    "pass": "password",
    "secret": "password",
    "secret_value": "password",
    "url": "url",
    "endpoint": "url",
    "host": "url",
    "email": "email",
    "mail": "email",
    "note": _NOTES,
    "notes": _NOTES,
}
"""Key names in small letters, and the field type (or the record's notes) that they mean."""
RECORD_TYPES = (
    "bankAccount",
    "databaseCredentials",
    "encryptedNotes",
    "general",
    "login",
    "serverCredentials",
    "softwareLicense",
    "sshKeys",
)
"""Those of Keeper's own record types that hold what programs read."""
_STANDARD = {
    "login": ("login", "password", "url"),
    "databaseCredentials": ("login", "password"),
    "serverCredentials": ("login", "password"),
}
"""Of Keeper's own record types, those with standard fields of these kinds, in the type's order."""


@dataclass(frozen=True)
class NewRecord:
    """A record to create. Prints without its values."""

    type: str
    title: str
    fields: tuple[Field, ...] = ()
    custom: tuple[Field, ...] = ()
    notes: str = field(default="", repr=False)

    def content(self) -> dict[str, Any]:
        """Return the record in the shape of Keeper's typed records."""
        content: dict[str, Any] = {
            "title": self.title,
            "type": self.type,
            "fields": [_content(entry) for entry in self.fields],
            "custom": [_content(entry) for entry in self.custom],
        }
        return content | {"notes": self.notes} if self.notes else content

    def as_read(self, uid: str = "") -> Record:
        """Return the record as the sync will read it."""
        return Record(uid, self.title, self.type, 0, fields=fields_of(self.content()), notes=self.notes)


class SkipReason(StrEnum):
    """Why a secret that can be read does not become a record."""

    OUTSIDE = "has a name that does not start with the configuration's namePrefix"
    ILLEGAL_NAME = "has a name that the sync cannot give"
    EMPTY = "is empty"
    NOT_TEXT = "is no text"


def new_record(secret: CloudSecret, record_type: str, prefix: str, rules: NameRules) -> NewRecord | Skipped:
    """Return the record for a secret, or why there is none. `rules` are those of the secret's cloud."""
    listed, name = secret.listed, secret.listed.name
    if not name.startswith(prefix):
        return Skipped(listed, SkipReason.OUTSIDE)
    if exact_name(name, prefix, rules) != name:
        return Skipped(listed, SkipReason.ILLEGAL_NAME)
    if not secret.text:
        return Skipped(listed, SkipReason.EMPTY)
    title = name.removeprefix(prefix)
    kept = cloud_name(title, prefix, rules) != name
    custom = tuple(_reserved(listed, kept))
    empty = NewRecord(record_type, name if kept else title, custom=custom)
    return _structured(secret.text, empty) or _opaque(secret.text, empty) or Skipped(listed, SkipReason.NOT_TEXT)


def _structured(text: str, empty: NewRecord) -> NewRecord | None:
    """The record with a field for each of the secret's keys, or None where that would not be exact."""
    recognised = recognise(text)
    if recognised is None or not all(_is_label(key.name) for key in recognised.format.keys):
        return None
    record, places = _filled(recognised, empty)
    if _gives(record, text, JSON):
        return record
    keys = (key.model_copy(update={"field": places.get(key.name)}) for key in recognised.format.keys)
    form = recognised.format.model_copy(update={"keys": tuple(keys)})
    record = replace(record, custom=(*record.custom, _text(Label.FORMAT, form.text())))
    return record if _gives(record, text, JSON if form.kind is Kind.JSON else TEXT) else None


def _opaque(text: str, empty: NewRecord) -> NewRecord | None:
    """The record with the secret as its one value, or None where even that is not exact."""
    kind = "multiline" if _has_lines(text) else "secret"
    record = replace(empty, custom=(Field(kind, "value", (text,)), *empty.custom))
    return record if _gives(record, text, TEXT) else None


def _gives(record: NewRecord, text: str, content_type: str) -> bool:
    return payload_of(record.as_read()) == Payload(text, content_type)


def _filled(recognised: Recognised, empty: NewRecord) -> tuple[NewRecord, Mapping[str, str]]:
    """The record with the secret's values, and the flat keys of those that are not under their own name."""
    standard = _STANDARD.get(empty.type, ())
    holders = _holders(key.name for key in recognised.format.keys)
    held: dict[str, str] = {}
    custom: list[Field] = []
    places: dict[str, str] = {}
    for key in recognised.format.keys:
        text = recognised.values.get(key.name, "")
        kind = None if _is_nested(key, text) else holders.get(key.name)
        if kind == _NOTES or (kind in standard and not _has_lines(text)):
            held[kind] = text
            if kind != key.name:
                places[key.name] = kind
        elif text:
            custom.append(Field(_custom_type(key.name, kind, text), key.name, (text,)))
    fields = tuple(Field(kind, "", (held[kind],)) for kind in standard if held.get(kind))
    notes = held.get(_NOTES, "")
    return replace(empty, fields=fields, custom=(*custom, *empty.custom), notes=notes), places


def _holders(names: Iterable[str]) -> Mapping[str, str]:
    """By name, the kind of field that it takes: each kind goes to the key that is called just so, or else to the first.

    So a key under its own label never meets a standard field of that type.
    """
    holders: dict[str, str] = {}
    for name in sorted(names, key=lambda name: _KINDS.get(name) != name):
        if kind := _KINDS.get(name.lower()):
            holders.setdefault(kind, name)
    return {name: kind for kind, name in holders.items()}


def _custom_type(name: str, kind: str | None, text: str) -> str:
    if _has_lines(text):
        return "multiline"
    # What is called a password stays hidden, also where another key has the password's field.
    return kind or ("secret" if _KINDS.get(name.lower()) == "password" else "text")


def _is_label(name: str) -> bool:
    """Whether a key can be a field's label, which people read and type, and Keeper's clients may trim."""
    return bool(name) and name == name.strip() and name.isprintable() and not name.startswith(RESERVED)


def _is_nested(key: Key, text: str) -> bool:
    return key.raw and text.startswith(("{", "["))


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text


def _reserved(secret: Listed, kept: bool) -> Iterator[Field]:
    """What the record tells of its origin; its name only where the title does not give it."""
    yield _text(Label.SOURCE, secret.source)
    if kept:
        yield _text(Label.NAME, secret.name)
    if secret.tags:
        tags = json.dumps(dict(secret.tags), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        yield _text(Label.TAGS, tags)
    if secret.description:
        yield _text(Label.DESCRIPTION, secret.description)


def _text(label: Label, text: str) -> Field:
    return Field("multiline" if _has_lines(text) else "text", label.value, (text,))


def _content(entry: Field) -> dict[str, Any]:
    label = {"label": entry.label} if entry.label else {}
    return {"type": entry.type, **label, "value": list(entry.values)}
