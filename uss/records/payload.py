"""A record's cloud value, by the rules of Keeper's own sync, so that readers need not change.

One flat JSON object: each field's label, or else its type, is a key; keys are sorted, the text is compact and UTF-8.
A record that flattens to the one key `value` becomes that plain text (Keeper, Universal Secrets Sync, "Secret Value
Format"). Where Keeper's page is silent, this module decides:

- a field with several values: the first one keeps the key, the next ones are `key.2`, `key.3` and so on, so that a
  reader of the first value never has to change; two fields with one key are treated the same way;
- a structured value: one key for each part, `host.hostName`, `name.first`;
- the record's notes: the key `notes`;
- what is empty (no value, null, an empty text, list or object) has no key;
- `fileRef` fields name attachments, which are not synced: they have no key;
- fields whose label starts with `uss:` are about the secret and no part of its value: they have no key. One of them,
  `uss:format`, has the value written in another way, as the cloud had it before (`uss.records.format`).

Values are opaque: texts stay as they are to the byte, numbers and true/false stay JSON numbers and booleans.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from uss.keeper.records import Record
from uss.records.format import Format, Kind, numbered, parse_format, render
from uss.records.origin import RESERVED, Label, reserved_text

JSON = "application/json"
TEXT = "text/plain"

_ATTACHMENT_TYPE = "fileRef"
_NOTES = "notes"
_PLAIN = "value"


@dataclass(frozen=True)
class Payload:
    """What goes into the cloud secret. Prints without its value."""

    value: str = field(repr=False)
    content_type: str

    @property
    def size(self) -> int:
        """Bytes of the value in UTF-8, which is what the clouds limit."""
        return len(self.value.encode())


class PayloadFault(StrEnum):
    """Why a record gives no payload."""

    EMPTY = "the record holds no value that can be synced"
    NOT_TEXT = "a value is not valid text (a lone surrogate) or not a number that JSON can hold"
    TOO_DEEP = "a value is nested too deeply"
    NO_FORMAT = "its field uss:format is none that `uss import` writes"
    NOT_LINES = "its field uss:format asks for KEY=VALUE lines, which cannot hold one of its labels or values"


def payload_of(record: Record) -> Payload | PayloadFault:
    """Return the record's payload, or the reason why there is none."""
    try:
        flat = flatten(record)
        form = _format(record)
    except RecursionError:
        return PayloadFault.TOO_DEEP
    except ValueError:
        return PayloadFault.NO_FORMAT
    if not flat:
        return PayloadFault.EMPTY
    try:
        value, content_type = _plain_or_json(flat) if form is None else _formatted(flat, form)
        if value is None:
            return PayloadFault.NOT_LINES
        value.encode()
    except ValueError:  # a UnicodeEncodeError quotes the text it met, so nothing of it is chained
        return PayloadFault.NOT_TEXT
    return Payload(value=value, content_type=content_type)


def flatten(record: Record) -> dict[str, Any]:
    """Return the record's values under their flat keys, in the record's order."""
    flat: dict[str, Any] = {}
    taken: set[str] = set()
    for entry in record.fields:
        if entry.type != _ATTACHMENT_TYPE and not entry.label.startswith(RESERVED):
            _put(flat, taken, entry.key, entry.values)
    _put(flat, taken, _NOTES, (record.notes,))
    return flat


def _put(flat: dict[str, Any], taken: set[str], key: str, values: tuple[Any, ...]) -> None:
    """Add a field's values. All parts of one value share a stem that no other value has or reaches into, so that the
    parts of two values never mix, even where they do not meet in a key.
    """
    for value in values:
        parts = _parts(value)
        if parts:
            stem = next(stem for stem in numbered(key) if stem not in taken and taken.isdisjoint(_area(stem, parts)))
            taken.update(_area(stem, parts))
            flat.update({stem + path: leaf for path, leaf in parts.items()})


def _area(stem: str, paths: Iterable[str]) -> Iterator[str]:
    """The keys of a value, its stem, and all between: `host`, `host.a` and `host.a.b` for `host.a.b` of `host`."""
    return (stem + path[:end] for path in paths for end, character in enumerate(path + ".") if character == ".")


def _parts(value: Any) -> dict[str, Any]:
    """The scalars in a value by their path in it; where two parts have one path, the later one gets a number."""
    parts: dict[str, Any] = {}
    for path, leaf in _leaves(value):
        parts[next(free for free in numbered(path) if free not in parts)] = leaf
    return parts


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """The scalars in a value, each with its path from there: "" for a scalar, ".first" for a part of an object."""
    if isinstance(value, dict):
        for name, part in sorted(value.items()):  # Keeper's clients may write the parts in any order
            for path, leaf in _leaves(part):
                yield f".{name}{path}", leaf
    elif isinstance(value, list):
        filled = [leaves for leaves in (list(_leaves(part)) for part in value) if leaves]
        for leaves, stem in zip(filled, numbered(""), strict=False):
            for path, leaf in leaves:
                yield stem + path, leaf
    elif value is not None and value != "":
        yield "", value


def _format(record: Record) -> Format | None:
    """The record's format, or None where it has none; raises `ValueError` where it cannot be read."""
    text = reserved_text(record, Label.FORMAT)
    form = parse_format(text) if text else None
    if text and form is None:
        raise ValueError("no format")
    return form


def _formatted(flat: dict[str, Any], form: Format) -> tuple[str | None, str]:
    return render(form, flat), JSON if form.kind is Kind.JSON else TEXT


def _plain_or_json(flat: dict[str, Any]) -> tuple[str, str]:
    if flat.keys() != {_PLAIN}:
        return _json(flat), JSON
    plain = flat[_PLAIN]
    return plain if isinstance(plain, str) else _json(plain), TEXT


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
