"""What a record tells of the cloud secret that it was imported from, in fields whose labels start with `uss:`.

`uss import` writes them, and a person may. They are about the record's secret and no part of its value: no cloud gets
them as values, whatever they hold (docs/notes/0012-imported-bytes.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from uss.config import CloudType
from uss.keeper.records import Record
from uss.text import shown

RESERVED = "uss:"
"""What the labels start with."""


class Label(StrEnum):
    """The labels."""

    SOURCE = "uss:source"
    """The secret's own name for itself: an ARN, an Azure secret's address, or `projects/.../secrets/...`."""
    NAME = "uss:name"
    """The name that the secret keeps, whatever the record's title is."""
    TAGS = "uss:tags"
    """A JSON object of text to text; on GCP the keys start with `labels/` or `annotations/`."""
    DESCRIPTION = "uss:description"
    FORMAT = "uss:format"
    """How the value is written: see `uss.records.format`."""


_CLOUDS = {"arn:": CloudType.AWS, "https://": CloudType.AZURE, "projects/": CloudType.GCP}
"""By how a source starts."""


@dataclass(frozen=True)
class OriginFault:
    """Why a record's reserved fields cannot be followed."""

    label: str
    text: str


@dataclass(frozen=True)
class Origin:
    """The cloud secret that a record was imported from. All is empty for a record that was not."""

    source: str = ""
    cloud: CloudType | None = None
    """The source's."""
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""

    def name_in(self, cloud: CloudType) -> str | None:
        """Return the name that the record's secret keeps in this cloud, or None where its title gives it."""
        return self.name if self.name and self.cloud in (None, cloud) else None

    def tags_in(self, cloud: CloudType) -> Mapping[str, str]:
        """Return the tags that the secret had in this cloud."""
        return self.tags if self.cloud is cloud else {}


def origin_of(record: Record) -> Origin | OriginFault:
    """Return what the record tells of its origin, or what is wrong with it."""
    known = {label.value for label in Label}
    strange = sorted(
        entry.label for entry in record.fields if entry.label.startswith(RESERVED) and entry.label not in known
    )
    if strange:
        return OriginFault(shown(strange[0]), f"is none of {', '.join(sorted(known))}")
    texts: dict[Label, str] = {}
    for label in Label:
        try:
            texts[label] = reserved_text(record, label)
        except ValueError as error:
            return OriginFault(label, str(error))
    source = texts[Label.SOURCE]
    cloud = next((cloud for start, cloud in _CLOUDS.items() if source.startswith(start)), None)
    if source and cloud is None:
        return OriginFault(Label.SOURCE, "is no ARN, no https:// address and no projects/.../secrets/... name")
    tags = _tags(texts[Label.TAGS])
    if tags is None:
        return OriginFault(Label.TAGS, "is not a JSON object of texts")
    if tags and cloud is None:
        return OriginFault(Label.TAGS, f"is there without {Label.SOURCE}, which says in which cloud the tags are")
    return Origin(source, cloud, texts[Label.NAME], tags, texts[Label.DESCRIPTION])


def reserved_text(record: Record, label: Label) -> str:
    """Return what the record's field of this label says, "" for none; raise `ValueError` where it is not one text."""
    values = [
        value for entry in record.fields if entry.label == label for value in entry.values if value not in (None, "")
    ]
    if len(values) > 1:
        raise ValueError("has more than one value")
    if values and not isinstance(values[0], str):
        raise ValueError("is not text")
    return values[0] if values else ""


def _tags(text: str) -> Mapping[str, str] | None:
    try:
        tags = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        return None
    return tags
