"""Google service account keys as a vault holds them: the JSON file that Google hands out, or a PEM key alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)


@dataclass(frozen=True)
class ServiceAccountKey:
    """What is known of a key without its secret: whose it is, and the half that verifies what the other one signs."""

    public_pem: str
    email: str = ""
    project: str = ""
    """Both are empty where the key is PEM alone."""


def read_key(value: str | dict[str, Any]) -> ServiceAccountKey:
    """Read a key; raise `ValueError`, which never shows the key, when it is none."""
    return _read_text(value if isinstance(value, str) else json.dumps(value))


@lru_cache(maxsize=256)
def _read_text(text: str) -> ServiceAccountKey:
    if text.lstrip().startswith("-----BEGIN"):
        return ServiceAccountKey(_public_pem(text))
    try:
        content = json.loads(text)
        return ServiceAccountKey(
            _public_pem(content["private_key"]), str(content["client_email"]), str(content.get("project_id") or "")
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("is neither a service account key's JSON nor an RSA key in PEM") from None


def _public_pem(pem: str) -> str:
    data = pem.strip().encode()
    try:
        if b"PUBLIC KEY-----" in data.partition(b"\n")[0]:
            public = load_pem_public_key(data)
        else:
            # The check of a private key's numbers takes a tenth of a second, and a bad one signs nothing valid anyway.
            public = load_pem_private_key(data, None, unsafe_skip_rsa_key_validation=True).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is not a key in PEM") from None
    if not isinstance(public, RSAPublicKey):
        raise ValueError("is not an RSA key")
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
