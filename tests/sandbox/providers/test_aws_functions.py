"""The functions of the package `aws`."""

from __future__ import annotations

import grpc
import pytest

from tests.sandbox.providers.harness import ACCOUNT, Cloud, Connection

GET_SECRET = "aws:secretsmanager/getSecret:getSecret"
GET_SECRETS = "aws:secretsmanager/getSecrets:getSecrets"
GET_VERSION = "aws:secretsmanager/getSecretVersion:getSecretVersion"
GET_REGION = "aws:index/getRegion:getRegion"
GET_CALLER_IDENTITY = "aws:index/getCallerIdentity:getCallerIdentity"


def test_a_secret_is_found_by_name_and_by_arn(cloud: Cloud, provider: Connection) -> None:
    arn = cloud.client().create_secret(Name="a", Description="d", Tags=[{"Key": "k", "Value": "v"}])["ARN"]
    found = provider.invoke(GET_SECRET, name="a").properties
    assert found == provider.invoke(GET_SECRET, arn=arn).properties
    assert (found["arn"], found["description"], found["tags"], found["region"]) == (arn, "d", {"k": "v"}, "us-east-1")


def test_a_secret_in_another_region_is_found_there(cloud: Cloud, provider: Connection) -> None:
    cloud.client("eu-west-1").create_secret(Name="a")
    assert provider.invoke(GET_SECRET, name="a", region="eu-west-1").properties["region"] == "eu-west-1"
    with pytest.raises(grpc.RpcError, match=r"reading Secrets Manager Secret \(a\).*ResourceNotFoundException"):
        provider.invoke(GET_SECRET, name="a")


def test_a_secret_scheduled_for_deletion_is_not_found(cloud: Cloud, provider: Connection) -> None:
    cloud.client().create_secret(Name="a")
    cloud.client().delete_secret(SecretId="a")
    with pytest.raises(grpc.RpcError, match="couldn.t find resource"):
        provider.invoke(GET_SECRET, name="a")


def test_a_secret_must_be_named(provider: Connection) -> None:
    with pytest.raises(grpc.RpcError, match="one of `arn,name`"):
        provider.invoke(GET_SECRET)


def test_a_value_is_read_by_label_or_by_version_and_is_secret(cloud: Cloud, provider: Connection) -> None:
    first = cloud.client().create_secret(Name="a", SecretString="old")
    cloud.client().put_secret_value(SecretId="a", SecretString="new")
    current = provider.invoke(GET_VERSION, secretId="a")
    assert (current.properties["secretString"], current.properties["versionStage"]) == ("new", "AWSCURRENT")
    assert "secretString" in current.secrets
    old = provider.invoke(GET_VERSION, secretId="a", versionId=first["VersionId"]).properties
    assert (old["secretString"], old["versionStages"]) == ("old", ["AWSPREVIOUS"])
    assert provider.invoke(GET_VERSION, secretId="a", versionStage="AWSPREVIOUS").properties["secretString"] == "old"


def test_secrets_are_listed_by_filters_over_all_pages(cloud: Cloud, provider: Connection) -> None:
    for number in range(120):
        cloud.client().create_secret(Name=f"app/{number}", Tags=[{"Key": "owner", "Value": "uss"}])
    cloud.client().create_secret(Name="other")
    found = provider.invoke(GET_SECRETS, filters=[{"name": "tag-key", "values": ["owner"]}]).properties
    assert len(found["names"]) == len(found["arns"]) == 120
    assert len(provider.invoke(GET_SECRETS).properties["names"]) == 121
    assert provider.invoke(GET_SECRETS, region="eu-west-1").properties["names"] == []


def test_the_caller_is_named(provider: Connection) -> None:
    found = provider.invoke(GET_CALLER_IDENTITY).properties
    assert (found["id"], found["accountId"]) == (ACCOUNT, ACCOUNT)
    assert found["arn"].startswith(f"arn:aws:sts::{ACCOUNT}:")


def test_regions_have_descriptions(provider: Connection) -> None:
    assert provider.invoke(GET_REGION).properties["region"] == "us-east-1"
    assert provider.invoke(GET_REGION, region="eu-west-1").properties["description"] == "Europe (Ireland)"
    with pytest.raises(grpc.RpcError, match="invalid AWS Region: nowhere"):
        provider.invoke(GET_REGION, region="nowhere")
