"""Which call a request is: from its method and path."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

_SECRETS = r"/v1/projects/(?P<project>[^/:]+)/secrets"
_SECRET = _SECRETS + r"/(?P<secret>[^/:]+)"
_VERSION = _SECRET + r"/versions/(?P<version>[^/:]+)"
_ROUTES = [
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
_COMPILED = [(method, re.compile(path), operation) for method, path, operation in _ROUTES]


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
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    operation, names = "unknown", {}
    for method, path, name in _COMPILED:
        match = path.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == method else None
        if match:
            operation, names = name, match.groupdict()
            break
    return Call(
        operation=operation,
        names=names,
        query={key: values[-1] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()},
        token=token if scheme == "Bearer" else None,
        body=body,
    )
