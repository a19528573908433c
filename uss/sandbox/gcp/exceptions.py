"""What GCP's APIs refuse, each as a class that owns its HTTP status and its wire code.

GcpError
  InvalidArgumentError
  UnauthenticatedError
  PermissionDeniedError
  NotFoundError
  AlreadyExistsError
  FailedPreconditionError
  ResourceExhaustedError
  InternalError
  InvalidGrantError        the token endpoint's own form
"""

from __future__ import annotations

import json
from typing import ClassVar


class GcpError(Exception):
    """A refusal. The text is what the caller reads."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL"
    headers: ClassVar[tuple[tuple[str, str], ...]] = ()

    def body(self) -> bytes:
        """Return the error as google.rpc.Status in JSON."""
        error = {"code": self.status, "message": str(self), "status": self.code}
        return json.dumps({"error": error}).encode()


class InvalidArgumentError(GcpError):
    """A value that the API does not take."""

    status = 400
    code = "INVALID_ARGUMENT"


class UnauthenticatedError(GcpError):
    """No access token, or one that is not known or has expired."""

    status = 401
    code = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__(
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential."
        )


class PermissionDeniedError(GcpError):
    """The caller lacks a permission; GCP does not say whether the resource exists."""

    status = 403
    code = "PERMISSION_DENIED"

    def __init__(self, permission: str, resource: str) -> None:
        super().__init__(f"Permission '{permission}' denied for resource '{resource}' (or it may not exist).")


class NotFoundError(GcpError):
    """There is no such secret or version."""

    status = 404
    code = "NOT_FOUND"


class AlreadyExistsError(GcpError):
    """The name is taken."""

    status = 409
    code = "ALREADY_EXISTS"


class FailedPreconditionError(GcpError):
    """The version's state does not allow it."""

    status = 400
    code = "FAILED_PRECONDITION"


class ResourceExhaustedError(GcpError):
    """Too many requests in this minute."""

    status = 429
    code = "RESOURCE_EXHAUSTED"
    headers = (("Retry-After", "1"),)

    def __init__(self) -> None:
        super().__init__("Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute'.")


class InternalError(GcpError):
    """The service's own failure."""

    def __init__(self) -> None:
        super().__init__("Internal error encountered.")


class InvalidGrantError(GcpError):
    """The token endpoint does not believe the assertion."""

    status = 400
    code = "invalid_grant"

    def body(self) -> bytes:
        """Return the error in OAuth 2's form."""
        return json.dumps({"error": self.code, "error_description": str(self)}).encode()
