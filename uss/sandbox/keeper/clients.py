"""The one application of the sandbox's vault: its keys, and the client devices that may use it."""

from __future__ import annotations

import base64
import hmac
import os
import threading
from dataclasses import dataclass

from uss.sandbox.keeper import crypto
from uss.sandbox.keeper.exceptions import AccessDeniedError

SERVER_KEY_ID = "99"
"""The identifier of the service's public key; outside the range that the SDK knows keys for."""

_CLIENT_ID_MESSAGE = b"KEEPER_SECRETS_MANAGER_CLIENT_ID"


@dataclass
class _Client:
    public_key: bytes | None = None
    """The point of the device's key; None until the device has bound itself with its token."""
    sealed_app_key: bytes | None = None
    """The application's key, encrypted with the one-time token; None for a device that got it in its configuration."""


class Application:
    """Keys and clients. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[str, _Client] = {}
        self.master = crypto.random_key()
        self.server_key = crypto.new_private_key()
        self.owner_key = crypto.new_private_key()
        self.app_key = self.key("application")

    def key(self, kind: str, *uids: str) -> bytes:
        """Return the key of a folder, a record or a file."""
        return crypto.derive(self.master, kind, *uids)

    def issue_token(self) -> str:
        """Return a new one-time access token: url-safe base64 of 32 bytes."""
        secret = os.urandom(32)
        # A token that starts with a dash would look like an option of a command.
        secret = bytes([secret[0] & 0x7F]) + secret[1:]
        client_id = crypto.to_base64(hmac.digest(secret, _CLIENT_ID_MESSAGE, "sha512"))
        with self._lock:
            self._clients[client_id] = _Client(sealed_app_key=crypto.seal(secret, self.app_key))
        return base64.urlsafe_b64encode(secret).decode().rstrip("=")

    def configuration(self, hostname: str) -> dict[str, str]:
        """Register a new client device and return its configuration for the SDK."""
        client_id = crypto.to_base64(os.urandom(64))
        key = crypto.new_private_key()
        with self._lock:
            self._clients[client_id] = _Client(public_key=crypto.public_point(key))
        server_point = crypto.public_point(self.server_key)
        return {
            "hostname": hostname,
            "clientId": client_id,
            "privateKey": crypto.to_base64(crypto.private_der(key)),
            "appKey": crypto.to_base64(self.app_key),
            "appOwnerPublicKey": crypto.to_base64(crypto.public_point(self.owner_key)),
            "serverPublicKeyId": SERVER_KEY_ID,
            "serverPublicKey": base64.urlsafe_b64encode(server_point).decode().rstrip("="),
        }

    def authenticate(self, client_id: str, offered: bytes | None, data: bytes, signature: bytes) -> None:
        """Check that `data` was signed by a known client; `offered` is the public key that a new device sends.

        Raises `AccessDeniedError` when the client is unknown, the signature is not its own, or the device's token was
        spent by another device. A device that never heard the answer to its binding may bind again with the same key.
        """
        with self._lock:
            client = self._clients.get(client_id)
            if client is None:
                raise AccessDeniedError("The client is not known: its token or its device was removed, or never was")
            point = client.public_key or offered
            if point is None or not crypto.is_signed(point, signature, data) or offered not in (None, point):
                raise AccessDeniedError("Signature is invalid")

    def bind(self, client_id: str, offered: bytes) -> bytes | None:
        """Bind a device to its token, and return the application's key encrypted with it.

        Returns None for a device that was registered without a token.
        """
        with self._lock:
            client = self._clients[client_id]
            if client.public_key not in (None, offered):
                raise AccessDeniedError("Signature is invalid")
            client.public_key = offered
            return client.sealed_app_key
