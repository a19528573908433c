"""The AWS provider's configuration and identity."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from tests.leaks import leaks
from tests.sandbox.providers.harness import ACCOUNT, SECRET, Cloud, Connect, Refusal
from uss.sandbox.providers.aws_config import AssumeRole, parse_config
from uss.sandbox.providers.aws_session import connect as connect_session
from uss.sandbox.providers.interface import ProviderError

IDENTITY = "aws:index/getCallerIdentity:getCallerIdentity"
FIRST = "arn:aws:iam::111111111111:role/first"
SECOND = "arn:aws:iam::222222222222:role/second"


def test_keys_are_who_the_provider_is(connect: Connect) -> None:
    assert connect().invoke(IDENTITY).properties["accountId"] == ACCOUNT


def test_roles_are_assumed_one_after_the_other(cloud: Cloud, connect: Connect) -> None:
    provider = connect(assumeRoles=[{"roleArn": FIRST}, {"roleArn": SECOND, "sessionName": "sync"}])
    assert provider.invoke(IDENTITY).properties["arn"] == "arn:aws:sts::222222222222:assumed-role/second/sync"
    assert cloud.calls["AssumeRole"] == 2
    assert ":222222222222:" in provider.create(SECRET, {"name": "a"}).id


def test_a_role_that_is_refused_fails_the_configuration_in_the_real_providers_words(
    cloud: Cloud, connect: Connect
) -> None:
    cloud.refusals["AssumeRole"] = Refusal(
        "AccessDenied", "User: x is not authorized to perform: sts:AssumeRole", status=403
    )
    with pytest.raises(grpc.RpcError) as failed:
        connect(assumeRoles=[{"roleArn": FIRST}], skipCredentialsValidation=True)
    text = str(failed.value)
    assert f"Cannot assume IAM Role. IAM Role ({FIRST}) cannot be assumed by arn:aws:sts::{ACCOUNT}:user/moto" in text
    assert "api error AccessDenied: User: x is not authorized to perform: sts:AssumeRole" in text


def test_the_text_of_a_refused_role_stands_when_the_caller_is_unknown_too(cloud: Cloud, connect: Connect) -> None:
    for operation in ("AssumeRole", "GetCallerIdentity"):
        cloud.refusals[operation] = Refusal("InvalidClientTokenId", "The security token is invalid.", status=403)
    with pytest.raises(grpc.RpcError, match="cannot be assumed by a caller whom AWS does not know"):
        connect(assumeRoles=[{"roleArn": FIRST}])


def test_keys_that_aws_does_not_know_fail_the_configuration(cloud: Cloud, connect: Connect) -> None:
    cloud.refusals["GetCallerIdentity"] = Refusal("InvalidClientTokenId", "The security token is invalid.", status=403)
    with pytest.raises(grpc.RpcError, match="unable to validate AWS credentials(.|\n)*InvalidClientTokenId"):
        connect()
    connect(skipCredentialsValidation=True)


@pytest.mark.parametrize(
    "config", [{"allowedAccountIds": ["999999999999"]}, {"forbiddenAccountIds": [ACCOUNT, "999999999999"]}]
)
def test_an_account_that_is_not_allowed_fails_the_configuration(connect: Connect, config: dict[str, Any]) -> None:
    with pytest.raises(grpc.RpcError, match=f"AWS account ID not allowed: {ACCOUNT}"):
        connect(skipCredentialsValidation=True, **config)


def test_an_account_that_is_allowed_passes(connect: Connect) -> None:
    connect(allowedAccountIds=[ACCOUNT], forbiddenAccountIds=["999999999999"])


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"assumeRoles": [{"roleArn": FIRST, "policy": "canary"}]}, "aws:assumeRoles.0.policy"),
        ({"assumeRoles": [{"roleArn": FIRST, "duration": "canary"}]}, "aws:assumeRoles.0.duration"),
        ({"assumeRoles": "canary"}, "aws:assumeRoles"),
        ({"assumeRoleWithWebIdentity": {"roleArn": "canary"}}, "aws:assumeRoleWithWebIdentity"),
    ],
)
def test_what_the_stand_in_cannot_honour_is_refused_by_name(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ProviderError, match=words) as failed:
        parse_config(config)
    assert leaks(str(failed.value), "canary") == {}


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h", 3600), ("15m", 900), ("1h30m", 5400), ("900s", 900), (None, None)]
)
def test_session_lengths_are_read_as_go_writes_them(text: str | None, seconds: int | None) -> None:
    assert AssumeRole(role_arn=FIRST, duration=text).duration_seconds() == seconds


def test_keys_are_not_in_the_repr_of_configuration_and_session(cloud: Cloud) -> None:
    config = parse_config(
        {"region": "us-east-1", "accessKey": "AK-canary", "secretKey": "SK-canary", "skipCredentialsValidation": "true"}
    )
    assert leaks(repr(config) + repr(connect_session(config)), "canary") == {}


def test_a_provider_without_a_region_says_how_to_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(ProviderError, match="aws:region"):
        connect_session(parse_config({}))


def test_the_region_comes_from_the_environment_if_from_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert connect_session(parse_config({"skipCredentialsValidation": "true"})).region == "eu-west-1"


def test_the_real_aws_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    config = parse_config({"region": "us-east-1", "accessKey": "a", "secretKey": "b"})
    with pytest.raises(ProviderError, match="speaks to local clouds only"):
        connect_session(config)


def test_clients_are_made_once_for_a_region(cloud: Cloud) -> None:
    session = connect_session(
        parse_config(
            {"region": "us-east-1", "endpoints": [{"secretsmanager": cloud.url}], "skipCredentialsValidation": "true"}
        )
    )
    assert session.secretsmanager() is session.secretsmanager("us-east-1")
    assert session.secretsmanager("eu-west-1") is not session.secretsmanager()
    session.close()


def test_a_throttled_call_is_tried_again(cloud: Cloud, connect: Connect) -> None:
    cloud.refusals["CreateSecret"] = Refusal("ThrottlingException", "Rate exceeded", times=1)
    connect().create(SECRET, {"name": "a"})
    assert cloud.calls["CreateSecret"] == 2


def test_the_number_of_retries_can_be_set(cloud: Cloud, connect: Connect) -> None:
    cloud.refusals["CreateSecret"] = Refusal("ThrottlingException", "Rate exceeded")
    with pytest.raises(grpc.RpcError, match="api error ThrottlingException: Rate exceeded"):
        connect(maxRetries=0).create(SECRET, {"name": "a"})
    assert cloud.calls["CreateSecret"] == 1


def test_a_cloud_that_does_not_answer_is_named(connect: Connect) -> None:
    silent = {"secretsmanager": "http://127.0.0.1:9"}
    provider = connect(skipCredentialsValidation=True, maxRetries=0, endpoints=[silent])
    with pytest.raises(grpc.RpcError, match=r"no answer from AWS at http://127\.0\.0\.1:9.*: EndpointConnectionError"):
        provider.create(SECRET, {"name": "a"})
