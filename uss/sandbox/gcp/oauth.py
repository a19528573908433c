"""Service accounts prove who they are: signed assertions for a token, and self-signed tokens.

Sources: https://developers.google.com/identity/protocols/oauth2/service-account and https://google.aip.dev/auth/4111.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from uss.sandbox.gcp.exceptions import OAuthError, UnauthenticatedError
from uss.sandbox.gcp.identities import CLOUD_PLATFORM, Account, Grant, Identities, Tokens

GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  a public address

_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPE_PREFIX = "https://www.googleapis.com/auth/"
_SHORT_SCOPES = {"openid", "email", "profile"}
_LIFETIME = 3600
_SKEW = 300


@dataclass(frozen=True)
class _Assertion:
    """A JWT taken apart, nothing of it verified yet."""

    claims: Mapping[str, Any]
    algorithm: str
    signed: bytes
    signature: bytes = field(repr=False)

    def is_signed_by(self, account: Account) -> bool:
        return self.algorithm == "RS256" and any(self._verifies(pem) for pem in account.public_keys)

    def _verifies(self, public_pem: str) -> bool:
        key = load_pem_public_key(public_pem.encode())
        if not isinstance(key, RSAPublicKey):
            return False
        try:
            key.verify(self.signature, self.signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    def is_timely(self, now: float) -> bool:
        try:
            issued, expires = float(self.claims["iat"]), float(self.claims["exp"])
        except (KeyError, TypeError, ValueError):
            return False
        return issued - _SKEW <= now <= expires + _SKEW and expires - issued <= _LIFETIME + _SKEW


def exchange(form: Mapping[str, str], identities: Identities, tokens: Tokens, url: str, now: float) -> dict[str, Any]:
    """Answer a request for a token; raise `OAuthError` as Google's endpoint refuses. `url` is the endpoint's own."""
    grant_type = form.get("grant_type", "")
    if grant_type != _GRANT_TYPE:
        raise OAuthError("unsupported_grant_type", f"Invalid grant_type: {grant_type}")
    assertion = _read(form.get("assertion", ""))
    if assertion is None:
        raise OAuthError("invalid_grant", "Bad Request")
    account = identities.account(str(assertion.claims.get("iss") or ""))
    if account is None:
        raise OAuthError("invalid_grant", "Invalid grant: account not found")
    if not assertion.is_signed_by(account):
        raise OAuthError("invalid_grant", "Invalid JWT Signature.")
    if not assertion.is_timely(now):
        raise OAuthError(
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat "
            "and exp values in the JWT claim.",
        )
    if assertion.claims.get("aud") not in (GOOGLE_TOKEN_URI, url):
        raise OAuthError(
            "invalid_grant", f"Invalid JWT: Failed audience check. The right audience is {GOOGLE_TOKEN_URI}"
        )
    if assertion.claims.get("sub") not in (None, account.email):
        raise OAuthError(
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of "
            "the scopes requested.",
            401,
        )
    scopes = str(assertion.claims.get("scope") or "").split()
    check_scopes(scopes)
    return {
        "access_token": tokens.issue(account.email, scopes, _LIFETIME),
        "expires_in": _LIFETIME - 1,
        "token_type": "Bearer",
    }


def check_scopes(scopes: list[str]) -> None:
    """Refuse scopes that Google does not know, and none at all."""
    if not scopes or not all(scope.startswith(_SCOPE_PREFIX) or scope in _SHORT_SCOPES for scope in scopes):
        raise OAuthError("invalid_scope", "Invalid OAuth scope or ID token audience provided.")


def self_signed(token: str, identities: Identities, audiences: frozenset[str], now: float) -> Grant:
    """Return what a token stands for that a service account has signed itself.

    Its audience is the service (then it holds for all of the service), or it names scopes.
    """
    assertion = _read(token)
    if assertion is None:
        raise UnauthenticatedError()
    account = identities.account(str(assertion.claims.get("iss") or ""))
    if account is None or assertion.claims.get("sub") != account.email or not assertion.is_signed_by(account):
        raise UnauthenticatedError()
    if not assertion.is_timely(now):
        raise UnauthenticatedError()
    scopes = frozenset(str(assertion.claims.get("scope") or "").split())
    audience = assertion.claims.get("aud")
    if audience is None and not scopes or audience is not None and audience not in audiences:
        raise UnauthenticatedError()
    return Grant(account.email, scopes or frozenset({CLOUD_PLATFORM}), now + _LIFETIME)


def _read(token: str) -> _Assertion | None:
    try:
        signed, _, signature = token.rpartition(".")
        header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        if not isinstance(claims, dict):
            return None
        return _Assertion(claims, str(header.get("alg")), signed.encode(), _decoded(signature))
    except (ValueError, AttributeError):
        return None


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
