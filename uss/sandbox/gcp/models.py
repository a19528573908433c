"""What Secret Manager holds, and the rules it keeps."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import google_crc32c

from uss.sandbox.gcp import limits
from uss.sandbox.gcp.exceptions import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from uss.sandbox.gcp.identities import Project
from uss.sandbox.gcp.replication import Replication, read_replication

LATEST = "latest"


class State(StrEnum):
    """Whether a version's payload can be accessed."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    DESTROYED = "DESTROYED"


@dataclass
class Version:
    """One value of a secret."""

    number: int
    created: float
    payload: bytes = field(repr=False)
    replication: Mapping[str, Any]
    """Its replication status: the keys are those that the secret had when the version was added."""
    state: State = State.ENABLED
    destroyed: float | None = None
    scheduled: float | None = None
    """When a destruction that was asked for takes place; None where none is awaited."""
    checksum_given: bool = False
    etag: str = field(default_factory=lambda: _etag())


@dataclass
class Secret:
    """A secret with its versions."""

    project: Project
    secret_id: str
    created: float
    replication: Replication
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    destroy_ttl: int | None = None
    versions: dict[int, Version] = field(default_factory=dict)
    etag: str = field(default_factory=lambda: _etag())

    @property
    def name(self) -> str:
        """The resource's name, which holds the project's number."""
        return f"projects/{self.project.number}/secrets/{self.secret_id}"

    def describe(self) -> dict[str, Any]:
        """Return the secret as the API shows it."""
        shown: dict[str, Any] = {
            "name": self.name,
            "createTime": timestamp(self.created),
            "replication": self.replication.describe(),
            "etag": self.etag,
            "labels": self.labels,
            "annotations": self.annotations,
            "versionAliases": {alias: str(number) for alias, number in self.aliases.items()},
        }
        if self.destroy_ttl:
            shown["versionDestroyTtl"] = f"{self.destroy_ttl}s"
        return {key: value for key, value in shown.items() if value != {}}

    def describe_version(self, version: Version) -> dict[str, Any]:
        """Return a version as the API shows it."""
        shown: dict[str, Any] = {
            "name": f"{self.name}/versions/{version.number}",
            "createTime": timestamp(version.created),
            "state": version.state.value,
            "etag": version.etag,
            "replicationStatus": version.replication,
        }
        if version.destroyed is not None:
            shown["destroyTime"] = timestamp(version.destroyed)
        if version.scheduled is not None:
            shown["scheduledDestroyTime"] = timestamp(version.scheduled)
        if version.checksum_given:
            shown["clientSpecifiedPayloadChecksum"] = True
        return shown


