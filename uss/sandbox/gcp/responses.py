"""From requests to answers: faults, then who calls, then what they may do, then the state."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import google_crc32c

from uss.sandbox.faults import FaultBoard, FaultKind
from uss.sandbox.gcp.exceptions import (
    GcpError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
)
from uss.sandbox.gcp.identities import Identities
from uss.sandbox.gcp.models import Secret, SecretManager, State, Version
from uss.sandbox.gcp.urls import Call, read_call
from uss.sandbox.wsgi import JSON, Response, respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Content = dict[str, Any]

_GARBAGE = b'{"name": "\xff\xfe'
_PAGE = 250
_STANDARD_ALPHABET = str.maketrans("-_", "+/")
_PERMISSIONS = {
    "CreateSecret": "secretmanager.secrets.create",
    "ListSecrets": "secretmanager.secrets.list",
    "GetSecret": "secretmanager.secrets.get",
    "UpdateSecret": "secretmanager.secrets.update",
    "DeleteSecret": "secretmanager.secrets.delete",
    "AddSecretVersion": "secretmanager.versions.add",
    "ListSecretVersions": "secretmanager.versions.list",
    "GetSecretVersion": "secretmanager.versions.get",
    "AccessSecretVersion": "secretmanager.versions.access",
    "EnableSecretVersion": "secretmanager.versions.enable",
    "DisableSecretVersion": "secretmanager.versions.disable",
    "DestroySecretVersion": "secretmanager.versions.destroy",
}
_STATES = {
    "EnableSecretVersion": State.ENABLED,
    "DisableSecretVersion": State.DISABLED,
    "DestroySecretVersion": State.DESTROYED,
}


class Application:
    """The WSGI application of the local GCP."""

    def __init__(
        self, state: SecretManager, identities: Identities, faults: FaultBoard, url: Callable[[], str]
    ) -> None:
        self._state = state
        self._identities = identities
        self._faults = faults
        self._url = url
        self.lock = threading.RLock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        call = read_call(environ)
        fault = self._faults.meet("gcp", call.operation)
        return respond(environ, start_response, fault, lambda kind: self._answer(call, kind), _GARBAGE)

    def _answer(self, call: Call, kind: FaultKind | None) -> Response:
        try:
            if kind is FaultKind.DENIED:
                raise PermissionDeniedError(
                    _PERMISSIONS.get(call.operation.partition(".")[2], call.operation), "asked for"
                )
            if kind is FaultKind.THROTTLED:
                raise ResourceExhaustedError()
            if kind is FaultKind.ERROR:
                raise InternalError()
            with self.lock:
                return 200, (JSON,), json.dumps(self._serve(call)).encode()
        except GcpError as error:
            return error.status, (JSON, *error.headers), error.body()

    def _serve(self, call: Call) -> Content:
        service, _, operation = call.operation.partition(".")
        if service == "oauth2":
            return self._token(call)
        caller = self._identities.bearer(call.token)
        if service == "iamcredentials":
            return self._impersonate(caller, call.names["email"])
        if service != "secretmanager":
            raise NotFoundError("The sandbox has no such method.")
        project = call.names["project"]
        resource = "/".join(["projects", project, "secrets", *filter(None, [call.names.get("secret")])])
        self._identities.permit(caller, _PERMISSIONS[operation], project, resource)
        return self._secret_manager(operation, call, project)

    def _token(self, call: Call) -> Content:
        form = parse_qs(call.body.decode("ascii", "replace"))
        token = self._identities.exchange(form.get("assertion", [""])[-1], f"{self._url()}/token")
        return {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def _impersonate(self, caller: str, email: str) -> Content:
        token = self._identities.impersonate(caller, email)
        end = datetime.now(UTC) + timedelta(hours=1)
        return {"accessToken": token, "expireTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _secret_manager(self, operation: str, call: Call, project: str) -> Content:
        if operation == "CreateSecret":
            return _secret(self._state.create(project, call.query.get("secretId", ""), _content(call)))
        if operation == "ListSecrets":
            return _page("secrets", [_secret(s) for s in self._state.list(project, call.query.get("filter", ""))], call)
        secret = self._state.get(project, call.names["secret"])
        if operation == "GetSecret":
            return _secret(secret)
        if operation == "UpdateSecret":
            mask = {_camel(field) for field in call.query.get("updateMask", "").split(",") if field}
            self._state.update(secret, _content(call), mask)
            return _secret(secret)
        if operation == "DeleteSecret":
            self._state.delete(secret)
            return {}
        return self._versions(operation, call, secret)

    def _versions(self, operation: str, call: Call, secret: Secret) -> Content:
        if operation == "AddSecretVersion":
            return _version(secret, self._state.add_version(secret, _payload(call)))
        if operation == "ListSecretVersions":
            return _page("versions", [_version(secret, version) for version in reversed(secret.versions)], call)
        version = self._state.version(secret, call.names["version"])
        if operation == "AccessSecretVersion":
            data = self._state.access(secret, version)
            payload = {"data": base64.b64encode(data).decode(), "dataCrc32c": str(google_crc32c.value(data))}
            return {"name": f"{secret.name}/versions/{version.number}", "payload": payload}
        if operation in _STATES:
            self._state.set_state(secret, version, _STATES[operation])
        return _version(secret, version)


def _content(call: Call) -> Content:
    try:
        content = json.loads(call.body or b"{}")
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise InvalidArgumentError("Invalid JSON payload received.")
    return content


def _payload(call: Call) -> bytes:
    payload = _content(call).get("payload") or {}
    # Google's clients may send either alphabet.
    data = base64.b64decode((payload.get("data") or "").translate(_STANDARD_ALPHABET))
    if payload.get("dataCrc32c") not in (None, str(google_crc32c.value(data))):
        raise InvalidArgumentError("The checksum of the payload does not match its data.")
    return data


def _page(key: str, entries: list[Content], call: Call) -> Content:
    start = int(call.query.get("pageToken") or 0)
    size = min(int(call.query.get("pageSize") or _PAGE), _PAGE)
    answer: Content = {key: entries[start : start + size], "totalSize": len(entries)}
    return answer | ({"nextPageToken": str(start + size)} if start + size < len(entries) else {})


def _secret(secret: Secret) -> Content:
    return {
        "name": secret.name,
        "replication": secret.replication,
        "createTime": secret.created,
        "labels": secret.labels,
        "annotations": secret.annotations,
    }


def _version(secret: Secret, version: Version) -> Content:
    return {
        "name": f"{secret.name}/versions/{version.number}",
        "state": version.state.value,
        "createTime": version.created,
    }


def _camel(field: str) -> str:
    head, *tail = field.split("_")
    return head + "".join(part.title() for part in tail)
