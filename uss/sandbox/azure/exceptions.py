"""What Azure refuses, each as a class that owns its HTTP status and its wire code.

AzureError
  BadParameterError
  UnauthorizedError        no token: the answer challenges for one
  ForbiddenError
  NotFoundError
  ConflictError
  ThrottledError
  InternalError
  TokenError               the token endpoint's own form
    ImdsError              the metadata service's
"""

from __future__ import annotations

import json
from typing import ClassVar


class AzureError(Exception):
    """A refusal. The text is what the caller reads."""

    status: ClassVar[int] = 500
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code or type(self).__name__.removesuffix("Error")

    def body(self) -> bytes:
        """Return the error as Azure writes it."""
        return json.dumps({"error": {"code": self.code, "message": str(self)}}).encode()


class BadParameterError(AzureError):
    """A value that the API does not take."""

    status = 400


class UnauthorizedError(AzureError):
    """No token, or one that is not known."""

    status = 401

    def __init__(self, authority: str, resource: str) -> None:
        super().__init__("Request is missing a Bearer or PoP token.")
        self.headers = (("WWW-Authenticate", f'Bearer authorization="{authority}", resource="{resource}"'),)


class ForbiddenError(AzureError):
    """The caller's role assignments do not allow the action."""

    status = 403


class NotFoundError(AzureError):
    """There is no such thing."""

    status = 404


class ConflictError(AzureError):
    """The name is taken, by something that is there or is deleted and can be recovered."""

    status = 409


class ThrottledError(AzureError):
    """Too many requests."""

    status = 429
    headers = (("Retry-After", "1"),)

    def __init__(self) -> None:
        super().__init__("Too many requests. Please try again later.", "TooManyRequests")


class InternalError(AzureError):
    """The service's own failure."""

    def __init__(self) -> None:
        super().__init__("Internal server error.", "InternalServerError")


class TokenError(AzureError):
    """No token is given out."""

    status = 401

    def body(self) -> bytes:
        """Return the error in OAuth 2's form."""
        return json.dumps({"error": self.code, "error_description": str(self)}).encode()


class ImdsError(TokenError):
    """The metadata service has no such identity."""

    status = 400
