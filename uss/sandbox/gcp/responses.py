"""What goes on the wire: a fault that was asked for, else who calls, what they may do, and what they get."""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import google_crc32c

from uss.sandbox.faults import Fault, FaultBoard, FaultKind
from uss.sandbox.gcp import iamcredentials, oauth, sts
from uss.sandbox.gcp.exceptions import (
    DeniedError,
    InsufficientScopeError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    OAuthError,
    RefusalError,
    ThrottledError,
    UnauthenticatedError,
)
from uss.sandbox.gcp.filters import matcher
from uss.sandbox.gcp.identities import CLOUD_PLATFORM, Account, Grant, Identities, Project, Tokens
from uss.sandbox.gcp.models import Secret, SecretManager, State, Version
from uss.sandbox.gcp.quotas import Quotas, kind_of
from uss.sandbox.gcp.urls import EXCHANGE, GENERATE, TOKEN, Call, read_call
from uss.sandbox.wsgi import JSON, Response, respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

_LARGEST_PAGE = 25_000
_GARBAGE = b'{"name": "\xff\xfe'
"""Neither UTF-8 nor JSON."""
_GENERATE = "iamcredentials:GenerateAccessToken"
_READS = re.compile(r"secretmanager.(Get|List)")
_ACCESS = "secretmanager.AccessSecretVersion"


class Application:
    """The three services as one WSGI application. Safe across threads."""

    def __init__(
        self,
        identities: Identities,
        secrets: SecretManager,
        faults: FaultBoard,
        url: str,
        clock: Callable[[], float],
    ) -> None:
        self._identities = identities
        self._tokens = Tokens(clock)
        self._quotas = Quotas(identities.quotas, clock)
        self._secrets = secrets
        self._faults = faults
        self._url = url
        self._clock = clock
        self.lock = threading.RLock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        """Answer a request."""
        call = read_call(environ)
        fault = self._faults.meet("gcp", call.operation)
        return respond(environ, start_response, fault, lambda _: self._answer(call, fault), _GARBAGE)

    def _answer(self, call: Call, fault: Fault | None) -> Response:
        try:
            _refuse(call, fault)
            with self.lock:
                return 200, (JSON,), json.dumps(self._serve(call)).encode()
        except RefusalError as error:
            return error.status, (JSON, *error.headers), error.body()
        except Exception:  # noqa: BLE001  a fault of ours is the service's own error, without a value it may hold
            return 500, (JSON,), InternalError().body()

    def _serve(self, call: Call) -> Mapping[str, Any]:
        if call.operation == TOKEN:
            return oauth.exchange(call.form(), self._identities, self._tokens, f"{self._url}/token", self._clock())
        if call.operation == EXCHANGE:
            return sts.exchange(call.form(), self._identities, self._tokens)
        if call.operation not in (GENERATE, *_METHODS):
            raise NotFoundError("Method not found: the sandbox has no such method.")
        grant = self._grant(call)
        account = self._identities.account(grant.email)
        if account is None:
            raise UnauthenticatedError()
        if call.operation == GENERATE:
            return iamcredentials.generate_access_token(
                call, account, grant, self._identities, self._tokens, self._clock()
            )
        return self._serve_secret(call, account, grant)

    def _grant(self, call: Call) -> Grant:
        token = call.token or ""
        if token.count(".") == 2 and not token.startswith("ya29."):
            audiences = frozenset({f"https://{call.service}/", f"{self._url}/"})
            return oauth.self_signed(token, self._identities, audiences, self._clock())
        return self._tokens.grant(token)

    def _serve_secret(self, call: Call, account: Account, grant: Grant) -> Mapping[str, Any]:
        if CLOUD_PLATFORM not in grant.scopes:
            raise InsufficientScopeError(call.service)
        project = self._identities.project(call.names["project"], call.service)
        self._quotas.spend(project.id, call.service, call.method)
        permission, method = _METHODS[call.operation]
        self._identities.permit(account, f"secretmanager.{permission}", project, call.resource)
        return method(self._secrets, call, project)


def _refuse(call: Call, fault: Fault | None) -> None:
    """Raise the refusal that a fault stands for, if it stands for one."""
    if fault is None or fault.kind not in (FaultKind.DENIED, FaultKind.THROTTLED, FaultKind.ERROR):
        return
    if call.operation in (TOKEN, EXCHANGE):
        raise {
            FaultKind.DENIED: OAuthError("access_denied", "Account restricted", 403),
            FaultKind.THROTTLED: OAuthError("rate_limit_exceeded", "Rate limit exceeded", 429),
            FaultKind.ERROR: OAuthError("internal_failure", "Internal error encountered.", 500),
        }[fault.kind]
    if fault.kind is FaultKind.ERROR:
        raise InternalError()
    if fault.kind is FaultKind.THROTTLED:
        raise ThrottledError(call.service, kind_of(call.method), fault.seconds)
    if call.operation == GENERATE:
        raise DeniedError("iam.serviceAccounts.getAccessToken")
    permission = _METHODS[call.operation][0] if call.operation in _METHODS else "unknown"
    raise DeniedError(f"secretmanager.{permission}", call.resource)


def _create_secret(secrets: SecretManager, call: Call, project: Project) -> Mapping[str, Any]:
    return secrets.create(project, call.parameters.get("secretId", ""), call.content()).describe()


def _get_secret(secrets: SecretManager, call: Call, project: Project) -> Mapping[str, Any]:
    return secrets.get(project, call.names["secret"]).describe()


