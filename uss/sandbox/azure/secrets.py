"""The secrets of one key vault: versions, soft delete, limits.

Limits after "About Azure Key Vault secrets" and "Azure Key Vault keys, secrets and certificates overview": names of 1
to 127 letters, digits and hyphens, compared without case; values up to 25 KB; content types up to 255 characters; 15
tags with names and values up to 256 characters.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from uss.sandbox.azure.exceptions import (
    KeyVaultError,
    bad_parameter,
    deleted_secret_not_found,
    secret_is_deleted,
    secret_not_found,
)

VALUE_BYTES = 25_600
_CONTENT_TYPE_LENGTH = 255
_TAGS = 15
_TAG_LENGTH = 256
_DAY = 24 * 60 * 60
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Attributes(_Request):
    """What a caller may say of a version; moments are seconds since 1970."""

    enabled: bool | None = None
    nbf: int | None = None
    exp: int | None = None


class Content(_Request):
    """What a caller writes; None is left as it is in an update."""

    value: str | None = Field(default=None, repr=False)
    content_type: str | None = Field(default=None, alias="contentType")
    tags: dict[str, str] | None = None
    attributes: Attributes = Attributes()


def parse_content(body: Mapping[str, Any]) -> Content:
    """Read a request's body and check its limits; raise `KeyVaultError` that shows no value."""
    try:
        content = Content.model_validate({key: value for key, value in body.items() if value is not None})
    except ValidationError as error:
        places = ", ".join(".".join(str(part) for part in fault["loc"]) for fault in error.errors(include_input=False))
        raise bad_parameter(f"Property {places} has invalid value") from None
    _check(content)
    return content


def _check(content: Content) -> None:
    if content.value is not None and len(content.value.encode("utf-8", "surrogatepass")) > VALUE_BYTES:
        raise bad_parameter(f"The secret value exceeds the maximum size of {VALUE_BYTES} bytes.")
    if len(content.content_type or "") > _CONTENT_TYPE_LENGTH:
        raise bad_parameter(f"The content type exceeds the maximum length of {_CONTENT_TYPE_LENGTH} characters.")
    if len(content.tags or {}) > _TAGS:
        raise bad_parameter(f"The number of tags exceeds the maximum of {_TAGS}.")
    if any(len(text) > _TAG_LENGTH for item in (content.tags or {}).items() for text in item):
        raise bad_parameter(f"The name or value of a tag exceeds the maximum length of {_TAG_LENGTH} characters.")
    given = content.attributes
    if given.nbf is not None and given.exp is not None and given.exp <= given.nbf:
        raise bad_parameter("The attribute 'exp' must be later than the attribute 'nbf'.")


@dataclass
class Version:
    """One version of a secret."""

    value: str = field(repr=False)
    content_type: str | None
    tags: dict[str, str]
    enabled: bool
    nbf: int | None
    exp: int | None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))
    updated: int = field(default_factory=lambda: int(time.time()))

    def change(self, content: Content) -> None:
        """Take over what is given, the value aside."""
        given = content.attributes
        self.content_type = self.content_type if content.content_type is None else content.content_type
        self.tags = self.tags if content.tags is None else content.tags
        self.enabled = self.enabled if given.enabled is None else given.enabled
        self.nbf = self.nbf if given.nbf is None else given.nbf
        self.exp = self.exp if given.exp is None else given.exp
        self.updated = int(time.time())

    def attributes(self) -> dict[str, Any]:
        """Return the attributes as both planes show them."""
        moments = {"nbf": self.nbf, "exp": self.exp}
        given = {key: value for key, value in moments.items() if value is not None}
        return {"enabled": self.enabled, **given, "created": self.created, "updated": self.updated}


@dataclass
class Secret:
    """A secret: its versions, oldest first, and when it was deleted."""

    name: str
    versions: list[Version]
    deleted: int | None = None

    @property
    def current(self) -> Version:
        """The newest version."""
        return self.versions[-1]

    def version(self, version_id: str) -> Version:
        """Return a version, the newest for an empty ID."""
        if not version_id:
            return self.current
        for version in self.versions:
            if version.id == version_id.lower():
                return version
        raise secret_not_found(f"{self.name}/{version_id}")


class SecretStore:
    """All secrets of a vault."""

    def __init__(self, retention_days: int) -> None:
        self.retention_days = retention_days
        self._secrets: dict[str, Secret] = {}

    def write(self, name: str, content: Content) -> Secret:
        """Add a version, and the secret if there is none; raise a conflict if the name is that of a deleted one."""
        if not _NAME.fullmatch(name):
            raise bad_parameter(
                "The request URI contains an invalid name: a name has 1 to 127 characters, 0-9, a-z, A-Z and -."
            )
        if not content.value:
            raise bad_parameter("Property value is required, and must not be empty.")
        secret = self._secrets.get(name.lower())
        if secret and secret.deleted is not None:
            raise secret_is_deleted(name)
        secret = self._secrets.setdefault(name.lower(), Secret(name, []))
        given = content.attributes
        secret.versions.append(
            Version(
                value=content.value,
                content_type=content.content_type,
                tags=dict(content.tags or {}),
                enabled=given.enabled is not False,
                nbf=given.nbf,
                exp=given.exp,
            )
        )
        return secret

    def live(self, name: str) -> Secret:
        """Return a secret that is not deleted."""
        secret = self._secrets.get(name.lower())
        if secret is None or secret.deleted is not None:
            raise secret_not_found(name)
        return secret

    def deleted(self, name: str) -> Secret:
        """Return a deleted secret."""
        secret = self._secrets.get(name.lower())
        if secret is None or secret.deleted is None:
            raise deleted_secret_not_found(name)
        return secret

    def all(self, *, deleted: bool) -> list[Secret]:
        """Return the secrets that are there, or those that are deleted, by name."""
        return [secret for _, secret in sorted(self._secrets.items()) if (secret.deleted is not None) == deleted]

    def delete(self, name: str) -> Secret:
        """Delete a secret; it can be recovered."""
        secret = self.live(name)
        secret.deleted = int(time.time())
        return secret

    def recover(self, name: str) -> Secret:
        """Bring back a deleted secret with all its versions."""
        secret = self.deleted(name)
        secret.deleted = None
        return secret

    def purge(self, name: str, *, protected: bool) -> None:
        """Remove a deleted secret for good; refused where the vault is protected."""
        self.deleted(name)
        if protected:
            raise KeyVaultError(403, "Forbidden", 'Operation "purge" is not allowed: purge protection is enabled.')
        del self._secrets[name.lower()]

    def purge_date(self, deleted: int) -> int:
        """Return when something deleted then is purged."""
        return deleted + self.retention_days * _DAY

    def __iter__(self) -> Iterator[Secret]:
        return iter(self._secrets.values())
