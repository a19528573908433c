"""The Security Token Service: a CI's token of OpenID Connect in exchange for one that stands for a principal of a pool.

Source: https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uss.sandbox.federation import UntrustedTokenError, subject_of
from uss.sandbox.gcp.exceptions import OAuthError
from uss.sandbox.gcp.identities import PRINCIPAL, Identities, Tokens
from uss.sandbox.gcp.oauth import check_scopes

_HOST = "//iam.googleapis.com/"
_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
_JWT = "urn:ietf:params:oauth:token-type:jwt"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  a type's name
_LIFETIME = 3600


def exchange(form: Mapping[str, str], identities: Identities, tokens: Tokens) -> dict[str, Any]:
    """Answer a request for a token; raise `OAuthError` as Google's endpoint refuses."""
    if form.get("grant_type") != _GRANT_TYPE or form.get("subject_token_type") != _JWT:
        raise OAuthError("invalid_request", "Invalid grant_type or subject_token_type: the sandbox takes JWTs.")
    audience = form.get("audience", "")
    name = audience.removeprefix(_HOST)
    provider, issuers = identities.provider(name)
    if provider is None or name == audience:
        raise OAuthError("invalid_target", 'The target service indicated by the "audience" parameters is invalid.')
    trust = provider
    if not provider.audiences:
        trust = provider.model_copy(update={"audiences": [audience, f"https:{audience}"]})
    try:
        subject = subject_of(form.get("subject_token", ""), [trust], issuers)
    except UntrustedTokenError as error:
        raise OAuthError("invalid_grant", f"The ID token is not accepted: {error}") from None
    scopes = form.get("scope", "").split()
    check_scopes(scopes)
    pool = name.partition("/providers/")[0]
    return {
        "access_token": tokens.issue(f"{PRINCIPAL}{pool}/subject/{subject}", scopes, _LIFETIME),
        "issued_token_type": _ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": _LIFETIME,
    }
