"""`azure-native:keyvault:Secret`: a secret of a key vault, written through Resource Manager, deleted through the vault.

Resource Manager never returns a value: the state's one is kept, and a change made elsewhere is not seen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from typing import Any, ClassVar

from azure.core.exceptions import ResourceNotFoundError

from uss.sandbox.providers.azure_resource import (
    CONFLICT,
    INPUTS,
    NOT_FOUND,
    ArmKind,
    compare,
    folded,
    own,
    settled,
    shown,
)
from uss.sandbox.providers.azure_session import API_VERSION, AzureError, AzureSession, azure_call
from uss.sandbox.providers.interface import Difference, Rule
from uss.sandbox.providers.values import UNKNOWN, Properties

PATIENCE_SECONDS = 5.0
"""How long a recovered secret is waited for; the real provider waits three minutes."""

_POLL_SECONDS = 0.1
_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.KeyVault"
    r"/vaults/(?P<vault>[^/]+)/secrets/(?P<secret>[^/]+)",
    re.IGNORECASE,
)
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_PLACE = ("resourceGroupName", "vaultName", "secretName")
# As the SDK names them, as the API names them, and what the API takes where none is given.
_ATTRIBUTES = {"enabled": ("enabled", True), "expires": ("exp", None), "notBefore": ("nbf", None)}


class Secret(ArmKind):
    """A secret with its value."""

    rules: ClassVar = {
        "resourceGroupName": Rule(required=True, replaces=True),
        "vaultName": Rule(required=True, replaces=True),
        "secretName": Rule(replaces=True, autoname=True),
        "properties": Rule(required=True),
        "tags": Rule(),
    }
    plain_outputs: ClassVar = ("properties",)
    noun: ClassVar = "a secret of a key vault"

    def faults(self, inputs: Properties) -> list[tuple[str, str]]:
        """Find a name that Key Vault does not take."""
        name = inputs.get("secretName")
        if isinstance(name, str) and not _NAME.fullmatch(name):
            return [("secretName", "must have 1 to 127 characters, 0-9, a-z, A-Z and -")]
        return []

    def diff(self, config: AzureSession, olds: Properties, news: Properties, ignored: Collection[str]) -> Difference:
        """Compare what a write would lead to with what the state says."""
        old = self.held(olds)
        names = [folded({key: given.get(key) for key in _PLACE}) for given in (old, news)]
        changes = compare(*names, replaces=True)
        changes |= compare({"tags": old.get("tags")}, {"tags": news.get("tags")})
        if news.get("properties") == UNKNOWN:
            changes |= compare({"properties": old.get("properties")}, {"properties": UNKNOWN})
        else:
            changes |= compare(_settings(old), _settings(news), prefix="properties.")
        return settled(changes, ignored)

    def plan(self, config: AzureSession, olds: Properties, news: Properties) -> Properties:
        """Return what is known before the update: a write makes a version of its own."""
        given = news.get("properties")
        properties = dict(given) if isinstance(given, dict) else {}
        properties.pop("value", None)
        uri = (olds.get("properties") or {}).get("secretUri", UNKNOWN)
        return {
            "azureApiVersion": API_VERSION,
            "id": olds.get("id", UNKNOWN),
            "location": olds.get("location", UNKNOWN),
            "name": news.get("secretName") or UNKNOWN,
            "type": "Microsoft.KeyVault/vaults/secrets",
            "tags": news.get("tags"),
            "properties": properties | {"secretUri": uri, "secretUriWithVersion": UNKNOWN},
            INPUTS: own(news),
        }

    def delete(self, config: AzureSession, resource_id: str, outputs: Properties) -> None:
        """Delete through the vault's own endpoint; the secret stays recoverable."""
        place = self.place(resource_id)
        client = config.vault(place["vaultName"])
        try:
            with azure_call():
                client.begin_delete_secret(place["secretName"])
        except AzureError as error:
            if error.status != NOT_FOUND:
                raise

    def path(self, config: AzureSession, inputs: Properties) -> str:
        """See `ArmKind`."""
        return secret_path(config, inputs)

    def place(self, resource_id: str) -> dict[str, str]:
        """See `ArmKind`."""
        match = _ID.fullmatch(resource_id)
        return dict(zip(_PLACE, match.group("group", "vault", "secret"), strict=True)) if match else {}

    def put(self, config: AzureSession, path: str, inputs: Properties) -> Properties:
        """Write a version; recover a deleted secret of the name first, if there is one."""
        try:
            return _put(config, path, inputs)
        except AzureError as error:
            if error.status != CONFLICT:
                raise
            place = self.place(path)
            _recover(config, place["vaultName"], place["secretName"], error)
        return _put(config, path, inputs)

    def outputs(self, answer: Properties, inputs: Properties) -> Properties:
        """See `ArmKind`."""
        return shown(answer, inputs, secret_properties(answer))

    def live(self, place: Properties, answer: Properties, inputs: Properties, outputs: Properties) -> Properties:
        """Return the state's value with everything else as it is; what the API takes by itself is left out."""
        old, found = inputs.get("properties") or {}, secret_properties(answer)
        asked, is_now = old.get("attributes") or {}, found.get("attributes") or {}
        attributes = {
            key: is_now.get(key)
            for key, (_, default) in _ATTRIBUTES.items()
            if is_now.get(key) is not None and (key in asked or is_now.get(key) != default)
        }
        properties = {
            "value": old.get("value"),
            "contentType": found.get("contentType"),
            "attributes": attributes or None,
        }
        kept = {key: value for key, value in properties.items() if value is not None}
        return {**(inputs or place), "properties": kept, "tags": answer.get("tags") or None}


