"""`aws:secretsmanager/secretVersion:SecretVersion`: what the engine asks, what AWS then holds."""

from __future__ import annotations

import base64
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from tests.leaks import leaks
from tests.sandbox.providers.harness import SECRET, VERSION, Cloud, Connection, Refusal, Resource, half_made
from uss.sandbox.providers.values import UNKNOWN, decode

Diff = provider_pb2.DiffResponse
CANARY = "canary-5tR0ng!"


@pytest.fixture
def secret(provider: Connection) -> Resource:
    """A secret without a value."""
    return provider.create(SECRET, {"name": "a"})


def current(cloud: Cloud, **chosen: Any) -> Any:
    return cloud.client().get_secret_value(SecretId="a", **chosen)


def stages(cloud: Cloud) -> dict[str, list[str]]:
    return {
        version: sorted(labels)
        for version, labels in cloud.client().describe_secret(SecretId="a")["VersionIdsToStages"].items()
    }


def test_a_value_is_put_and_stays_secret(cloud: Cloud, provider: Connection, secret: Resource) -> None:
    made = provider.create(VERSION, {"secretId": secret.id, "secretString": CANARY}, secrets={"secretString"})
    assert current(cloud)["SecretString"] == CANARY
    assert made.id == f"{secret.id}|{made.outputs['versionId']}"
    assert made.secrets == {"secretString", "secretBinary"}
    assert made.outputs == {
        "id": made.id,
        "arn": secret.id,
        "secretArn": secret.id,
        "secretId": secret.id,
        "secretString": CANARY,
        "secretBinary": "",
        "versionId": current(cloud)["VersionId"],
        "versionStages": ["AWSCURRENT"],
        "region": "us-east-1",
    }


def test_a_value_is_marked_secret_even_if_the_program_did_not(provider: Connection, secret: Resource) -> None:
    assert "secretString" in provider.create(VERSION, {"secretId": secret.id, "secretString": "v"}).secrets


def test_a_preview_touches_nothing(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(VERSION, {"secretId": UNKNOWN, "secretString": "v"}, preview=True)
    assert (made.outputs["versionId"], made.outputs["secretId"], made.outputs["secretString"]) == (
        UNKNOWN,
        UNKNOWN,
        "v",
    )
    assert set(cloud.calls) == {"GetCallerIdentity"}


def test_a_preview_of_moved_staging_labels_touches_nothing(
    cloud: Cloud, provider: Connection, secret: Resource
) -> None:
    made = provider.create(VERSION, {"secretId": secret.id, "secretString": "v"})
    cloud.calls.clear()
    planned = provider.update(VERSION, made, made.inputs | {"versionStages": ["AWSCURRENT", "blue"]}, preview=True)
    assert (planned.outputs["versionStages"], planned.outputs["arn"]) == (["AWSCURRENT", "blue"], secret.id)
    assert not cloud.calls


@pytest.mark.parametrize(
    ("change", "property_name"),
    [
        ({"secretString": "new"}, "secretString"),
        ({"secretId": UNKNOWN}, "secretId"),
        ({"secretId": "other"}, "secretId"),
        ({"region": "eu-west-1"}, "region"),
    ],
)
def test_a_changed_value_secret_or_region_replaces_and_creates_first(
    provider: Connection, secret: Resource, change: dict[str, str], property_name: str
) -> None:
    news = {"secretId": secret.id, "secretString": "old"}
    made = provider.create(VERSION, news)
    changed = provider.diff(VERSION, made, news | change)
    assert (list(changed.replaces), changed.deleteBeforeReplace) == ([property_name], False)
    assert provider.diff(VERSION, made, news).changes == Diff.DIFF_NONE


def test_a_new_version_takes_over_and_deleting_the_old_one_leaves_the_value_readable(
    cloud: Cloud, provider: Connection, secret: Resource
) -> None:
    old = provider.create(VERSION, {"secretId": secret.id, "secretString": "old"})
    new = provider.create(VERSION, {"secretId": secret.id, "secretString": "new"})
    provider.delete(VERSION, old)
    assert stages(cloud) == {old.outputs["versionId"]: ["AWSPREVIOUS"], new.outputs["versionId"]: ["AWSCURRENT"]}
    provider.delete(VERSION, new)
    assert current(cloud)["SecretString"] == "new"


def test_binary_values_travel_as_base64(cloud: Cloud, provider: Connection, secret: Resource) -> None:
    data = bytes(range(256))
    made = provider.create(VERSION, {"secretId": secret.id, "secretBinary": base64.b64encode(data).decode()})
    assert current(cloud)["SecretBinary"] == data
    read = provider.read(VERSION, made.id)
    assert read and base64.b64decode(read.inputs["secretBinary"]) == data


def test_an_empty_value_is_refused_in_awss_words(provider: Connection, secret: Resource) -> None:
    with pytest.raises(
        grpc.RpcError, match="api error InvalidRequestException: You must provide either SecretString or"
    ):
        provider.create(VERSION, {"secretId": secret.id, "secretString": ""})


def test_the_limit_of_a_value_is_counted_in_bytes(provider: Connection, secret: Resource) -> None:
    provider.create(VERSION, {"secretId": secret.id, "secretString": "ü" * 32_768})
    with pytest.raises(grpc.RpcError, match="ValidationException.*less than or equal to 65536"):
        provider.create(VERSION, {"secretId": secret.id, "secretString": "ü" * 32_768 + "x"})


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        ({"secretString": "v"}, "secretId"),
        ({"secretId": "a", "secretString": "v", "secretBinary": "dg=="}, "secretBinary"),
        ({"secretId": "a", "secretBinary": "not base64"}, "secretBinary"),
        ({"secretId": "a", "secretString": {"password": CANARY}}, "secretString"),
    ],
)
def test_inputs_that_cannot_be_right_fail_the_check(provider: Connection, inputs: dict[str, Any], fault: str) -> None:
    failures = provider.check(VERSION, inputs).failures
    assert [failure.property for failure in failures] == [fault]
    assert leaks(str(failures), CANARY) == {}


