"""PAM Configuration records: which cloud, where, and the access keys to fall back on.

The labels differ by the tool that wrote the record (`accessKeyId` by Commander, `Access Key Id` by the vault's
templates), so they are compared without case and spaces.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from uss.config import CloudType
from uss.keeper.records import Field, Record

PAM_CONFIGURATION_TYPES: Mapping[str, CloudType] = {
    f"pam{cloud.value.capitalize()}Configuration": cloud for cloud in CloudType
}
"""Keeper's record types, as pamAwsConfiguration."""


@dataclass(frozen=True)
class PamConfiguration:
    """A PAM Configuration record. `entries` maps normalised labels to texts, credentials among them."""

    uid: str
    title: str
    type: CloudType
    entries: Mapping[str, str] = field(repr=False)

    def text(self, label: str) -> str | None:
        """Return the entry of this label as it is, or None when it is missing or empty."""
        return self.entries.get(_normalised(label)) or None

    def lines(self, label: str) -> list[str]:
        """Return the entry of this label (one item a line) without blank lines and surrounding spaces."""
        return [line.strip() for line in self.entries.get(_normalised(label), "").splitlines() if line.strip()]


def pam_configuration(record: Record) -> PamConfiguration | None:
    """Read a PAM Configuration record, or return None when the record is of another type."""
    cloud = PAM_CONFIGURATION_TYPES.get(record.type)
    if cloud is None:
        return None
    entries: dict[str, str] = {}
    for entry in record.fields:
        text = _text(entry)
        if text:
            entries.setdefault(_normalised(entry.key), text)
    return PamConfiguration(uid=record.uid, title=record.title, type=cloud, entries=entries)


def _normalised(label: str) -> str:
    return "".join(label.split()).lower()


def _text(entry: Field) -> str:
    """A multiline field has one text with line ends, or several values: both become lines. A `json` field may hold an
    object.
    """
    return "\n".join(value if isinstance(value, str) else json.dumps(value) for value in entry.values if value)
