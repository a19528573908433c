"""Whose tokens the sandbox's clouds trust: the issuer's own, for the right audience and subject, while they last."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.leaks import leaks
from tests.pipelines.tokens import Issuer
from uss.sandbox.federation import UntrustedTokenError, subject_of
from uss.sandbox.vaultclouds import FederatedTrust

ISSUER, OTHER = Issuer("https://ci.example.com"), Issuer("https://ci.example.com")
ISSUERS = {ISSUER.url: ISSUER.public_key}
TRUST = FederatedTrust(
    issuer=ISSUER.url, audiences=["cloud", "cloud-too"], subjects=["repo:acme/secrets:*", "exactly:this"]
)


@pytest.mark.parametrize("audience", ["cloud", "cloud-too"])
@pytest.mark.parametrize("subject", ["repo:acme/secrets:pull_request", "exactly:this"])
def test_a_token_that_is_trusted_says_whose_it_is(audience: str, subject: str) -> None:
    assert subject_of(ISSUER.token(audience, subject), [TRUST], ISSUERS) == subject


@pytest.mark.parametrize(
    ("audience", "subject", "claims"),
    [
        ("another", "exactly:this", {}),
        ("cloud", "exactly:this:not", {}),
        ("cloud", "repo:acme/other:pull_request", {}),
        ("cloud", "exactly:this", {"iss": "https://ci.example.com/"}),
        ("cloud", "exactly:this", {"exp": int(time.time()) - 60}),
        ("cloud", "exactly:this", {"nbf": int(time.time()) + 36_000}),
    ],
)
def test_any_other_token_is_not(audience: str, subject: str, claims: dict[str, Any]) -> None:
    token = ISSUER.token(audience, subject, **claims)
    with pytest.raises(UntrustedTokenError) as refused:
        subject_of(token, [TRUST], ISSUERS)
    assert leaks(str(refused.value), token) == {}


@pytest.mark.parametrize("token", [OTHER.token("cloud", "exactly:this"), "", "a.b.c", "canary"])
def test_what_the_issuer_did_not_sign_is_not(token: str) -> None:
    with pytest.raises(UntrustedTokenError):
        subject_of(token, [TRUST], ISSUERS)


def test_an_issuer_that_nobody_knows_vouches_for_nothing() -> None:
    token = ISSUER.token("cloud", "exactly:this")
    for trusts, issuers in (([TRUST], {}), ([], ISSUERS)):
        with pytest.raises(UntrustedTokenError, match="cannot be fetched|no issuer is trusted"):
            subject_of(token, trusts, issuers)
