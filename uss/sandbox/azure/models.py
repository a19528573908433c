"""The state of the local key vaults, and their rules. Knows nothing of HTTP.

Sources: Azure Key Vault's REST reference (7.x), its service limits, and Azure Resource Manager's Microsoft.KeyVault.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from uss.sandbox.azure.exceptions import BadParameterError, ConflictError, ForbiddenError, NotFoundError

_SECRET_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_VAULT_NAME = re.compile(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]")
_VALUE_MAXIMUM = 25_600
_TAGS_MAXIMUM = 15
_CONTENT_TYPE_MAXIMUM = 255


@dataclass
class Version:
    """One value of a secret with everything that is kept with it."""

    version_id: str
    value: str = field(repr=False)
    content_type: str | None
    tags: dict[str, str]
    enabled: bool
    created: int


@dataclass
class Secret:
    """A secret with all its versions, the oldest first."""

    name: str
    versions: list[Version] = field(default_factory=list)


@dataclass
class KeyVault:
    """A key vault. Names of secrets are compared without case."""

    subscription: str
    group: str
    name: str
    location: str
    tags: dict[str, str]
    properties: dict[str, Any]
    uri: str
    secrets: dict[str, Secret] = field(default_factory=dict)
    deleted: dict[str, Secret] = field(default_factory=dict)

    @property
    def arm_id(self) -> str:
        """The vault's ID in Azure Resource Manager."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{group}/providers/Microsoft.KeyVault/vaults/{self.name}"

    @property
    def tenant(self) -> str:
        """The tenant whose identities may be given access."""
        return str(self.properties.get("tenantId", ""))

    def secret(self, name: str) -> Secret:
        """Return a secret."""
        try:
            return self.secrets[name.lower()]
        except KeyError:
            text = f"A secret with (name/id) {name} was not found in this key vault."
            raise NotFoundError(text, "SecretNotFound") from None

    def put(self, name: str, content: dict[str, Any], tags: dict[str, str]) -> tuple[Secret, Version]:
        """Add a version; a secret that is deleted and can be recovered keeps its name."""
        if not _SECRET_NAME.fullmatch(name):
            raise BadParameterError(f"The request URI contains an invalid name: {name}")
        if name.lower() in self.deleted:
            text = f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in "
            raise ConflictError(text + "this state, the secret can only be recovered or purged.", "Conflict")
        secret = self.secrets.get(name.lower())
        value = content.get("value") or (secret.versions[-1].value if secret else None)
        _check(value, content, tags)
        version = Version(
            version_id=secrets.token_hex(16),
            value=str(value),
            content_type=content.get("contentType"),
            tags=dict(tags),
            enabled=(content.get("attributes") or {}).get("enabled", True) is not False,
            created=int(time.time()),
        )
        secret = self.secrets.setdefault(name.lower(), Secret(name))
        secret.versions.append(version)
        return secret, version

    def version(self, name: str, version_id: str = "") -> tuple[Secret, Version]:
        """Return a version, the newest one where none is named; one that is disabled cannot be read."""
        secret = self.secret(name)
        found = [v for v in secret.versions if version_id in ("", v.version_id)]
        if not found:
            raise NotFoundError(f"A secret with (name/id) {name}/{version_id} was not found.", "SecretNotFound")
        if not found[-1].enabled:
            raise ForbiddenError("Operation get is not allowed on a disabled secret.", "Forbidden")
        return secret, found[-1]

    def delete(self, name: str) -> Secret:
        """Delete a secret, so that it can be recovered."""
        secret = self.secret(name)
        self.deleted[name.lower()] = self.secrets.pop(name.lower())
        return secret

    def deleted_secret(self, name: str) -> Secret:
        """Return a deleted secret."""
        try:
            return self.deleted[name.lower()]
        except KeyError:
            raise NotFoundError(f"Deleted Secret not found: {name}", "SecretNotFound") from None

    def recover(self, name: str) -> Secret:
        """Bring a deleted secret back with all its versions."""
        secret = self.deleted_secret(name)
        self.secrets[name.lower()] = self.deleted.pop(name.lower())
        return secret

    def purge(self, name: str) -> None:
        """Remove a deleted secret for good."""
        self.deleted_secret(name)
        if self.properties.get("enablePurgeProtection"):
            raise ForbiddenError('Operation "purge" is not allowed because purge protection is enabled.', "Forbidden")
        del self.deleted[name.lower()]


class KeyVaults:
    """All key vaults; `open_port` gives a new vault its own address."""

    def __init__(self, open_port: Callable[[str], str]) -> None:
        self._open_port = open_port
        self.vaults: dict[str, KeyVault] = {}
        self.deleted: dict[str, KeyVault] = {}

    def get(self, subscription: str, group: str, name: str) -> KeyVault:
        """Return a vault of a resource group."""
        vault = self.vaults.get(name.lower())
        if vault is None or (vault.subscription, vault.group.lower()) != (subscription, group.lower()):
            text = f"The Resource 'Microsoft.KeyVault/vaults/{name}' under resource group '{group}' was not found."
            raise NotFoundError(text, "ResourceNotFound")
        return vault

    def put(self, subscription: str, group: str, name: str, content: dict[str, Any]) -> KeyVault:
        """Create a vault, or change its properties."""
        if not _VAULT_NAME.fullmatch(name):
            raise BadParameterError(f"The vault name '{name}' is invalid.", "VaultNameNotValid")
        held = self.vaults.get(name.lower())
        if name.lower() in self.deleted or (
            held and (held.subscription, held.group.lower()) != (subscription, group.lower())
        ):
            text = f"The vault name '{name}' is already in use. Vault names are globally unique so it is possible that "
            raise ConflictError(text + "the name is already taken, or that the vault is deleted.", "VaultAlreadyExists")
        properties = dict(content.get("properties") or {})
        if held and held.properties.get("enablePurgeProtection") and properties.get("enablePurgeProtection") is False:
            raise BadParameterError('The property "enablePurgeProtection" cannot be set to false.', "BadRequest")
        if held:
            held.properties |= properties
            held.tags = dict(content.get("tags") or {})
            return held
        vault = KeyVault(
            subscription, group, name, content.get("location", ""), dict(content.get("tags") or {}), properties, ""
        )
        vault.uri = self._open_port(name)
        self.vaults[name.lower()] = vault
        return vault

    def delete(self, vault: KeyVault) -> None:
        """Delete a vault; its name stays taken."""
        self.deleted[vault.name.lower()] = self.vaults.pop(vault.name.lower())


def _check(value: Any, content: dict[str, Any], tags: dict[str, str]) -> None:
    if not isinstance(value, str) or not value:
        raise BadParameterError("The secret value must be specified.")
    if len(value.encode()) > _VALUE_MAXIMUM:
        raise BadParameterError(f"The secret value exceeds the maximum size of {_VALUE_MAXIMUM} bytes.")
    if len(tags) > _TAGS_MAXIMUM:
        raise BadParameterError(f"The number of tags exceeds the maximum of {_TAGS_MAXIMUM}.")
    if len(content.get("contentType") or "") > _CONTENT_TYPE_MAXIMUM:
        raise BadParameterError(f"The content type exceeds the maximum of {_CONTENT_TYPE_MAXIMUM} characters.")
