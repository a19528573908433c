"""Which call a request is: read from its target, its form and its signature's scope, never from the host."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from uss.sandbox.wsgi import read_body

SERVICES = frozenset({"secretsmanager", "sts", "iam"})
"""The services that the sandbox has; other parts of moto's server stay closed."""

_SCOPE = re.compile(r"Credential=(?P<key>[^/\s]+)/\d{8}/(?P<region>[^/\s]+)/(?P<service>[^/\s]+)/aws4_request")


@dataclass(frozen=True)
class Call:
    """One call of an AWS API."""

    service: str
    operation: str
    as_json: bool
    """Whether the JSON protocol is spoken; the query protocol otherwise."""
    region: str
    access_key_id: str | None
    """Who says to call; None when the request is not signed."""
    parameters: Mapping[str, Any] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def action(self) -> str:
        """The operation as IAM names it, `secretsmanager:CreateSecret`."""
        return f"{self.service}:{self.operation}"

    def text(self, name: str) -> str | None:
        """Return a parameter that is text, or None when it is absent."""
        value = self.parameters.get(name)
        return value if isinstance(value, str) else None


def read_call(environ: dict[str, Any]) -> Call:
    """Read the call from a WSGI request, whose body can be read again afterwards."""
    body = _body(environ)
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        service, _, operation = target.partition(".")
        parameters = _json_object(body)
    else:
        parameters = dict(parse_qsl(body.decode("utf-8", "replace") or environ.get("QUERY_STRING", "")))
        operation = parameters.get("Action", "")
        service = scope["service"] if scope else "sts"
    return Call(
        service=service,
        operation=operation,
        as_json=bool(target),
        region=scope["region"] if scope else "us-east-1",
        access_key_id=scope["key"] if scope else None,
        parameters=parameters,
        body=body,
    )


def _body(environ: dict[str, Any]) -> bytes:
    body = read_body(environ)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
