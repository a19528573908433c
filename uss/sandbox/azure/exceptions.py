"""Refusals in Azure's own words, per service.

AzureError
  ArmError          Azure Resource Manager:  {"error": {"code", "message"}}
  KeyVaultError     Key Vault's data plane:  {"error": {"code", "message", "innererror"}}
  EntraError        token endpoint:          {"error", "error_description", "error_codes"}
  ImdsError         instance metadata:       {"error", "error_description"}
"""

from __future__ import annotations

import json
from typing import Any

from uss.sandbox.wsgi import JSON, Headers, Response


def reply(content: Any = None, status: int = 200, headers: Headers = ()) -> Response:
    """Return an answer of JSON; content that is None has no body."""
    return status, (JSON, *headers), b"" if content is None else json.dumps(content).encode()


class AzureError(Exception):
    """A refusal; the message is what Azure would tell the caller."""

    def __init__(self, status: int, code: str, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers

    def content(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        return {"error": {"code": self.code, "message": str(self)}}

    def response(self) -> Response:
        """Return the refusal as it goes on the wire."""
        return reply(self.content(), self.status, self.headers)


class ArmError(AzureError):
    """Azure Resource Manager, or Key Vault's part of it, refuses."""


class KeyVaultError(AzureError):
    """A key vault refuses; `inner` is the code that says why."""

    def __init__(self, status: int, code: str, message: str, *headers: tuple[str, str], inner: str = "") -> None:
        super().__init__(status, code, message, *headers)
        self.inner = inner

    def content(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        inner = {"innererror": {"code": self.inner}} if self.inner else {}
        return {"error": {"code": self.code, "message": str(self), **inner}}


class EntraError(AzureError):
    """The token endpoint refuses; `number` is the AADSTS code."""

    def __init__(self, status: int, code: str, number: int, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(status, code, f"AADSTS{number}: {message}", *headers)
        self.number = number

    def content(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        return {"error": self.code, "error_description": str(self), "error_codes": [self.number]}


class ImdsError(AzureError):
    """The instance metadata service refuses."""

    def content(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        return {"error": self.code, "error_description": str(self)}


def secret_not_found(name: str) -> KeyVaultError:
    """There is no secret of this name, or no such version."""
    return KeyVaultError(
        404,
        "SecretNotFound",
        f"A secret with (name/id) {name} was not found in this key vault. It may be among the deleted ones.",
    )


def deleted_secret_not_found(name: str) -> KeyVaultError:
    """No deleted secret has this name."""
    return KeyVaultError(404, "SecretNotFound", f"Deleted Secret not found: {name}")


def secret_is_deleted(name: str) -> KeyVaultError:
    """The name belongs to a deleted secret until that is recovered or purged."""
    return KeyVaultError(
        409,
        "Conflict",
        f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, "
        "the secret can only be recovered or purged.",
        inner="ObjectIsDeletedButRecoverable",
    )


def bad_parameter(message: str) -> KeyVaultError:
    """The request has a value that Key Vault does not take; the message never shows the value."""
    return KeyVaultError(400, "BadParameter", message)


def vault_already_exists(name: str) -> ArmError:
    """Somebody has the vault's name, or a deleted vault has."""
    return ArmError(
        409,
        "VaultAlreadyExists",
        f"The vault name '{name}' is already in use: names are unique in all of Azure, and a deleted vault keeps its "
        "own until it is purged.",
    )


def resource_not_found(kind: str, name: str, group: str) -> ArmError:
    """The resource group holds no such resource."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found.",
    )


def throttled(service: str, seconds: int) -> AzureError:
    """Too many calls; the caller is asked to wait."""
    wait = ("Retry-After", str(seconds))
    match service:
        case "keyvault":
            text = "Request was not processed because too many requests were received."
            return KeyVaultError(429, "Throttled", text, wait)
        case "entra":
            return EntraError(429, "too_many_requests", 90055, "Too many requests were made.", wait)
        case "imds":
            return ImdsError(429, "too_many_requests", "Too many requests", wait)
        case _:
            text = "The request is being throttled as the limit has been reached."
            return ArmError(429, "TooManyRequests", text, wait)


def failed(service: str) -> AzureError:
    """The service's own failure."""
    match service:
        case "keyvault":
            return KeyVaultError(500, "InternalServerError", "An internal error occurred.")
        case "entra":
            return EntraError(500, "server_error", 90033, "A transient error has occurred. Please try again.")
        case "imds":
            return ImdsError(500, "server_error", "Internal server error")
        case _:
            return ArmError(500, "InternalServerError", "Encountered internal server error.")
