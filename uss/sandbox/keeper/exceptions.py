"""The refusals of the Keeper service, each with its HTTP status and the code that clients read.

    ServiceError
        AccessDeniedError       403 access_denied
        ThrottledError          403 throttled
        WrongPublicKeyError     401 key
        BadRequestError         400 bad_request
        StaleRevisionError      403 out_of_sync
        RecordNotFoundError     403 record_uid_not_found
        FolderNotFoundError     403 folder_uid_not_found
        UnknownEndpointError    404 not_found
        VaultUnreadableError    500 invalid_vault_file
        InternalFaultError      500, not JSON

Bodies have the keys of the real service's errors, which keeper-secrets-manager-core reads in `handler_http_error`; the
codes are those that Keeper's SDKs name, but for `out_of_sync`, `not_found` and `invalid_vault_file`, which are ours.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar


class ServiceError(Exception):
    """A call that the service refuses; `message` is what the client is shown and holds no value of the vault."""

    status: ClassVar[int]
    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def details(self) -> dict[str, Any]:
        """Return what the body holds besides the keys that all errors have."""
        return {}

    def body(self, path: str) -> bytes:
        """Return the answer to a call of `path`, as JSON."""
        answer = {
            "path": path,
            "additional_info": self.message,
            "location": "sandbox",
            "error": self.code,
            "message": self.message,
            **self.details(),
        }
        return json.dumps(answer).encode()


class AccessDeniedError(ServiceError):
    """The client is unknown, its token is spent, or its signature is wrong."""

    status = 403
    code = "access_denied"


class ThrottledError(ServiceError):
    """Too many calls; `retry_after` is in seconds, and left out of the answer when it is 0."""

    status = 403
    code = "throttled"

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too many requests: wait before the next one")
        self.retry_after = retry_after

    def details(self) -> dict[str, Any]:
        """Return the wait that the client is asked for."""
        return {"retry_after": self.retry_after} if self.retry_after > 0 else {}


class WrongPublicKeyError(ServiceError):
    """The transmission key was sealed for another server key; `key_id` names the one to use."""

    status = 401
    code = "key"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"The transmission key must be sealed with the server's public key {key_id}")
        self.key_id = key_id

    def details(self) -> dict[str, Any]:
        """Return the identifier of the server's key."""
        return {"key_id": self.key_id}


class BadRequestError(ServiceError):
    """The call cannot be understood, or asks for what the vault cannot hold."""

    status = 400
    code = "bad_request"


class StaleRevisionError(ServiceError):
    """The record changed since the client read it."""

    status = 403
    code = "out_of_sync"


class RecordNotFoundError(ServiceError):
    """No record has this UID."""

    status = 403
    code = "record_uid_not_found"


class FolderNotFoundError(ServiceError):
    """No folder has this UID, or not where the call says."""

    status = 403
    code = "folder_uid_not_found"


class UnknownEndpointError(ServiceError):
    """The service has no such URL."""

    status = 404
    code = "not_found"


class VaultUnreadableError(ServiceError):
    """The vault file cannot be used; `message` is what `VaultFileError` says."""

    status = 500
    code = "invalid_vault_file"


class InternalFaultError(ServiceError):
    """The service itself failed, and answers as a broken server does: not in JSON."""

    status = 500
    code = "internal_error"

    def body(self, path: str) -> bytes:
        """Return a page that is not JSON."""
        return f"<html><body><h1>Internal Server Error</h1><p>{self.message}</p></body></html>".encode()
