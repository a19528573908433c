"""A cloud's secrets as a reader gives them: listed, read, or skipped with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Listed:
    """A secret as a list tells of it."""

    name: str
    source: str
    """What it is in its cloud: an ARN, `https://<vault>/secrets/<name>`, or `projects/<project>/secrets/<name>`."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """GCP's have the prefixes `labels/` and `annotations/`, as in the sync."""
    description: str = ""
    content_type: str = ""
    """Azure only: what the secret's owner says that its value is."""
    replicas: tuple[str, ...] | None = ()
    """The other regions (AWS), or the locations (GCP) that were chosen; None: some, which the list does not name."""
    problem: str | None = None
    """Why it cannot be imported, in words that follow its name: `is disabled`."""


@dataclass(frozen=True)
class CloudSecret:
    """A secret with its current value, exactly as the cloud holds it."""

    listed: Listed
    version: str
    """What the cloud calls the version that was read."""
    text: str = field(repr=False)
    replicas: tuple[str, ...] | None = ()
    """As in `Listed`; None where the identity may not ask for them."""


@dataclass(frozen=True)
class Skipped:
    """A secret that was listed, and does not become a record."""

    listed: Listed
    reason: str
    """In words that follow its name: `is binary`."""
