"""Typed records as the sync sees them: frozen, and silent about their values when printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Field:
    """A field of a typed record, standard or custom. `values` holds what Keeper holds, as JSON has it."""

    type: str
    label: str
    values: tuple[Any, ...] = field(repr=False)

    @property
    def key(self) -> str:
        """The field's label, or else its type."""
        return self.label or self.type


@dataclass(frozen=True)
class Record:
    """A typed record.

    `folders` are the folders it is shown in (several, when it has shortcuts; none, when it is shared with the
    application by itself). `fields` are the standard fields, then the custom ones. `attachments` are file names.
    """

    uid: str
    title: str
    type: str
    revision: int
    folders: frozenset[str] = frozenset()
    fields: tuple[Field, ...] = ()
    notes: str = field(default="", repr=False)
    attachments: tuple[str, ...] = ()


def fields_of(content: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields of a record's JSON, the custom ones last; raise `ValueError` where the shape is not a
    typed record's. The message holds no value.
    """
    parts = [content.get(part) or [] for part in ("fields", "custom")]
    if not all(isinstance(part, list) for part in parts):
        raise ValueError("fields that are not a list")
    return tuple(_field(entry) for part in parts for entry in part)


def _field(entry: object) -> Field:
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise ValueError("a field without a type")
    values = entry.get("value")
    if values is None:
        values = []
    if not isinstance(values, list):
        values = [values]
    label = entry.get("label") or ""
    if not isinstance(label, str):
        raise ValueError("a field whose label is not text")
    return Field(type=entry["type"], label=label, values=tuple(values))
