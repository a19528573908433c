"""From requests to answers: faults, then who calls, then what they may do, then the state."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from uss.sandbox.azure.exceptions import (
    AzureError,
    ForbiddenError,
    ImdsError,
    InternalError,
    NotFoundError,
    ThrottledError,
    TokenError,
    UnauthorizedError,
)
from uss.sandbox.azure.identities import Identities
from uss.sandbox.azure.models import KeyVault, KeyVaults, Secret, Version
from uss.sandbox.azure.urls import Call, Door, read_call
from uss.sandbox.faults import FaultBoard, FaultKind
from uss.sandbox.wsgi import JSON, Response, hang_up, respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Content = dict[str, Any]

_GARBAGE = b'{"value": "\xff\xfe'
_RESOURCE = "https://vault.azure.net"
_ACTIONS = {
    "arm.resourceGroups.get": "Microsoft.Resources/subscriptions/resourceGroups/read",
    "arm.vaults.list": "Microsoft.KeyVault/vaults/read",
    "arm.vaults.get": "Microsoft.KeyVault/vaults/read",
    "arm.vaults.createOrUpdate": "Microsoft.KeyVault/vaults/write",
    "arm.vaults.delete": "Microsoft.KeyVault/vaults/delete",
    "arm.secrets.list": "Microsoft.KeyVault/vaults/secrets/read",
    "arm.secrets.get": "Microsoft.KeyVault/vaults/secrets/read",
    "arm.secrets.createOrUpdate": "Microsoft.KeyVault/vaults/secrets/write",
    "keyvault.getSecrets": "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
    "keyvault.getSecretVersions": "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
    "keyvault.setSecret": "Microsoft.KeyVault/vaults/secrets/setSecret/action",
    "keyvault.getSecret": "Microsoft.KeyVault/vaults/secrets/getSecret/action",
    "keyvault.deleteSecret": "Microsoft.KeyVault/vaults/secrets/delete",
    "keyvault.getDeletedSecrets": "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
    "keyvault.getDeletedSecret": "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
    "keyvault.purgeDeletedSecret": "Microsoft.KeyVault/vaults/secrets/purge/action",
    "keyvault.recoverDeletedSecret": "Microsoft.KeyVault/vaults/secrets/recover/action",
}


class Application:
    """The local Azure: one WSGI application for each door, on one state."""

    def __init__(self, state: KeyVaults, identities: Identities, faults: FaultBoard, url: Callable[[], str]) -> None:
        self._state = state
        self._identities = identities
        self._faults = faults
        self._url = url
        self.lock = threading.RLock()

    def door(self, door: Door, vault: str = "") -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
        """Return the WSGI application of a door; a vault's own port belongs to that vault."""

        def serve(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            call = read_call(environ, door, vault)
            fault = self._faults.meet("azure", call.operation)
            if door is Door.METADATA and not self._identities.on_azure():
                hang_up(environ)
            return respond(environ, start_response, fault, lambda kind: self._answer(call, kind), _GARBAGE)

        return serve

    def _answer(self, call: Call, kind: FaultKind | None) -> Response:
        try:
            if kind is FaultKind.DENIED:
                raise ForbiddenError(f"Action: '{_ACTIONS.get(call.operation, call.operation)}'", "Forbidden")
            if kind is FaultKind.THROTTLED:
                raise ThrottledError()
            if kind is FaultKind.ERROR:
                raise InternalError()
            with self.lock:
                answer = self._serve(call)
            return (204, (JSON,), b"") if answer is None else (200, (JSON,), json.dumps(answer).encode())
        except AzureError as error:
            return error.status, (JSON, *error.headers), error.body()

    def _serve(self, call: Call) -> Any:
        service, _, operation = call.operation.partition(".")
        if service == "metadata":
            return self._endpoints()
        if service == "entra":
            return self._entra(operation, call)
        if service == "imds":
            if not call.metadata:
                raise ImdsError("Required metadata header not specified", "invalid_request")
            return _token(self._identities.managed(call.query.get("client_id", "")), call.query.get("resource", ""))
        if service not in ("arm", "keyvault"):
            raise NotFoundError("The sandbox has no such method.")
        identity = self._identities.bearer(call.token)
        vault = self._state.vaults.get(call.names.get("vault", "").lower())
        if identity is None:
            raise UnauthorizedError(f"{self._url()}/{vault.tenant if vault else 'common'}", _RESOURCE)
        scope = "/".join(value for value in call.names.values() if value)
        self._identities.permit(identity, _ACTIONS[call.operation], scope, data=service == "keyvault")
        return self._arm(operation, call) if service == "arm" else self._key_vault(operation, call)

    def _endpoints(self) -> Any:
        url = self._url()
        login = {"loginEndpoint": f"{url}/", "audiences": [url], "tenant": "common", "identityProvider": "AAD"}
        suffixes = {"keyVaultDns": urlsplit(url).netloc}
        return [{"name": "AzureCloud", "resourceManager": url, "authentication": login, "suffixes": suffixes}]

    def _entra(self, operation: str, call: Call) -> Content:
        tenant = call.names["tenant"]
        base = f"{self._url()}/{tenant}"
        if operation == "configuration":
            return {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        form = {key: values[-1] for key, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            raise TokenError("AADSTS70003: The app requested an unsupported grant type.", "unsupported_grant_type")
        token = self._identities.client_secret(tenant, form.get("client_id", ""), form.get("client_secret", ""))
        return _token(token, form.get("scope", ""))

    def _arm(self, operation: str, call: Call) -> Content:
        subscription, group = call.names["subscription"], call.names["group"]
        self._check_group(subscription, group)
        if operation == "resourceGroups.get":
            return {"id": f"/subscriptions/{subscription}/resourceGroups/{group}", "name": group}
        if operation == "vaults.list":
            return {"value": [_vault(v) for v in self._state.vaults.values() if v.group.lower() == group.lower()]}
        if operation == "vaults.createOrUpdate":
            return _vault(self._state.put(subscription, group, call.names["vault"], _content(call)))
        vault = self._state.get(subscription, group, call.names["vault"])
        if operation == "vaults.get":
            return _vault(vault)
        if operation == "vaults.delete":
            self._state.delete(vault)
            return {}
        if operation == "secrets.list":
            return {"value": [_arm_secret(vault, secret, secret.versions[-1]) for secret in vault.secrets.values()]}
        if operation == "secrets.get":
            secret = vault.secret(call.names["secret"])
            return _arm_secret(vault, secret, secret.versions[-1])
        content = _content(call)
        return _arm_secret(
            vault, *vault.put(call.names["secret"], content.get("properties") or {}, content.get("tags") or {})
        )

    def _check_group(self, subscription: str, group: str) -> None:
        known = {(held.subscription, held.name.lower()) for held in self._identities.groups()}
        if (subscription, group.lower()) not in known:
            raise NotFoundError(f"Resource group '{group}' could not be found.", "ResourceGroupNotFound")

    def _key_vault(self, operation: str, call: Call) -> Content | None:
        vault = self._state.vaults.get(call.names["vault"].lower())
        if vault is None:
            raise NotFoundError(f"The key vault {call.names['vault']} was not found.", "VaultNotFound")
        if operation == "getSecrets":
            return {"value": [_item(vault, secret, secret.versions[-1]) for secret in vault.secrets.values()]}
        if operation == "getDeletedSecrets":
            return {"value": [_deleted(vault, secret) for secret in vault.deleted.values()]}
        name = call.names["secret"]
        if operation == "setSecret":
            content = _content(call)
            return _bundle(vault, *vault.put(name, content, content.get("tags") or {}))
        if operation == "getSecret":
            return _bundle(vault, *vault.version(name, call.names.get("version") or ""))
        if operation == "getSecretVersions":
            secret = vault.secret(name)
            return {"value": [_versioned(vault, secret, version) for version in secret.versions]}
        if operation == "deleteSecret":
            return _deleted(vault, vault.delete(name))
        if operation == "getDeletedSecret":
            return _deleted(vault, vault.deleted_secret(name))
        if operation == "recoverDeletedSecret":
            secret = vault.recover(name)
            return _item(vault, secret, secret.versions[-1])
        vault.purge(name)
        return None


def _content(call: Call) -> Content:
    try:
        content = json.loads(call.body or b"{}")
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise NotFoundError("The request content was invalid.", "InvalidRequestContent")
    return content


def _token(token: str, resource: str) -> Content:
    end = int(time.time()) + 3600
    return {
        "access_token": token,
        "expires_in": 3599,
        "expires_on": str(end),
        "resource": resource,
        "token_type": "Bearer",
    }


def _vault(vault: KeyVault) -> Content:
    properties = {**vault.properties, "vaultUri": vault.uri, "provisioningState": "Succeeded"}
    return {
        "id": vault.arm_id,
        "name": vault.name,
        "type": "Microsoft.KeyVault/vaults",
        "location": vault.location,
        "tags": vault.tags,
        "properties": properties,
    }


def _arm_secret(vault: KeyVault, secret: Secret, version: Version) -> Content:
    uri = f"{vault.uri.rstrip('/')}/secrets/{secret.name}"
    return {
        "id": f"{vault.arm_id}/secrets/{secret.name}",
        "name": secret.name,
        "type": "Microsoft.KeyVault/vaults/secrets",
        "location": vault.location,
        "tags": version.tags,
        "properties": {
            "contentType": version.content_type,
            "attributes": {"enabled": version.enabled, "created": version.created, "updated": version.created},
            "secretUri": uri,
            "secretUriWithVersion": f"{uri}/{version.version_id}",
        },
    }


def _item(vault: KeyVault, secret: Secret, version: Version) -> Content:
    return {
        "id": f"{vault.uri.rstrip('/')}/secrets/{secret.name}",
        "contentType": version.content_type,
        "tags": version.tags,
        "attributes": {"enabled": version.enabled, "created": version.created, "updated": version.created},
    }


def _versioned(vault: KeyVault, secret: Secret, version: Version) -> Content:
    item = _item(vault, secret, version)
    return item | {"id": f"{item['id']}/{version.version_id}"}


def _bundle(vault: KeyVault, secret: Secret, version: Version) -> Content:
    return _versioned(vault, secret, version) | {"value": version.value}


def _deleted(vault: KeyVault, secret: Secret) -> Content:
    now = int(time.time())
    uri = f"{vault.uri.rstrip('/')}/deletedsecrets/{secret.name}"
    return _versioned(vault, secret, secret.versions[-1]) | {
        "recoveryId": uri,
        "deletedDate": now,
        "scheduledPurgeDate": now + 90 * 86_400,
    }
