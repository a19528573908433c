"""What a key vault's own endpoint answers, in the shape of Key Vault's REST reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from uss.sandbox.azure.exceptions import KeyVaultError, reply
from uss.sandbox.azure.identities import Identity
from uss.sandbox.azure.models import KeyVault
from uss.sandbox.azure.secrets import Secret, Version, parse_content
from uss.sandbox.azure.urls import Call
from uss.sandbox.wsgi import Response

_PAGE = 25
# What an access policy must allow, by operation.
_PERMISSIONS = {
    "getSecrets": "list",
    "setSecret": "set",
    "deleteSecret": "delete",
    "getSecretVersions": "list",
    "getSecret": "get",
    "updateSecret": "set",
    "getDeletedSecrets": "list",
    "getDeletedSecret": "get",
    "purgeDeletedSecret": "purge",
    "recoverDeletedSecret": "recover",
}


def check_rights(vault: KeyVault, call: Call, caller: Identity, *, denied: bool) -> None:
    """Raise Key Vault's refusal, which names what is missing, unless the caller may do what it asks.

    The sandbox's own administrator, who reads back what landed, is kept out by nothing.
    """
    if vault.closed and not caller.is_administrator:
        raise KeyVaultError(
            403,
            "Forbidden",
            "Public network access is disabled and request is not from a trusted service nor via an approved private "
            f"link.\r\nCaller: appid={caller.client_id};oid={caller.principal_id}\r\nVault: "
            f"{vault.name};location={vault.location}",
            inner="ForbiddenByConnection",
        )
    name = call.names.get("secret")
    resource = vault.id.lower() + (f"/secrets/{name.lower()}" if name else "")
    permission = _PERMISSIONS[call.operation]
    by_policy = vault.policy_allows(caller.principal_id, permission)
    allowed = caller.may(call.action, resource) if by_policy is None else by_policy
    if not denied and (allowed or caller.is_administrator):
        return
    who = f"appid={caller.client_id};oid={caller.principal_id};iss=https://sts.windows.net/{caller.tenant}/"
    if by_policy is not None:
        raise KeyVaultError(
            403,
            "Forbidden",
            f"The user, group or application '{who}' does not have secrets {permission} permission on key vault "
            f"'{vault.name};location={vault.location}'.",
            inner="AccessDenied",
        )
    raise KeyVaultError(
        403,
        "Forbidden",
        "Caller is not authorized to perform action on resource.\r\n"
        "If role assignments, deny assignments or role definitions were changed recently, please observe propagation "
        "time.\r\n"
        f"Caller: {who}\r\n"
        f"Action: '{call.action}'\r\n"
        f"Resource: '{resource}'\r\n"
        "Assignment: (not found)\r\n"
        "DenyAssignmentId: null\r\n"
        "DecisionReason: null \r\n"
        f"Vault: {vault.name};location={vault.location}\r\n",
        inner="ForbiddenByRbac",
    )


def get_secret(vault: KeyVault, call: Call) -> Response:
    """Show a version with its value; the newest where none is named."""
    secret = vault.secrets.live(call.names["secret"])
    version = secret.version(call.names.get("version", ""))
    if not version.enabled:
        raise KeyVaultError(
            403, "Forbidden", "Operation get is not allowed on a disabled secret.", inner="SecretDisabled"
        )
    return reply(_bundle(vault, secret, version) | {"value": version.value})


def set_secret(vault: KeyVault, call: Call) -> Response:
    """Make a new version, and the secret if there is none."""
    secret = vault.secrets.write(call.names["secret"], parse_content(call.content))
    return reply(_bundle(vault, secret, secret.current) | {"value": secret.current.value})


def update_secret(vault: KeyVault, call: Call) -> Response:
    """Change what is said of a version; its value stays."""
    secret = vault.secrets.live(call.names["secret"])
    version = secret.version(call.names.get("version", ""))
    version.change(parse_content(call.content))
    return reply(_bundle(vault, secret, version))


def list_secrets(vault: KeyVault, call: Call) -> Response:
    """List the secrets, without values."""
    return _page(vault, call, [_item(vault, secret) for secret in vault.secrets.all(deleted=False)])


def list_versions(vault: KeyVault, call: Call) -> Response:
    """List the versions of a secret, without values."""
    secret = vault.secrets.live(call.names["secret"])
    return _page(vault, call, [_bundle(vault, secret, version) for version in secret.versions])


def delete_secret(vault: KeyVault, call: Call) -> Response:
    """Delete a secret; it can be recovered."""
    return reply(_deleted(vault, vault.secrets.delete(call.names["secret"])))


def get_deleted(vault: KeyVault, call: Call) -> Response:
    """Show a deleted secret."""
    return reply(_deleted(vault, vault.secrets.deleted(call.names["secret"])))


def list_deleted(vault: KeyVault, call: Call) -> Response:
    """List the deleted secrets."""
    items = [_deleted(vault, secret) for secret in vault.secrets.all(deleted=True)]
    return _page(vault, call, [item | {"id": item["id"].rpartition("/")[0]} for item in items])


def recover_deleted(vault: KeyVault, call: Call) -> Response:
    """Bring a deleted secret back."""
    secret = vault.secrets.recover(call.names["secret"])
    return reply(_bundle(vault, secret, secret.current))


def purge_deleted(vault: KeyVault, call: Call) -> Response:
    """Remove a deleted secret for good."""
    vault.secrets.purge(call.names["secret"], protected=vault.purge_protected)
    return reply(status=204)


HANDLERS: dict[str, Callable[[KeyVault, Call], Response]] = {
    "getSecrets": list_secrets,
    "setSecret": set_secret,
    "deleteSecret": delete_secret,
    "getSecretVersions": list_versions,
    "getSecret": get_secret,
    "updateSecret": update_secret,
    "getDeletedSecrets": list_deleted,
    "getDeletedSecret": get_deleted,
    "purgeDeletedSecret": purge_deleted,
    "recoverDeletedSecret": recover_deleted,
}


def _bundle(vault: KeyVault, secret: Secret, version: Version) -> dict[str, Any]:
    level = "Recoverable" if vault.purge_protected else "Recoverable+Purgeable"
    recovery = {"recoveryLevel": level, "recoverableDays": vault.secrets.retention_days}
    shown: dict[str, Any] = {
        "id": f"{vault.uri}/secrets/{secret.name}/{version.id}",
        "attributes": version.attributes() | recovery,
        "tags": version.tags,
    }
    return shown if version.content_type is None else shown | {"contentType": version.content_type}


def _item(vault: KeyVault, secret: Secret) -> dict[str, Any]:
    return _bundle(vault, secret, secret.current) | {"id": f"{vault.uri}/secrets/{secret.name}"}


def _deleted(vault: KeyVault, secret: Secret) -> dict[str, Any]:
    deleted = secret.deleted or 0
    return _bundle(vault, secret, secret.current) | {
        "recoveryId": f"{vault.uri}/deletedsecrets/{secret.name}",
        "deletedDate": deleted,
        "scheduledPurgeDate": vault.secrets.purge_date(deleted),
    }


def _page(vault: KeyVault, call: Call, items: list[dict[str, Any]]) -> Response:
    query = call.query
    start, size = _number(query.get("$skiptoken"), 0), min(_number(query.get("maxresults"), _PAGE), _PAGE)
    following = None
    if start + size < len(items):
        asked = query | {"$skiptoken": str(start + size)}
        following = f"{vault.uri}{call.path}?{urlencode(asked)}"
    return reply({"value": items[start : start + size], "nextLink": following})


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
