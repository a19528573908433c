"""The tokens that a platform gives to its jobs: signed with a key of its own, which the sandbox's clouds know."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

MINUTES = 5


@dataclass
class Issuer:
    """A platform's issuer, and every token that it gave."""

    url: str
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048), repr=False)
    issued: list[str] = field(default_factory=list)

    @property
    def public_key(self) -> str:
        """The public key in PEM."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def token(self, audience: str, subject: str, **claims: object) -> str:
        """A token for an audience, whose subject is a job; `claims` win over what would be in it."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": audience, "sub": subject, "iat": now, "exp": now + 60 * MINUTES}
        self.issued.append(jwt.encode(usual | claims, self._key, algorithm="RS256"))
        return self.issued[-1]
