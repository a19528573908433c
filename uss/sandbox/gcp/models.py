"""The state of the local Secret Manager, and its rules. Knows nothing of HTTP.

Sources: the Secret Manager API reference (projects.secrets, projects.secrets.versions) and its quotas page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from uss.sandbox.gcp.exceptions import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)

_SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_TERM = re.compile(r"(?P<key>[\w.-]+)\s*(?P<sign>[:=])\s*(?P<value>.*)", re.DOTALL)
_PAYLOAD_MAXIMUM = 65_536
_ANNOTATIONS_MAXIMUM = 16 * 1024
_LABELS_MAXIMUM = 64


class State(StrEnum):
    """A version's state."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    DESTROYED = "DESTROYED"


@dataclass
class Version:
    """One value of a secret."""

    number: int
    data: bytes | None = field(repr=False)
    """None once it is destroyed."""
    state: State = State.ENABLED
    created: str = ""


@dataclass
class Secret:
    """A secret with all its versions."""

    project: str
    secret_id: str
    replication: dict[str, Any]
    labels: dict[str, str]
    annotations: dict[str, str]
    created: str
    versions: list[Version] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The resource's name."""
        return f"projects/{self.project}/secrets/{self.secret_id}"


class SecretManager:
    """All secrets of all projects."""

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], Secret] = {}

    def create(self, project: str, secret_id: str, content: dict[str, Any]) -> Secret:
        """Create a secret without a version."""
        if not _SECRET_ID.fullmatch(secret_id):
            raise InvalidArgumentError(f"The provided Secret ID [{secret_id}] does not match the expected format.")
        replication = content.get("replication") or {}
        if not {"automatic", "userManaged"} & replication.keys():
            raise InvalidArgumentError("The Secret must have a replication policy.")
        if (project, secret_id) in self.secrets:
            raise AlreadyExistsError(f"Secret [projects/{project}/secrets/{secret_id}] already exists.")
        labels, annotations = _checked_marks(content)
        secret = Secret(project, secret_id, replication, labels, annotations, _now())
        self.secrets[project, secret_id] = secret
        return secret

    def get(self, project: str, secret_id: str) -> Secret:
        """Return a secret."""
        try:
            return self.secrets[project, secret_id]
        except KeyError:
            raise NotFoundError(f"Secret [projects/{project}/secrets/{secret_id}] not found.") from None

    def list(self, project: str, wanted: str) -> list[Secret]:
        """Return a project's secrets by name; `wanted` is a filter of the forms `labels.KEY=VALUE` and `name:TEXT`."""
        found = [secret for (owner, _), secret in sorted(self.secrets.items()) if owner == project]
        for term in filter(None, wanted.split(" AND ")):
            found = [secret for secret in found if _passes(secret, term.strip())]
        return found

    def update(self, secret: Secret, content: dict[str, Any], mask: set[str]) -> None:
        """Change labels and annotations; nothing else can be changed here."""
        if foreign := mask - {"labels", "annotations"}:
            raise InvalidArgumentError(f"The field [{min(foreign)}] cannot be changed.")
        labels, annotations = _checked_marks(content)
        if "labels" in mask:
            secret.labels = labels
        if "annotations" in mask:
            secret.annotations = annotations

    def delete(self, secret: Secret) -> None:
        """Delete a secret with all its versions, at once."""
        del self.secrets[secret.project, secret.secret_id]

    def add_version(self, secret: Secret, data: bytes) -> Version:
        """Add a value."""
        if not data:
            raise InvalidArgumentError("Secret Payload cannot be empty.")
        if len(data) > _PAYLOAD_MAXIMUM:
            raise InvalidArgumentError(f"The Secret Payload exceeds the maximum size of {_PAYLOAD_MAXIMUM} bytes.")
        version = Version(len(secret.versions) + 1, data, created=_now())
        secret.versions.append(version)
        return version

    def version(self, secret: Secret, number: str) -> Version:
        """Return a version by its number; `latest` is the highest one, whatever its state."""
        if number == "latest" and secret.versions:
            return secret.versions[-1]
        if number.isdigit() and 0 < int(number) <= len(secret.versions):
            return secret.versions[int(number) - 1]
        raise NotFoundError(f"Secret Version [{secret.name}/versions/{number}] not found.")

    def access(self, secret: Secret, version: Version) -> bytes:
        """Return a version's value."""
        if version.data is None or version.state is not State.ENABLED:
            name = f"{secret.name}/versions/{version.number}"
            raise FailedPreconditionError(f"Secret Version [{name}] is in {version.state} state.")
        return version.data

    def set_state(self, secret: Secret, version: Version, state: State) -> None:
        """Enable, disable or destroy a version; a destroyed one stays so, and its value is gone."""
        if version.state is State.DESTROYED and state is not State.DESTROYED:
            name = f"{secret.name}/versions/{version.number}"
            raise FailedPreconditionError(f"Secret Version [{name}] is in DESTROYED state.")
        version.state = state
        if state is State.DESTROYED:
            version.data = None


def _checked_marks(content: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    labels, annotations = dict(content.get("labels") or {}), dict(content.get("annotations") or {})
    if len(labels) > _LABELS_MAXIMUM:
        raise InvalidArgumentError(f"A resource can have at most {_LABELS_MAXIMUM} labels.")
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            raise InvalidArgumentError(f"The label [{key}] does not match the expected format.")
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > _ANNOTATIONS_MAXIMUM:
        raise InvalidArgumentError(f"The annotations exceed the maximum size of {_ANNOTATIONS_MAXIMUM} bytes.")
    return labels, annotations


def _passes(secret: Secret, term: str) -> bool:
    match = _TERM.fullmatch(term)
    if match is None:
        raise InvalidArgumentError(f"The filter term [{term}] is not understood.")
    key, sign, value = match["key"], match["sign"], match["value"].strip('"')
    held = secret.labels.get(key.removeprefix("labels.")) if key.startswith("labels.") else secret.secret_id
    return held is not None and (value in held if sign == ":" else held == value)


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
