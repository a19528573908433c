"""The envelope around each call: who sent it, and the key that only the sender and the service have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from uss.sandbox.keeper import crypto
from uss.sandbox.keeper.clients import SERVER_KEY_ID, Application
from uss.sandbox.keeper.exceptions import AccessDeniedError, BadRequestError, WrongPublicKeyError
from uss.sandbox.keeper.payloads import Payload, parse


@dataclass(frozen=True)
class Envelope:
    """An opened call of a client that is known."""

    content: bytes
    """The call's JSON."""
    client_id: str
    public_key: bytes | None
    """The key that a device sends to bind itself."""
    key: bytes
    """The transmission key, which also encrypts the answer."""

    def seal(self, answer: Mapping[str, Any] | None) -> bytes:
        """Encrypt an answer; an empty one is not encrypted."""
        return b"" if answer is None else crypto.seal(self.key, json.dumps(answer).encode())


def open_envelope(application: Application, headers: Message, body: bytes) -> Envelope:
    """Open a call and check its sender.

    Raises `WrongPublicKeyError`, `BadRequestError` or `AccessDeniedError`.
    """
    if headers.get("PublicKeyId") != SERVER_KEY_ID:
        raise WrongPublicKeyError(SERVER_KEY_ID)
    sealed_key = crypto.from_base64(_header(headers, "TransmissionKey"))
    key = crypto.unseal_for(application.server_key, sealed_key)
    content = crypto.unseal(key, body)
    sender = parse(Payload, content)
    public_key = None if sender.public_key is None else crypto.from_base64(sender.public_key)
    scheme, _, signature = _header(headers, "Authorization").partition(" ")
    if scheme != "Signature":
        raise AccessDeniedError("The call is not signed")
    application.authenticate(sender.client_id, public_key, sealed_key + body, crypto.from_base64(signature))
    return Envelope(content, sender.client_id, public_key, key)


def _header(headers: Message, name: str) -> str:
    value = headers.get(name)
    if value is None:
        raise BadRequestError(f"The header {name} is missing")
    return value
