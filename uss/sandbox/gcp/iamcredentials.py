"""IAM Credentials: a service account gets a short-lived token of another one.

Source: https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from uss.sandbox.gcp.exceptions import DeniedError, InsufficientScopeError, InvalidArgumentError, NotFoundError
from uss.sandbox.gcp.identities import CLOUD_PLATFORM, Account, Grant, Identities, Tokens
from uss.sandbox.gcp.urls import Call

SCOPES = frozenset({CLOUD_PLATFORM, "https://www.googleapis.com/auth/iam"})

_PERMISSION = "iam.serviceAccounts.getAccessToken"
_LIFETIME = re.compile(r"(\d+)s")
_LONGEST = 3600


def generate_access_token(
    call: Call, caller: Account, grant: Grant, identities: Identities, tokens: Tokens, now: float
) -> dict[str, Any]:
    """Answer a call; every link of the chain from the caller over the delegates must have the grant to the next."""
    if not SCOPES & grant.scopes:
        raise InsufficientScopeError(call.service)
    identities.require_service(caller, call.service)
    content = call.content()
    scopes = content.get("scope") or []
    if not isinstance(scopes, list) or not scopes:
        raise InvalidArgumentError("Field [scope] is required.")
    match = _LIFETIME.fullmatch(str(content.get("lifetime") or f"{_LONGEST}s"))
    if not match or not 0 < int(match[1]) <= _LONGEST:
        raise InvalidArgumentError(f"Field [lifetime] must be a duration of at most {_LONGEST}s.")
    delegates = [str(name).rpartition("/")[2] for name in content.get("delegates") or []]
    target = _walk(caller, [*delegates, call.names["account"]], identities)
    expires = datetime.fromtimestamp(now + int(match[1]), UTC)
    return {
        "accessToken": tokens.issue(target.email, [str(scope) for scope in scopes], int(match[1])),
        "expireTime": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _walk(caller: Account, chain: list[str], identities: Identities) -> Account:
    for email in chain:
        target = identities.account(email)
        if target is None:
            raise NotFoundError(f"Not found; Gaia id not found for email {email}")
        if not target.lets_impersonate(caller.email):
            raise DeniedError(_PERMISSION)
        caller = target
    return caller
