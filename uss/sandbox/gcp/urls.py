"""Which call a request is: the routes of the three services, whatever host they are asked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from uss.sandbox.gcp.exceptions import InvalidArgumentError
from uss.sandbox.wsgi import Route, bearer_token, find_route, read_body, read_query

TOKEN = "oauth2.Token"  # noqa: S105  the operation's name
EXCHANGE = "sts.Token"  # noqa: S105  the same
GENERATE = "iamcredentials.GenerateAccessToken"

_MAPS = frozenset({"labels", "annotations", "versionAliases"})

_SECRETS = r"/v1/projects/(?P<project>[^/:]+)/secrets"
_SECRET = _SECRETS + r"/(?P<secret>[^/:]+)"
_VERSION = _SECRET + r"/versions/(?P<version>[^/:]+)"
_ROUTES: list[Route] = [
    ("POST", r"/token", TOKEN),
    ("POST", r"/v1/token", EXCHANGE),
    ("POST", r"/v1/projects/-/serviceAccounts/(?P<account>[^/:]+):generateAccessToken", GENERATE),
    ("POST", _SECRETS, "secretmanager.CreateSecret"),
    ("GET", _SECRETS, "secretmanager.ListSecrets"),
    ("GET", _SECRET, "secretmanager.GetSecret"),
    ("PATCH", _SECRET, "secretmanager.UpdateSecret"),
    ("DELETE", _SECRET, "secretmanager.DeleteSecret"),
    ("POST", _SECRET + ":addVersion", "secretmanager.AddSecretVersion"),
    ("GET", _SECRET + "/versions", "secretmanager.ListSecretVersions"),
    ("GET", _VERSION, "secretmanager.GetSecretVersion"),
    ("GET", _VERSION + ":access", "secretmanager.AccessSecretVersion"),
    ("POST", _VERSION + ":enable", "secretmanager.EnableSecretVersion"),
    ("POST", _VERSION + ":disable", "secretmanager.DisableSecretVersion"),
    ("POST", _VERSION + ":destroy", "secretmanager.DestroySecretVersion"),
]


@dataclass(frozen=True)
class Call:
    """One call of a service."""

    operation: str
    """The service and its method, `secretmanager.CreateSecret`; `unknown` where the sandbox has no such method."""
    names: Mapping[str, str]
    """The parts of the resource's name that the path holds: project, secret, version, account."""
    parameters: Mapping[str, str]
    token: str | None = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def service(self) -> str:
        """The service's own name, `secretmanager.googleapis.com`."""
        return f"{self.operation.partition('.')[0]}.googleapis.com"

    @property
    def method(self) -> str:
        """The method's name, `CreateSecret`."""
        return self.operation.partition(".")[2]

    @property
    def resource(self) -> str:
        """The resource's name as the caller writes it, `projects/P/secrets/S/versions/V`."""
        kinds = {"project": "projects", "secret": "secrets", "version": "versions"}
        return "/".join(f"{kinds[kind]}/{name}" for kind, name in self.names.items())

    def content(self) -> dict[str, Any]:
        """Return the body, a JSON object, without what is null; raise `InvalidArgumentError` when it is none."""
        try:
            content = json.loads(self.body or b"{}")
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise InvalidArgumentError("Invalid JSON payload received. Expected an object.")
        return _present(content)

    def form(self) -> dict[str, str]:
        """Return the body, a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))


def _present(message: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the fields that are null, which for a message is as if they were not given (ProtoJSON)."""
    return {name: _value(name, value) for name, value in message.items() if value is not None}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_value(name, entry) for entry in value]
    # In a map an entry that is null is a fault.
    return _present(value) if isinstance(value, dict) and name not in _MAPS else value


def read_call(environ: dict[str, Any]) -> Call:
    """Read the call from a WSGI request."""
    operation, names = find_route(environ, _ROUTES)
    return Call(
        operation=operation,
        names=names,
        parameters=read_query(environ),
        token=bearer_token(environ),
        body=read_body(environ),
    )
