"""How the clouds' providers word that something is not there, or may not be asked for."""

from __future__ import annotations

import re

import pytest

from uss.clouds import aws_resources as aws
from uss.clouds import azure_resources as azure
from uss.clouds import gcp_resources as gcp

NOT_THERE = [
    (aws.ABSENT, "reading Secrets Manager Secret (a): couldn't find resource"),
    (aws.ABSENT, "api error ResourceNotFoundException: Secrets Manager can't find the specified secret."),
    (aws.ABSENT, "reading Secrets Manager Secret (a): it is scheduled for deletion"),
    (azure.ABSENT, 'Status=404 Code="SecretNotFound" Message="A secret with (name/id) a was not found"'),
    (azure.ABSENT, 'request failed /subscriptions/a: Status=404 Code="ResourceNotFound" Message="The Resource a"'),
    (gcp.ABSENT, "googleapi: Error 404: Secret [projects/1/secrets/a] not found or has no versions."),
    (
        gcp.ABSENT,
        "googleapi: Error 400: Secret Version [projects/1/secrets/a/versions/1] is in DISABLED state.",
    ),
]
MAY_NOT_ASK = [
    (
        aws.DENIED,
        "api error AccessDeniedException: User: a is not authorized to perform: secretsmanager:GetSecret",
    ),
    (
        aws.DENIED,
        "operation error Secrets Manager: DescribeSecret, api error AccessDeniedException: User is not",
    ),
    (
        azure.DENIED,
        'Status=403 Code="AuthorizationFailed" Message="The client a does not have authorization"',
    ),
    (gcp.DENIED, "googleapi: Error 403: Permission 'secretmanager.secrets.list' denied for resource"),
]
NAMED_LIKE_AN_ERROR = [
    (aws.ABSENT, "reading Secrets Manager Secret (NotFoundException): api error ThrottlingException: Rate exceeded"),
    (azure.ABSENT, 'reading the secret SecretNotFound: Status=429 Code="TooManyRequests" Message="slow down"'),
    (azure.ABSENT, 'Status=404 Code="ResourceGroupNotFound" Message="Resource group rg could not be found."'),
    (azure.ABSENT, 'Status=404 Code="SubscriptionNotFound" Message="The subscription a could not be found."'),
    (azure.ABSENT, "ManagedIdentityCredential authentication failed. GET http://a/b ---- RESPONSE 404 Not Found ----"),
    (gcp.ABSENT, "reading the secret NOT_FOUND: googleapi: Error 429: Quota exceeded"),
    (gcp.ABSENT, "googleapi: Error 400: Invalid argument"),
]
WRONG_IDENTITY = [
    "Cannot assume IAM Role. operation error STS: AssumeRole, api error AccessDenied: User: a is not authorized to "
    "perform: sts:AssumeRole on resource: b",
    "ManagedIdentityCredential authentication failed. GET http://a/b ---- RESPONSE 400 Bad Request ---- no identity",
    "ManagedIdentityCredential authentication failed. GET http://a/b ---- RESPONSE 403 Forbidden ---- Forbidden",
    "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
    "operation error Secrets Manager: DescribeSecret, exceeded maximum number of attempts, ThrottlingException",
    "dial tcp: lookup host: no such host",
]


@pytest.mark.parametrize(("pattern", "text"), NOT_THERE)
def test_what_is_not_there(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


@pytest.mark.parametrize(("pattern", "text"), NAMED_LIKE_AN_ERROR)
def test_a_secret_that_is_named_like_an_error_is_not_one(pattern: re.Pattern[str], text: str) -> None:
    assert not pattern.search(text)


@pytest.mark.parametrize(("pattern", "text"), MAY_NOT_ASK)
def test_what_may_not_be_asked_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


@pytest.mark.parametrize("text", WRONG_IDENTITY)
def test_a_wrong_identity_or_a_cloud_that_does_not_answer_is_neither(text: str) -> None:
    cloud = {"AssumeRole": aws, "Secrets Manager": aws, "ManagedIdentity": azure}
    modules = [module for word, module in cloud.items() if word in text] or [gcp]
    for module in (aws, azure, gcp) if "dial" in text else modules:
        assert not module.ABSENT.search(text)
        assert not module.DENIED.search(text)