class SecretManager:
    """The secrets of all projects. Every method raises the `StatusError` that the service answers with."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._secrets: dict[tuple[str, str], Secret] = {}

    def create(self, project: Project, secret_id: str, given: Mapping[str, Any]) -> Secret:
        """Create a secret of what the request gives."""
        limits.check_secret_id(secret_id)
        secret = Secret(project, secret_id, self._clock(), read_replication(given.get("replication")))
        _set(secret, {name: given[name] for name in given.keys() - {"name", "replication", "etag", "createTime"}})
        if (project.id, secret_id) in self._secrets:
            raise AlreadyExistsError(f"Secret [{secret.name}] already exists.")
        self._secrets[project.id, secret_id] = secret
        return secret

    def get(self, project: Project, secret_id: str) -> Secret:
        """Return a secret; destructions that were due have taken place."""
        secret = self._secrets.get((project.id, secret_id))
        if secret is None:
            raise NotFoundError(f"Secret [projects/{project.number}/secrets/{secret_id}] not found.")
        self._destroy_due(secret)
        return secret

    def of(self, project: Project) -> list[Secret]:
        """Return a project's secrets, the newest first."""
        found = [secret for (owner, _), secret in self._secrets.items() if owner == project.id]
        return found[::-1]

    def update(self, project: Project, secret_id: str, given: Mapping[str, Any], mask: list[str]) -> Secret:
        """Change the fields that the mask names, all or none; one that `given` lacks is emptied."""
        secret = self.get(project, secret_id)
        _check_etag(given.get("etag"), secret.etag)
        if not mask:
            raise InvalidArgumentError("Field [update_mask] is required.")
        _set(secret, {name: given.get(name) for name in mask})
        secret.etag = _etag()
        return secret

    def delete(self, project: Project, secret_id: str, etag: str | None) -> None:
        """Delete a secret and all its versions, at once and for good."""
        _check_etag(etag, self.get(project, secret_id).etag)
        del self._secrets[project.id, secret_id]

    def add_version(self, project: Project, secret_id: str, payload: bytes, checksum: int | None) -> Version:
        """Add a version, enabled, with the next number."""
        secret = self.get(project, secret_id)
        if not payload:
            raise InvalidArgumentError("Secret Payload cannot be empty.")
        if len(payload) > limits.PAYLOAD_BYTES:
            raise InvalidArgumentError(f"Secret payload data length must be at most [{limits.PAYLOAD_BYTES}] bytes.")
        if checksum is not None and checksum != google_crc32c.value(payload):
            raise InvalidArgumentError("The payload's checksum does not match its data: it was damaged on the way.")
        number = max(secret.versions, default=0) + 1
        version = Version(
            number, self._clock(), payload, secret.replication.status(), checksum_given=checksum is not None
        )
        secret.versions[number] = version
        return version

    def version(self, project: Project, secret_id: str, name: str) -> Version:
        """Return a version by number, by alias, or the one with the highest number as `latest`."""
        try:
            secret = self.get(project, secret_id)
        except NotFoundError as error:
            raise NotFoundError(str(error).removesuffix(".") + " or has no versions.") from None
        if name == LATEST:
            if not secret.versions:
                raise NotFoundError(f"Secret [{secret.name}] not found or has no versions.")
            return secret.versions[max(secret.versions)]
        number = int(name) if name.isdecimal() else secret.aliases.get(name, 0)
        if number not in secret.versions:
            raise NotFoundError(f"Secret Version [{secret.name}/versions/{name}] not found.")
        return secret.versions[number]

    def access(self, project: Project, secret_id: str, name: str) -> Version:
        """Return a version whose payload may be seen."""
        version = self.version(project, secret_id, name)
        if version.state is not State.ENABLED:
            raise _wrong_state(self.get(project, secret_id), version)
        return version

    def switch(self, project: Project, secret_id: str, name: str, state: State, etag: str | None) -> Version:
        """Enable, disable or destroy a version, named by its number; destruction waits where the secret says so."""
        if not name.isdecimal():
            raise InvalidArgumentError(f"The version must be named by its number, not [{name}].")
        version = self.version(project, secret_id, name)
        secret = self.get(project, secret_id)
        _check_etag(etag, version.etag)
        if version.state is State.DESTROYED:
            raise _wrong_state(secret, version)
        if state is State.DESTROYED and secret.destroy_ttl:
            version.state, version.scheduled = State.DISABLED, self._clock() + secret.destroy_ttl
        elif state is State.DESTROYED:
            _destroy(version, self._clock())
        else:
            version.state, version.scheduled = state, None
        version.etag = _etag()
        return version

    def dump(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return every secret of every project by ID, values included."""
        content: dict[str, dict[str, dict[str, Any]]] = {}
        for (project, secret_id), secret in sorted(self._secrets.items()):
            self._destroy_due(secret)
            content.setdefault(project, {})[secret_id] = _dumped(secret)
        return content

    def _destroy_due(self, secret: Secret) -> None:
        for version in secret.versions.values():
            if version.scheduled is not None and version.scheduled <= self._clock():
                _destroy(version, version.scheduled)


def _set(secret: Secret, given: Mapping[str, Any]) -> None:
    """Change fields, once it is known that all of them can be changed."""
    values = [_read(secret, name, value) for name, value in given.items()]
    for attribute, value in values:
        setattr(secret, attribute, value)


def _read(secret: Secret, name: str, value: Any) -> tuple[str, Any]:
    if name == "labels":
        return "labels", limits.read_labels(value or {})
    if name == "annotations":
        return "annotations", limits.read_annotations(value or {})
    if name == "versionAliases":
        return "aliases", limits.read_aliases(value or {}, secret.versions)
    if name == "versionDestroyTtl":
        return "destroy_ttl", limits.read_destroy_ttl(value)
    if name == "replication":
        new = read_replication(value)
        if new.locations != secret.replication.locations:
            raise InvalidArgumentError("Field [secret.replication] is immutable.")
        return "replication", new
    raise InvalidArgumentError(f"Field [secret.{name}] is not one that the sandbox has.")


def _destroy(version: Version, when: float) -> None:
    version.state, version.destroyed, version.scheduled, version.payload = State.DESTROYED, when, None, b""


def _check_etag(given: Any, held: str) -> None:
    if given and given != held:
        raise FailedPreconditionError("The etag does not match that of the resource: it was changed meanwhile.")


def _wrong_state(secret: Secret, version: Version) -> FailedPreconditionError:
    return FailedPreconditionError(
        f"Secret Version [{secret.name}/versions/{version.number}] is in {version.state} state."
    )


def _dumped(secret: Secret) -> dict[str, Any]:
    latest = secret.versions.get(max(secret.versions, default=0))
    readable = latest is not None and latest.state is State.ENABLED
    shown = secret.describe()
    return {
        "name": f"projects/{secret.project.id}/secrets/{secret.secret_id}",
        "value": _text(latest.payload) if latest and readable else None,
        "versions": {str(number): version.state.value for number, version in secret.versions.items()},
        "values": {
            str(number): _text(version.payload)
            for number, version in secret.versions.items()
            if version.state is not State.DESTROYED
        },
        "labels": secret.labels,
        "annotations": secret.annotations,
        "replication": shown["replication"],
        "versionAliases": secret.aliases,
        "createTime": shown["createTime"],
    }


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "backslashreplace")


def timestamp(seconds: float) -> str:
    """Return a moment as the API writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _etag() -> str:
    return f'"{secrets.token_hex(7)}"'
