"""Tokens of OpenID Connect, as a CI gives them to its jobs: whether a cloud that trusts some of them trusts this one.

A cloud fetches an issuer's public keys from the issuer; the sandbox has them from the vault file. Sources: OpenID
Connect Core, "ID Token Validation"; what each cloud compares is in its documentation of workload identity federation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

import jwt

from uss.sandbox.vaultclouds import FederatedTrust


class UntrustedTokenError(Exception):
    """Nobody trusts the token; the message says why, and never quotes it."""


def subject_of(token: str, trusts: Iterable[FederatedTrust], issuers: Mapping[str, str]) -> str:
    """Return the subject of a token that one of `trusts` admits; raise `UntrustedTokenError` if none does.

    `issuers` has each issuer's public key in PEM.
    """
    faults = []
    for trust in trusts:
        key = issuers.get(trust.issuer)
        if key is None:
            faults.append(f"the keys of the issuer {trust.issuer} cannot be fetched")
            continue
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=trust.audiences,
                issuer=trust.issuer,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.InvalidTokenError as error:
            faults.append(str(error))
            continue
        if any(fnmatchcase(claims["sub"], subject) for subject in trust.subjects):
            return str(claims["sub"])
        faults.append("its subject is another one")
    raise UntrustedTokenError("; ".join(faults) or "no issuer is trusted")
