"""Which call a request is: from its method, its path, and the door that it came in by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import parse_qs


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
_ROUTES: dict[Door, list[tuple[str, str, str]]] = {
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
_COMPILED = {
    door: [(method, re.compile(path), operation) for method, path, operation in routes]
    for door, routes in _ROUTES.items()
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
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    operation, names = "unknown", {}
    for method, path, name in _COMPILED[door]:
        match = path.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == method else None
        if match:
            operation, names = name, match.groupdict()
            break
    return Call(
        operation=operation,
        names=names | ({"vault": vault} if vault else {}),
        query={key: values[-1] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()},
        metadata=environ.get("HTTP_METADATA", "").lower() == "true",
        token=token if scheme == "Bearer" else None,
        body=body,
    )