def secret_path(config: AzureSession, inputs: Properties) -> str:
    """Return the ID of the secret that inputs or arguments name."""
    group, vault, secret = (inputs[key] for key in _PLACE)
    return (
        f"/subscriptions/{config.config.subscription_id}/resourceGroups/{group}/providers/Microsoft.KeyVault"
        f"/vaults/{vault}/secrets/{secret}"
    )


def secret_properties(answer: Properties) -> Properties:
    """Return Resource Manager's answer in the SDK's words."""
    told = answer.get("properties") or {}
    attributes = told.get("attributes") or {}
    named = {key: attributes.get(api) for key, (api, _) in _ATTRIBUTES.items()}
    moments = {key: attributes.get(key) for key in ("created", "updated")}
    properties = {
        "attributes": {key: value for key, value in (named | moments).items() if value is not None},
        "contentType": told.get("contentType"),
        "secretUri": told.get("secretUri"),
        "secretUriWithVersion": told.get("secretUriWithVersion"),
    }
    return {key: value for key, value in properties.items() if value is not None}


def _settings(inputs: Properties) -> Properties:
    """Return what a write settles, by path in `properties`."""
    properties: Any = inputs.get("properties")
    if not isinstance(properties, dict):
        return {}
    attributes = properties.get("attributes") or {}
    settings = {"value": properties.get("value"), "contentType": properties.get("contentType")}
    if attributes == UNKNOWN:
        return settings | {"attributes": UNKNOWN}
    given = {key: attributes.get(key) for key in _ATTRIBUTES}
    return settings | {
        f"attributes.{key}": _ATTRIBUTES[key][1] if value is None else value for key, value in given.items()
    }


def _put(config: AzureSession, path: str, inputs: Properties) -> Properties:
    properties = inputs["properties"]
    attributes = properties.get("attributes") or {}
    body = {
        "properties": {
            "value": properties.get("value"),
            "contentType": properties.get("contentType"),
            "attributes": {
                api: attributes[key] for key, (api, _) in _ATTRIBUTES.items() if attributes.get(key) is not None
            },
        },
        "tags": inputs.get("tags") or {},
    }
    return config.call("PUT", path, body, hidden=str(properties.get("value") or ""))


def _recover(config: AzureSession, vault: str, secret: str, conflict: AzureError) -> None:
    """Recover a deleted secret; raise the conflict if there is none to recover."""
    client = config.vault(vault)
    with azure_call():
        try:
            client.get_deleted_secret(secret)
        except ResourceNotFoundError:
            raise conflict from None
        client.begin_recover_deleted_secret(secret)
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        try:
            with azure_call():
                client.get_deleted_secret(secret)
        except AzureError as error:
            if error.status == NOT_FOUND:
                return
            raise
        time.sleep(_POLL_SECONDS)
