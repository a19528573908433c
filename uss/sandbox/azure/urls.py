"""Which call a request is: from its method, its path, and the door that it came in by.

An operation is named by its service and what that calls it: `arm.secrets.createOrUpdate`, `keyvault.setSecret`,
`entra.token`, `imds.token`, `metadata.endpoints`. A client's first request of a key vault has no token, to learn where
it gets one: that is `keyvault.challenge`, whatever it asks for.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl

from uss.sandbox.wsgi import Route, bearer_token, find_route, read_body, read_query


class Door(Enum):
    """Ports: one for Azure Resource Manager and Entra ID, one for the metadata service, one for each key vault."""

    MANAGEMENT = "management"
    METADATA = "metadata"
    VAULT = "vault"


_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUPS = _SUBSCRIPTION + "/resourceGroups"
_GROUP = _GROUPS + "/{group}"
_PROVIDER = "/providers/Microsoft.KeyVault"
_ALL = _SUBSCRIPTION + _PROVIDER
_VAULTS = _GROUP + _PROVIDER + "/vaults"
_VAULT = _VAULTS + "/{vault}"
_ARM_SECRETS = _VAULT + "/secrets"
_ARM_SECRET = _ARM_SECRETS + "/{secret}"
_DELETED_VAULT = _ALL + "/locations/{location}/deletedVaults/{vault}"
_SECRET = "/secrets/{secret}"  # noqa: S105 - a path
_VERSION = _SECRET + "(/(?P<version>[^/]+))?"
_DELETED = "/deletedsecrets/{secret}"
_KV = "Microsoft.KeyVault"
_DATA = f"{_KV}/vaults/secrets"
_READ_VAULTS = f"{_KV}/vaults/read"
_READ_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups/read"

# Method, path ({name} stands for one part), operation, and the action that the caller must be allowed.
_Row = tuple[str, str, str, str]
_TABLE: dict[Door, tuple[_Row, ...]] = {
    Door.MANAGEMENT: (
        ("GET", "/metadata/endpoints", "metadata.endpoints", ""),
        ("GET", "/sandbox/vaults/{vault}", "metadata.resolveVault", ""),
        ("GET", "/{tenant}/v2.0/.well-known/openid-configuration", "entra.configuration", ""),
        ("POST", "/{tenant}/oauth2/v2.0/token", "entra.token", ""),
        ("GET", _GROUPS, "arm.resourceGroups.list", _READ_GROUPS),
        ("GET", _GROUP, "arm.resourceGroups.get", _READ_GROUPS),
        ("HEAD", _GROUP, "arm.resourceGroups.checkExistence", _READ_GROUPS),
        ("GET", f"{_SUBSCRIPTION}/resources", "arm.resources.list", _READ_VAULTS),
        ("GET", _VAULTS, "arm.vaults.list", _READ_VAULTS),
        ("GET", _ALL + "/vaults", "arm.vaults.listBySubscription", _READ_VAULTS),
        ("GET", _VAULT, "arm.vaults.get", _READ_VAULTS),
        ("PUT", _VAULT, "arm.vaults.createOrUpdate", f"{_KV}/vaults/write"),
        ("PATCH", _VAULT, "arm.vaults.update", f"{_KV}/vaults/write"),
        ("DELETE", _VAULT, "arm.vaults.delete", f"{_KV}/vaults/delete"),
        ("GET", _ALL + "/deletedVaults", "arm.vaults.listDeleted", f"{_KV}/deletedVaults/read"),
        ("GET", _DELETED_VAULT, "arm.vaults.getDeleted", f"{_KV}/locations/deletedVaults/read"),
        ("POST", _DELETED_VAULT + "/purge", "arm.vaults.purgeDeleted", f"{_KV}/locations/deletedVaults/purge/action"),
        ("GET", _ARM_SECRETS, "arm.secrets.list", f"{_DATA}/read"),
        ("GET", _ARM_SECRET, "arm.secrets.get", f"{_DATA}/read"),
        ("PUT", _ARM_SECRET, "arm.secrets.createOrUpdate", f"{_DATA}/write"),
        ("PATCH", _ARM_SECRET, "arm.secrets.update", f"{_DATA}/write"),
    ),
    Door.METADATA: (("GET", "/metadata/identity/oauth2/token", "imds.token", ""),),
    Door.VAULT: (
        ("GET", "/secrets", "keyvault.getSecrets", f"{_DATA}/readMetadata/action"),
        ("PUT", _SECRET, "keyvault.setSecret", f"{_DATA}/setSecret/action"),
        ("DELETE", _SECRET, "keyvault.deleteSecret", f"{_DATA}/delete"),
        ("GET", _SECRET + "/versions", "keyvault.getSecretVersions", f"{_DATA}/readMetadata/action"),
        ("GET", _VERSION, "keyvault.getSecret", f"{_DATA}/getSecret/action"),
        ("PATCH", _VERSION, "keyvault.updateSecret", f"{_DATA}/update/action"),
        ("GET", "/deletedsecrets", "keyvault.getDeletedSecrets", f"{_DATA}/readMetadata/action"),
        ("GET", _DELETED, "keyvault.getDeletedSecret", f"{_DATA}/readMetadata/action"),
        ("DELETE", _DELETED, "keyvault.purgeDeletedSecret", f"{_DATA}/purge/action"),
        ("POST", _DELETED + "/recover", "keyvault.recoverDeletedSecret", f"{_DATA}/recover/action"),
    ),
}


def _route(method: str, path: str, operation: str) -> Route:
    # Types are compared without case, as Resource Manager does, and a slash at the end says nothing.
    return method, "(?i)" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "/?", operation


_ROUTES = {door: [_route(*row[:3]) for row in rows] for door, rows in _TABLE.items()}
_ACTIONS = {operation: action for rows in _TABLE.values() for _, _, operation, action in rows}


@dataclass(frozen=True)
class Call:
    """One call."""

    service: str
    """`arm`, `keyvault`, `entra`, `imds` or `metadata`; `unknown` for an operation that the sandbox lacks."""
    operation: str
    """What the service calls the operation."""
    name: str
    """Both, for faults and counters."""
    method: str
    path: str
    names: dict[str, str]
    """The parts of the path."""
    query: dict[str, str]
    metadata: bool
    """Whether the header is there that the metadata service wants."""
    token: str | None = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def action(self) -> str:
        """What the caller must be allowed to do."""
        return _ACTIONS[f"{self.service}.{self.operation}"]

    @property
    def content(self) -> dict[str, Any]:
        """The body as a JSON object; empty for anything else."""
        try:
            content = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


def read_call(environ: dict[str, Any], door: Door) -> Call:
    """Read the call from a WSGI request."""
    found, names = find_route(environ, _ROUTES[door])
    service, _, operation = found.partition(".")
    token = bearer_token(environ)
    return Call(
        service=service,
        operation=operation,
        name="keyvault.challenge" if service == "keyvault" and not token else found,
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"].rstrip("/"),
        names={name: value for name, value in names.items() if value is not None},
        query=read_query(environ),
        metadata=environ.get("HTTP_METADATA", "").lower() == "true",
        token=token,
        body=read_body(environ),
    )