def _list_secrets(secrets: SecretManager, call: Call, project: Project) -> Mapping[str, Any]:
    wanted = matcher(call.parameters.get("filter", ""))
    found = [secret.describe() for secret in secrets.of(project) if wanted(_secret_fields(secret))]
    return _page("secrets", found, call)


def _secret_fields(secret: Secret) -> dict[str, Any]:
    locations = secret.replication.locations
    kind = "automatic" if locations is None else "userManaged"
    return {
        "name": secret.name,
        "labels": secret.labels,
        "annotations": secret.annotations,
        "replication": {kind: ",".join(locations or [])},
    }


def _update_secret(secrets: SecretManager, call: Call, project: Project) -> Mapping[str, Any]:
    mask = [_camel(name.strip()) for name in call.parameters.get("updateMask", "").split(",") if name.strip()]
    return secrets.update(project, call.names["secret"], call.content(), mask).describe()


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _delete_secret(secrets: SecretManager, call: Call, project: Project) -> Mapping[str, Any]:
    secrets.delete(project, call.names["secret"], call.parameters.get("etag"))
    return {}


def _add_version(secrets: SecretManager, call: Call, project: Project) -> Mapping[str, Any]:
    payload = call.content().get("payload")
    if not isinstance(payload, dict):
        raise InvalidArgumentError("Field [payload] is required.")
    try:
        data = base64.b64decode(str(payload.get("data") or ""), validate=True)
        checksum = int(payload["dataCrc32c"]) if "dataCrc32c" in payload else None
    except (binascii.Error, ValueError):
        raise InvalidArgumentError("Invalid value at 'payload.data' (TYPE_BYTES), Base64 decoding failed") from None
    secret = secrets.get(project, call.names["secret"])
    return secret.describe_version(secrets.add_version(project, secret.secret_id, data, checksum))


def _list_versions(secrets: SecretManager, call: Call, project: Project) -> Mapping[str, Any]:
    secret = secrets.get(project, call.names["secret"])
    wanted = matcher(call.parameters.get("filter", ""))
    versions = [version for _, version in sorted(secret.versions.items(), reverse=True)]
    found = [secret.describe_version(version) for version in versions if wanted(_version_fields(secret, version))]
    return _page("versions", found, call)


def _version_fields(secret: Secret, version: Version) -> dict[str, Any]:
    return {"name": f"{secret.name}/versions/{version.number}", "state": version.state.value}


def _get_version(secrets: SecretManager, call: Call, project: Project) -> Mapping[str, Any]:
    version = secrets.version(project, call.names["secret"], call.names["version"])
    return secrets.get(project, call.names["secret"]).describe_version(version)


def _access_version(secrets: SecretManager, call: Call, project: Project) -> Mapping[str, Any]:
    version = secrets.access(project, call.names["secret"], call.names["version"])
    secret = secrets.get(project, call.names["secret"])
    data = base64.b64encode(version.payload).decode()
    return {
        "name": f"{secret.name}/versions/{version.number}",
        "payload": {"data": data, "dataCrc32c": str(google_crc32c.value(version.payload))},
    }


def _switch_version(state: State) -> Callable[[SecretManager, Call, Project], Mapping[str, Any]]:
    def switch(secrets: SecretManager, call: Call, project: Project) -> Mapping[str, Any]:
        etag = call.content().get("etag")
        version = secrets.switch(project, call.names["secret"], call.names["version"], state, etag)
        return secrets.get(project, call.names["secret"]).describe_version(version)

    return switch


def _page(kind: str, found: list[dict[str, Any]], call: Call) -> dict[str, Any]:
    try:
        size = int(call.parameters.get("pageSize") or _LARGEST_PAGE)
        start = int(base64.b64decode(call.parameters.get("pageToken", ""), validate=True) or b"0")
    except (binascii.Error, ValueError):
        raise InvalidArgumentError("Invalid page size or page token.") from None
    if size < 0 or start < 0:
        raise InvalidArgumentError("Invalid page size or page token.")
    end = start + min(size or _LARGEST_PAGE, _LARGEST_PAGE)
    answer: dict[str, Any] = {kind: found[start:end], "totalSize": len(found)}
    if end < len(found):
        answer["nextPageToken"] = base64.b64encode(str(end).encode()).decode()
    return answer


_METHODS: Mapping[str, tuple[str, Callable[[SecretManager, Call, Project], Mapping[str, Any]]]] = {
    "secretmanager.CreateSecret": ("secrets.create", _create_secret),
    "secretmanager.ListSecrets": ("secrets.list", _list_secrets),
    "secretmanager.GetSecret": ("secrets.get", _get_secret),
    "secretmanager.UpdateSecret": ("secrets.update", _update_secret),
    "secretmanager.DeleteSecret": ("secrets.delete", _delete_secret),
    "secretmanager.AddSecretVersion": ("versions.add", _add_version),
    "secretmanager.ListSecretVersions": ("versions.list", _list_versions),
    "secretmanager.GetSecretVersion": ("versions.get", _get_version),
    "secretmanager.AccessSecretVersion": ("versions.access", _access_version),
    "secretmanager.EnableSecretVersion": ("versions.enable", _switch_version(State.ENABLED)),
    "secretmanager.DisableSecretVersion": ("versions.disable", _switch_version(State.DISABLED)),
    "secretmanager.DestroySecretVersion": ("versions.destroy", _switch_version(State.DESTROYED)),
}
"""The permission that each method needs, and what does it."""
