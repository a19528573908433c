"""Which call a request is: from its method, its path, and the door that it came in by."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from uss.sandbox.wsgi import Route, bearer_token, find_route, read_body, read_query


class Door(Enum):
    """Ports: one for Azure Resource Manager and Entra ID, one for the metadata service, one for each key vault."""

    MANAGEMENT = "management"
    METADATA = "metadata"
    VAULT = "vault"


_GROUP = r"/subscriptions/(?P<subscription>[^/]+)/resource[gG]roups/(?P<group>[^/]+)"
_VAULTS = _GROUP + r"/providers/Microsoft\.KeyVault/vaults"
_VAULT = _VAULTS + r"/(?P<vault>[^/]+)"
_ARM_SECRET = _VAULT + r"/secrets/(?P<secret>[^/]+)"
_SECRET = r"/secrets/(?P<secret>[^/]+)"  # noqa: S105 - a path
_DELETED = r"/deletedsecrets/(?P<secret>[^/]+)"
_ROUTES: dict[Door, list[Route]] = {
    Door.MANAGEMENT: [
        ("GET", r"/metadata/endpoints", "metadata.endpoints"),
        ("GET", r"/(?P<tenant>[^/]+)/v2\.0/\.well-known/openid-configuration", "entra.configuration"),
        ("POST", r"/(?P<tenant>[^/]+)/oauth2/v2\.0/token", "entra.token"),
        ("GET", _GROUP, "arm.resourceGroups.get"),
        ("GET", _VAULTS, "arm.vaults.list"),
        ("GET", _VAULT, "arm.vaults.get"),
        ("PUT", _VAULT, "arm.vaults.createOrUpdate"),
        ("DELETE", _VAULT, "arm.vaults.delete"),
        ("GET", _VAULT + "/secrets", "arm.secrets.list"),
        ("GET", _ARM_SECRET, "arm.secrets.get"),
        ("PUT", _ARM_SECRET, "arm.secrets.createOrUpdate"),
    ],
    Door.METADATA: [("GET", r"/metadata/identity/oauth2/token", "imds.token")],
    Door.VAULT: [
        ("GET", r"/secrets/?", "keyvault.getSecrets"),
        ("PUT", _SECRET, "keyvault.setSecret"),
        ("DELETE", _SECRET, "keyvault.deleteSecret"),
        ("GET", _SECRET + "/versions", "keyvault.getSecretVersions"),
        ("GET", _SECRET + r"/?(?P<version>[0-9a-f]*)", "keyvault.getSecret"),
        ("GET", r"/deletedsecrets/?", "keyvault.getDeletedSecrets"),
        ("GET", _DELETED, "keyvault.getDeletedSecret"),
        ("DELETE", _DELETED, "keyvault.purgeDeletedSecret"),
        ("POST", _DELETED + "/recover", "keyvault.recoverDeletedSecret"),
    ],
}


@dataclass(frozen=True)
class Call:
    """One call. `operation` is the service and what it calls the operation."""

    operation: str
    names: dict[str, str]
    """The parts of the path; for a call at a vault's own port, the vault too."""
    query: dict[str, str]
    metadata: bool
    """Whether the header is there that the metadata service wants."""
    token: str | None = field(repr=False)
    body: bytes = field(repr=False)


def read_call(environ: dict[str, Any], door: Door, vault: str = "") -> Call:
    """Read the call from a WSGI request; an operation that the sandbox lacks is `unknown`."""
    operation, names = find_route(environ, _ROUTES[door])
    return Call(
        operation=operation,
        names=names | ({"vault": vault} if vault else {}),
        query=read_query(environ),
        metadata=environ.get("HTTP_METADATA", "").lower() == "true",
        token=bearer_token(environ),
        body=read_body(environ),
    )
