"""Refusals in Google's own words.

    RefusalError
    ├── OAuthError              the token endpoint's (RFC 6749, section 5.2)
    └── StatusError             a google.rpc.Status, as all other services send
        ├── InvalidArgumentError, FailedPreconditionError, NotFoundError, AlreadyExistsError
        ├── UnauthenticatedError, DeniedError, InsufficientScopeError
        ├── ServiceDisabledError, UnknownProjectError
        └── ThrottledError, InternalError

Statuses and their HTTP codes: https://cloud.google.com/apis/design/errors; the texts are those that users of the
services report.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, ClassVar

from uss.sandbox.wsgi import Headers

_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_TITLES = {
    "secretmanager.googleapis.com": "Secret Manager API",
    "iamcredentials.googleapis.com": "IAM Service Account Credentials API",
}


class RefusalError(Exception):
    """A refusal: its HTTP status, its headers beside those of every answer, and its body."""

    status: int
    headers: Headers = ()

    def body(self) -> bytes:
        """Return the answer's body, JSON."""
        raise NotImplementedError


class OAuthError(RefusalError):
    """The token endpoint refuses; `error` is the code that OAuth 2 names."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status

    def body(self) -> bytes:
        """Return the error as OAuth 2 writes it."""
        return json.dumps({"error": self.error, "error_description": str(self)}).encode()


class StatusError(RefusalError):
    """A google.rpc.Status, with one ErrorInfo where `reason` is given."""

    status = 400
    code: ClassVar[str] = "INVALID_ARGUMENT"
    domain: ClassVar[str] = "googleapis.com"

    def __init__(self, message: str, reason: str = "", metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self._reason = reason
        self._metadata = dict(metadata or {})

    def body(self) -> bytes:
        """Return the status as REST carries it."""
        error: dict[str, Any] = {"code": self.status, "message": str(self), "status": self.code}
        if self._reason:
            info = {"@type": _INFO, "reason": self._reason, "domain": self.domain, "metadata": self._metadata}
            error["details"] = [info]
        return json.dumps({"error": error}).encode()


class InvalidArgumentError(StatusError):
    """The request is wrong in itself."""


class FailedPreconditionError(StatusError):
    """The resource is not in a state that allows this."""

    code = "FAILED_PRECONDITION"


class NotFoundError(StatusError):
    """The resource does not exist."""

    status = 404
    code = "NOT_FOUND"


class AlreadyExistsError(StatusError):
    """A resource of this name exists."""

    status = 409
    code = "ALREADY_EXISTS"


class UnauthenticatedError(StatusError):
    """The access token is missing, expired or nobody's."""

    status = 401
    code = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__(
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential. See "
            "https://developers.google.com/identity/sign-in/web/devconsole-project."
        )


class DeniedError(StatusError):
    """The caller is known and lacks a permission."""

    status = 403
    code = "PERMISSION_DENIED"
    domain = "iam.googleapis.com"

    def __init__(self, permission: str, resource: str = "") -> None:
        where = f"for resource '{resource}'" if resource else "on resource"
        metadata = {"permission": permission} | ({"resource": resource} if resource else {})
        super().__init__(
            f"Permission '{permission}' denied {where} (or it may not exist).", "IAM_PERMISSION_DENIED", metadata
        )


class InsufficientScopeError(StatusError):
    """The access token was not issued for this."""

    status = 403
    code = "PERMISSION_DENIED"

    def __init__(self, service: str) -> None:
        super().__init__(
            "Request had insufficient authentication scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", {"service": service}
        )


class ServiceDisabledError(StatusError):
    """The project exists, and the service is not enabled in it."""

    status = 403
    code = "PERMISSION_DENIED"

    def __init__(self, service: str, number: str) -> None:
        super().__init__(
            f"{_TITLES[service]} has not been used in project {number} before or it is disabled. Enable it by visiting "
            f"https://console.developers.google.com/apis/api/{service}/overview?project={number} then retry. If you "
            "enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
            "SERVICE_DISABLED",
            {"service": service, "consumer": f"projects/{number}"},
        )


class UnknownProjectError(StatusError):
    """There is no such project, which Google does not tell from one that the caller may not see."""

    status = 403
    code = "PERMISSION_DENIED"

    def __init__(self, service: str, project: str) -> None:
        super().__init__(
            f"Permission denied on resource project {project}.",
            "CONSUMER_INVALID",
            {"service": service, "consumer": f"projects/{project}"},
        )


class ThrottledError(StatusError):
    """A quota is used up; `wait` are the seconds until there is more."""

    status = 429
    code = "RESOURCE_EXHAUSTED"

    def __init__(self, service: str, kind: str, wait: float) -> None:
        super().__init__(
            f"Quota exceeded for quota metric '{kind} requests' and limit '{kind} requests per minute' of service "
            f"'{service}'.",
            "RATE_LIMIT_EXCEEDED",
            {"service": service},
        )
        self.headers = (("Retry-After", str(max(1, math.ceil(wait)))),)


class InternalError(StatusError):
    """The service failed."""

    status = 500
    code = "INTERNAL"

    def __init__(self) -> None:
        super().__init__("Internal error encountered.")
