"""Who may do what: service accounts, their keys, access tokens, and Token Creator grants."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from google.auth import jwt

from uss.sandbox.gcp.exceptions import InvalidGrantError, PermissionDeniedError, UnauthenticatedError
from uss.sandbox.vaultfile import GcpServiceAccount, Vault

_LIFETIME = 3600
_GOOGLE = "https://oauth2.googleapis.com/token"
"""Google's libraries name this audience wherever the token endpoint is."""
_PAM_TYPE = "pamGcpConfiguration"
_PAM_LABEL = "pamserviceaccountkey"


@dataclass(frozen=True)
class Token:
    """An access token's bearer and end."""

    email: str
    expires: float


class Identities:
    """The identities of a vault file as it is now, and the tokens given out."""

    def __init__(self, vault: Callable[[], Vault], administrator: dict[str, Any]) -> None:
        self._vault = vault
        self._administrator = administrator
        self._tokens: dict[str, Token] = {}

    def projects(self) -> set[str]:
        """Return the projects that exist."""
        keys = [key["project_id"] for key in _pam_keys(self._vault()) if key.get("project_id")]
        return {*keys, *self._vault().clouds.gcp.projects, self._administrator["project_id"]}

    def exchange(self, assertion: str, audience: str) -> str:
        """Return an access token for an assertion that a known key signed (RFC 7523)."""
        try:
            email = str(jwt.decode(assertion, verify=False)["iss"])  # type: ignore[no-untyped-call]  # google-auth has no types here
        except (ValueError, KeyError, TypeError):
            raise InvalidGrantError("Invalid JWT.") from None
        account = self._accounts().get(email)
        if account is None:
            raise InvalidGrantError("Invalid grant: account not found")
        if account.private_key is None:
            raise InvalidGrantError("Invalid JWT Signature.")
        try:
            claims = jwt.decode(assertion, certs=_public(account.private_key))  # type: ignore[no-untyped-call]  # as above
        except ValueError:
            raise InvalidGrantError("Invalid JWT Signature.") from None
        if not claims.get("scope"):
            raise InvalidGrantError("Empty or missing scope not allowed.")
        if claims.get("aud") not in (audience, _GOOGLE):
            raise InvalidGrantError("Invalid JWT: the audience is not this endpoint.")
        return self._issue(email)

    def impersonate(self, caller: str, email: str) -> str:
        """Return an access token for the target, if the caller has Token Creator on it."""
        account = self._accounts().get(email)
        if account is None or caller not in account.impersonators:
            resource = f"projects/-/serviceAccounts/{email}"
            raise PermissionDeniedError("iam.serviceAccounts.getAccessToken", resource)
        return self._issue(email)

    def bearer(self, token: str | None) -> str:
        """Return whose an access token is."""
        held = self._tokens.get(token or "")
        if held is None or held.expires < time.time():
            raise UnauthenticatedError()
        return held.email

    def permit(self, email: str, permission: str, project: str, resource: str) -> None:
        """Let the bearer do something in a project, or raise `PermissionDeniedError`."""
        account = self._accounts().get(email)
        allowed = account is not None and any(fnmatchcase(permission, pattern) for pattern in account.allows)
        if not allowed or project not in self.projects():
            raise PermissionDeniedError(permission, resource)

    def _issue(self, email: str) -> str:
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self._tokens[token] = Token(email, time.time() + _LIFETIME)
        return token

    def _accounts(self) -> dict[str, GcpServiceAccount]:
        vault = self._vault()
        known = [*_pam_keys(vault), self._administrator]
        accounts = {
            key["client_email"]: GcpServiceAccount(email=key["client_email"], private_key=key.get("private_key"))
            for key in known
            if key.get("client_email")
        }
        for told in vault.clouds.gcp.service_accounts:
            key = told.private_key or (accounts[told.email].private_key if told.email in accounts else None)
            accounts[told.email] = told.model_copy(update={"private_key": key})
        return accounts


def _pam_keys(vault: Vault) -> Iterator[dict[str, Any]]:
    for record in vault.records:
        for field in [*record.fields, *record.custom] if record.type == _PAM_TYPE else ():
            if "".join((field.label or field.type).split()).lower() == _PAM_LABEL:
                for value in field.value:
                    key = _json(value) if isinstance(value, str) else value
                    if isinstance(key, dict):
                        yield key


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _public(private_key: str) -> bytes:
    key = serialization.load_pem_private_key(private_key.encode(), password=None)
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
