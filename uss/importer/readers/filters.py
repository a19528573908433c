"""Which of a cloud's secrets are meant: pure, and the same for every cloud but for two rules.

Azure compares names without case. GCP has labels and annotations; a tag is looked for in both, without their prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from uss.clouds.gcp import ANNOTATION, LABEL
from uss.config import CloudType
from uss.importer.readers.secrets import Listed


@dataclass(frozen=True)
class Filters:
    """What a secret must be like; one that is left out passes everything, and all that are given must hold."""

    name: str | None = None
    """The whole name."""
    starts_with: str = ""
    ends_with: str = ""
    contains: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Each must be there with exactly this value."""

    def match(self, listed: Listed, cloud: CloudType) -> bool:
        """Tell whether a secret of this cloud is meant."""
        return self._names(listed.name, cloud) and all(
            value in _values(listed.tags, key, cloud) for key, value in self.tags.items()
        )

    def _names(self, name: str, cloud: CloudType) -> bool:
        def folded(text: str) -> str:
            return text.lower() if cloud is CloudType.AZURE else text

        name = folded(name)
        return (
            (self.name is None or name == folded(self.name))
            and name.startswith(folded(self.starts_with))
            and name.endswith(folded(self.ends_with))
            and folded(self.contains) in name
        )


def _values(tags: Mapping[str, str], key: str, cloud: CloudType) -> list[str]:
    keys = (LABEL + key, ANNOTATION + key) if cloud is CloudType.GCP else (key,)
    return [tags[key] for key in keys if key in tags]