def test_staging_labels_are_moved_in_place(cloud: Cloud, provider: Connection, secret: Resource) -> None:
    old = provider.create(
        VERSION, {"secretId": secret.id, "secretString": "old", "versionStages": ["AWSCURRENT", "blue"]}
    )
    new = provider.create(VERSION, {"secretId": secret.id, "secretString": "new", "versionStages": ["green"]})
    news = old.inputs | {"versionStages": ["blue", "AWSCURRENT"]}
    assert provider.diff(VERSION, old, news).changes == Diff.DIFF_NONE
    promoted = provider.update(VERSION, new, new.inputs | {"versionStages": ["AWSCURRENT"]})
    assert promoted.outputs["versionStages"] == ["AWSCURRENT"]
    assert current(cloud, VersionStage="AWSCURRENT")["SecretString"] == "new"
    provider.delete(VERSION, Resource(old.id, {}, old.outputs | {"versionStages": ["blue"]}, frozenset()))
    assert stages(cloud)[old.outputs["versionId"]] == ["AWSPREVIOUS"]


def test_deleting_a_version_of_a_secret_that_is_gone_is_no_error(
    cloud: Cloud, provider: Connection, secret: Resource
) -> None:
    made = provider.create(VERSION, {"secretId": secret.id, "secretString": "v"})
    cloud.client().delete_secret(SecretId="a")
    provider.delete(VERSION, made)
    cloud.client().delete_secret(SecretId="a", ForceDeleteWithoutRecovery=True)
    provider.delete(VERSION, made)


def test_an_import_reads_the_value_as_a_secret(cloud: Cloud, provider: Connection) -> None:
    made = cloud.client().create_secret(Name="a", SecretString=CANARY)
    imported = provider.read(VERSION, f"{made['ARN']}|{made['VersionId']}")
    assert imported and imported.inputs["secretString"] == CANARY
    assert imported.inputs["secretId"] == made["ARN"]
    assert "secretString" in imported.secrets


@pytest.mark.parametrize(
    ("resource_id", "words"),
    [("arn|AWSCURRENT", "not a staging label"), ("arn", "expected SecretID.VersionID")],
)
def test_an_import_needs_the_versions_own_id(provider: Connection, resource_id: str, words: str) -> None:
    with pytest.raises(grpc.RpcError, match=words):
        provider.read(VERSION, resource_id)


def test_a_refresh_reads_the_staging_labels_that_others_moved(
    cloud: Cloud, provider: Connection, secret: Resource
) -> None:
    made = provider.create(VERSION, {"secretId": secret.id, "secretString": "v"})
    cloud.client().put_secret_value(SecretId="a", SecretString="by hand")
    read = provider.read(VERSION, made.id, made)
    assert read and read.outputs["versionStages"] == ["AWSPREVIOUS"]
    assert provider.diff(VERSION, read, {"secretId": secret.id, "secretString": "v"}).changes == Diff.DIFF_NONE


def test_a_version_of_a_secret_that_is_gone_has_no_id(cloud: Cloud, provider: Connection, secret: Resource) -> None:
    made = provider.create(VERSION, {"secretId": secret.id, "secretString": "v"})
    cloud.client().delete_secret(SecretId="a")
    assert provider.read(VERSION, made.id, made) is None


def test_a_read_that_is_denied_is_an_error_not_an_absence(cloud: Cloud, provider: Connection, secret: Resource) -> None:
    made = provider.create(VERSION, {"secretId": secret.id, "secretString": "v"})
    cloud.refusals["GetSecretValue"] = Refusal("AccessDeniedException", "not authorized")
    with pytest.raises(grpc.RpcError, match="api error AccessDeniedException: not authorized"):
        provider.read(VERSION, made.id, made)


def test_the_value_is_taken_out_of_awss_own_words(cloud: Cloud, provider: Connection, secret: Resource) -> None:
    cloud.refusals["PutSecretValue"] = Refusal("ValidationException", f"Value '{CANARY}' is not liked")
    with pytest.raises(grpc.RpcError) as failed:
        provider.create(VERSION, {"secretId": secret.id, "secretString": CANARY})
    assert leaks(str(failed.value), CANARY) == {}
    assert r"Value '[secret]' is not liked" in str(failed.value)


def test_a_parameter_that_botocore_refuses_is_named_without_its_value(provider: Connection, secret: Resource) -> None:
    with pytest.raises(
        grpc.RpcError, match=r"value: Invalid length for parameter VersionStages\[0\] \(refused"
    ) as failed:
        provider.create(VERSION, {"secretId": secret.id, "secretString": CANARY, "versionStages": [""]})
    assert leaks(str(failed.value), CANARY) == {}


def test_a_version_whose_value_cannot_be_read_back_is_handed_over_as_half_made(
    cloud: Cloud, provider: Connection, secret: Resource
) -> None:
    cloud.refusals["GetSecretValue"] = Refusal("AccessDeniedException", "not authorized", times=1)
    news = {"secretId": secret.id, "secretString": CANARY}
    with pytest.raises(grpc.RpcError) as failed:
        provider.create(VERSION, news)
    detail = half_made(failed.value)
    known = decode(detail.properties)
    assert detail.id == f"{secret.id}|{current(cloud)['VersionId']}"
    assert "secretString" in known.secrets
    assert (
        provider.diff(VERSION, Resource(detail.id, {}, known.properties, frozenset()), news).changes == Diff.DIFF_NONE
    )
