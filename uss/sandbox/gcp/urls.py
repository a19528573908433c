"""Which call a request is: from its method and path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from uss.sandbox.wsgi import Route, bearer_token, find_route, read_body, read_query

_SECRETS = r"/v1/projects/(?P<project>[^/:]+)/secrets"
_SECRET = _SECRETS + r"/(?P<secret>[^/:]+)"
_VERSION = _SECRET + r"/versions/(?P<version>[^/:]+)"
_ROUTES: list[Route] = [
    ("POST", r"/token", "oauth2.Token"),
    (
        "POST",
        r"/v1/projects/-/serviceAccounts/(?P<email>[^/:]+):generateAccessToken",
        "iamcredentials.GenerateAccessToken",
    ),
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
    """One call. `operation` is as the API names it, with the service before it."""

    operation: str
    names: dict[str, str]
    """The parts of the path."""
    query: dict[str, str]
    token: str | None = field(repr=False)
    body: bytes = field(repr=False)


def read_call(environ: dict[str, Any]) -> Call:
    """Read the call from a WSGI request; an operation that the sandbox lacks is `unknown`."""
    operation, names = find_route(environ, _ROUTES)
    return Call(
        operation=operation,
        names=names,
        query=read_query(environ),
        token=bearer_token(environ),
        body=read_body(environ),
    )
