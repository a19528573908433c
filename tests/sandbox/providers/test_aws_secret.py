"""`aws:secretsmanager/secret:Secret`: what the engine asks, what AWS then holds."""

from __future__ import annotations

import time
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from tests.sandbox.providers.harness import (
    ACCOUNT,
    SECRET,
    Cloud,
    Connect,
    Connection,
    Refusal,
    Resource,
    half_made,
    struct,
)
from uss.sandbox.providers.values import UNKNOWN, Properties, decode

Diff = provider_pb2.DiffResponse
PENDING = "You can't create this secret because a secret with this name is already scheduled for deletion."


def described(cloud: Cloud, name: str, region: str = "us-east-1") -> Any:
    return cloud.client(region).describe_secret(SecretId=name)


def test_a_secret_is_created_as_asked(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "app/db", "description": "the database", "tags": {"team": "payments"}})
    found = described(cloud, "app/db")
    assert made.id == made.outputs["arn"] == found["ARN"]
    assert found["ARN"].startswith(f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:app/db-")
    assert (found["Description"], found["Tags"]) == ("the database", [{"Key": "team", "Value": "payments"}])
    assert made.outputs["tags"] == made.outputs["tagsAll"] == {"team": "payments"}
    assert (made.outputs["region"], made.outputs["replicas"], made.outputs["policy"]) == ("us-east-1", [], "")


def test_defaults_are_filled_in_and_listed(provider: Connection) -> None:
    inputs = decode(provider.check(SECRET, {"name": "a"}).inputs).properties
    assert inputs == {
        "name": "a",
        "forceOverwriteReplicaSecret": False,
        "recoveryWindowInDays": 30,
        "__defaults": ["forceOverwriteReplicaSecret", "recoveryWindowInDays"],
    }


def test_a_secret_without_a_name_is_named_after_its_logical_name_and_keeps_that_name(provider: Connection) -> None:
    first = decode(provider.check(SECRET, {}).inputs).properties
    assert first["name"].startswith("logical-")
    again = decode(provider.check(SECRET, {"description": "x"}, olds=first | {"name": "logical-old"}).inputs).properties
    assert again["name"] == "logical-old"


def test_the_engines_naming_is_followed(provider: Connection) -> None:
    options = provider_pb2.CheckRequest.AutonamingOptions
    proposed = provider.check(SECRET, {}, autonaming=options(proposed_name="by-engine", mode=options.ENFORCE))
    assert decode(proposed.inputs).properties["name"] == "by-engine"
    refused = provider.check(SECRET, {}, autonaming=options(mode=options.DISABLE))
    assert [failure.property for failure in refused.failures] == ["name"]


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        ({"name": "has space"}, "name"),
        ({"name": "x" * 513}, "name"),
        ({"name": "a", "recoveryWindowInDays": 3}, "recoveryWindowInDays"),
        ({"name": "a", "secretString": "value"}, "secretString"),
        ({"name": "a", "policy": "not JSON"}, "policy"),
    ],
)
def test_inputs_that_aws_does_not_take_fail_the_check(provider: Connection, inputs: Properties, fault: str) -> None:
    assert [failure.property for failure in provider.check(SECRET, inputs).failures] == [fault]


def test_a_preview_touches_nothing_and_knows_what_it_can(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(
        SECRET, {"name": "a", "tags": {"k": "v"}, "replicas": [{"region": "eu-west-1"}]}, preview=True
    )
    assert made.id == ""
    assert made.outputs["arn"] == made.outputs["id"] == UNKNOWN
    assert (made.outputs["name"], made.outputs["region"], made.outputs["tagsAll"]) == ("a", "us-east-1", {"k": "v"})
    assert made.outputs["replicas"][0]["status"] == UNKNOWN
    changed = provider.update(
        SECRET, Resource("arn", {}, {"arn": "arn", "policy": ""}, frozenset()), {"name": "a"}, preview=True
    )
    assert changed.outputs["arn"] == "arn"
    assert set(cloud.calls) == {"GetCallerIdentity"}


def test_checks_and_diffs_ask_aws_nothing(connect: Connect) -> None:
    offline = connect(skipCredentialsValidation=True, endpoints=[{"secretsmanager": "http://127.0.0.1:9"}])
    old = Resource(
        "arn",
        {"name": "a"},
        {"name": "a", "recoveryWindowInDays": 30, "forceOverwriteReplicaSecret": False},
        frozenset(),
    )
    assert offline.diff(SECRET, old, {"name": "a"}).changes == Diff.DIFF_NONE


def test_a_new_name_replaces_and_asks_to_delete_first_only_if_the_program_gave_it(provider: Connection) -> None:
    named = provider.create(SECRET, {"name": "old"})
    renamed = provider.diff(SECRET, named, {"name": "new"})
    assert (list(renamed.replaces), renamed.deleteBeforeReplace) == (["name"], True)
    unnamed = provider.create(SECRET, {})
    moved = provider.diff(SECRET, unnamed, {"region": "eu-west-1"})
    assert (list(moved.replaces), moved.deleteBeforeReplace) == (["region"], False)


def test_an_update_changes_description_and_tags_in_place(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a", "description": "old", "tags": {"gone": "1", "kept": "1", "new": "1"}})
    news = {"name": "a", "description": "new", "tags": {"kept": "1", "new": "2"}}
    assert sorted(provider.diff(SECRET, made, news).detailedDiff) == ["description", "tags", "tagsAll"]
    updated = provider.update(SECRET, made, news)
    found = described(cloud, "a")
    assert found["Description"] == "new"
    assert (
        {tag["Key"]: tag["Value"] for tag in found["Tags"]} == updated.outputs["tagsAll"] == {"kept": "1", "new": "2"}
    )
    assert provider.diff(SECRET, updated, news).changes == Diff.DIFF_NONE


def test_replicas_are_added_and_removed_in_place(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a", "replicas": [{"region": "eu-west-1"}]})
    assert made.outputs["replicas"][0]["status"] == "InSync"
    news = {"name": "a", "replicas": [{"region": "eu-central-1"}]}
    assert list(provider.diff(SECRET, made, news).replaces) == []
    updated = provider.update(SECRET, made, news)
    assert [replica["region"] for replica in updated.outputs["replicas"]] == ["eu-central-1"]
    assert described(cloud, "a", "eu-central-1")["PrimaryRegion"] == "us-east-1"
    with pytest.raises(cloud.client().exceptions.ResourceNotFoundException):
        described(cloud, "a", "eu-west-1")


def test_replicas_left_out_of_the_program_stay_and_an_empty_list_removes_them(provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a", "replicas": [{"region": "eu-west-1"}]})
    assert provider.diff(SECRET, made, {"name": "a"}).changes == Diff.DIFF_NONE
    assert list(provider.diff(SECRET, made, {"name": "a", "replicas": []}).detailedDiff) == ["replicas"]
    assert provider.update(SECRET, made, {"name": "a", "replicas": []}).outputs["replicas"] == []


def test_a_replica_whose_name_is_taken_is_reported_not_raised(cloud: Cloud, provider: Connection) -> None:
    cloud.client("eu-west-1").create_secret(Name="a", SecretString="foreign")
    made = provider.create(SECRET, {"name": "a", "replicas": [{"region": "eu-west-1"}]})
    assert made.outputs["replicas"][0]["status"] == "Failed"
    assert "already exists" in made.outputs["replicas"][0]["statusMessage"]


def test_a_replica_takes_the_name_over_when_it_is_forced(cloud: Cloud, provider: Connection) -> None:
    cloud.client("eu-west-1").create_secret(Name="a", SecretString="foreign")
    made = provider.create(
        SECRET, {"name": "a", "replicas": [{"region": "eu-west-1"}], "forceOverwriteReplicaSecret": True}
    )
    assert made.outputs["replicas"][0]["status"] == "InSync"


def test_the_region_property_wins_over_the_providers(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a", "region": "eu-west-1"})
    assert described(cloud, "a", "eu-west-1")["ARN"] == made.id
    provider.update(SECRET, made, {"name": "a", "region": "eu-west-1", "description": "changed"})
    assert described(cloud, "a", "eu-west-1")["Description"] == "changed"
    provider.delete(SECRET, made)
    assert described(cloud, "a", "eu-west-1")["DeletedDate"]


def test_a_secret_stays_where_it_is_when_the_providers_region_changes(connect: Connect) -> None:
    made = connect().create(SECRET, {"name": "a"})
    elsewhere = connect(region="eu-west-1")
    assert elsewhere.diff(SECRET, made, {"name": "a"}).changes == Diff.DIFF_NONE
    read = elsewhere.read(SECRET, made.id, made)
    assert read and read.outputs["region"] == "us-east-1"


def test_default_tags_are_added_and_a_change_of_them_is_a_change_of_every_secret(
    cloud: Cloud, connect: Connect
) -> None:
    tagging = connect(defaultTags={"tags": {"owner": "uss", "team": "default"}})
    made = tagging.create(SECRET, {"name": "a", "tags": {"team": "own"}})
    assert made.outputs["tags"] == {"team": "own"}
    assert made.outputs["tagsAll"] == {"owner": "uss", "team": "own"}
    assert {tag["Key"] for tag in described(cloud, "a")["Tags"]} == {"owner", "team"}
    retagging = connect(defaultTags={"tags": {"owner": "new"}})
    news = {"name": "a", "tags": {"team": "own"}}
    assert list(retagging.diff(SECRET, made, news).detailedDiff) == ["tagsAll"]
    assert retagging.update(SECRET, made, news).outputs["tagsAll"] == {"owner": "new", "team": "own"}
    read = retagging.read(SECRET, made.id, made)
    assert read and read.inputs["tags"] == {"team": "own"}


def test_all_tags_are_secret_when_the_tags_are(provider: Connection) -> None:
    assert provider.create(SECRET, {"name": "a", "tags": {"k": "v"}}, secrets={"tags"}).secrets == {"tags", "tagsAll"}


def test_ignored_changes_are_none(provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a", "description": "old"})
    news = {"name": "b", "description": "new", "tags": {"k": "v"}}
    assert provider.diff(SECRET, made, news, ignore=["*"]).changes == Diff.DIFF_NONE
    assert list(provider.diff(SECRET, made, news, ignore=["tags", "tagsAll", "name"]).detailedDiff) == ["description"]


def test_a_policy_is_put_compared_as_json_and_taken_away(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a", "policy": '{"Version": "2012-10-17", "Statement": []}'})
    assert (
        provider.diff(SECRET, made, {"name": "a", "policy": '{"Statement":[],"Version":"2012-10-17"}'}).changes
        == Diff.DIFF_NONE
    )
    assert provider.update(SECRET, made, {"name": "a", "policy": "{}"}).outputs["policy"] == ""
    assert "ResourcePolicy" not in cloud.client().get_resource_policy(SecretId="a")


@pytest.mark.parametrize(("window", "kept"), [(7, True), (0, False)])
def test_deletion_follows_the_recovery_window(cloud: Cloud, provider: Connection, window: int, kept: bool) -> None:
    made = provider.create(SECRET, {"name": "a", "recoveryWindowInDays": window, "replicas": [{"region": "eu-west-1"}]})
    provider.delete(SECRET, made)
    found = cloud.client().list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert [secret["Name"] for secret in found] == (["a"] if kept else [])
    assert cloud.client("eu-west-1").list_secrets()["SecretList"] == []


def test_a_secret_whose_state_has_no_recovery_window_is_deleted_without_recovery(
    cloud: Cloud, provider: Connection
) -> None:
    provider.create(SECRET, {"name": "a"})
    imported = provider.read(SECRET, described(cloud, "a")["ARN"])
    assert imported and "recoveryWindowInDays" not in imported.outputs
    provider.delete(SECRET, imported)
    assert cloud.client().list_secrets(IncludePlannedDeletion=True)["SecretList"] == []


def test_deleting_a_secret_that_is_gone_is_no_error(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a", "replicas": [{"region": "eu-west-1"}]})
    cloud.client().remove_regions_from_replication(SecretId="a", RemoveReplicaRegions=["eu-west-1"])
    cloud.client().delete_secret(SecretId="a", ForceDeleteWithoutRecovery=True)
    cloud.refusals["DeleteSecret"] = Refusal("ResourceNotFoundException", "Secrets Manager can't find it.")
    provider.delete(SECRET, made)


def test_a_name_that_is_soon_free_again_is_waited_for(cloud: Cloud, provider: Connection) -> None:
    cloud.refusals["CreateSecret"] = Refusal("InvalidRequestException", PENDING, times=1)
    provider.create(SECRET, {"name": "a"})
    assert cloud.calls["CreateSecret"] == 2


def test_a_name_pending_deletion_fails_in_a_few_seconds_with_awss_words(cloud: Cloud, provider: Connection) -> None:
    cloud.refusals["CreateSecret"] = Refusal("InvalidRequestException", PENDING)
    start = time.monotonic()
    words = (
        r"creating Secrets Manager Secret \(a\): operation error .*: CreateSecret.*api error InvalidRequestException: "
    )
    with pytest.raises(grpc.RpcError, match=words + PENDING):
        provider.create(SECRET, {"name": "a"})
    assert time.monotonic() - start < 10


def test_a_name_that_exists_is_refused_with_awss_code(cloud: Cloud, provider: Connection) -> None:
    cloud.client().create_secret(Name="taken", SecretString="foreign")
    with pytest.raises(
        grpc.RpcError, match=r"creating Secrets Manager Secret \(taken\): .*api error ResourceExistsException: "
    ):
        provider.create(SECRET, {"name": "taken"})


def test_an_import_reads_everything_that_a_program_would_say(cloud: Cloud, provider: Connection) -> None:
    arn = cloud.client().create_secret(
        Name="a", Description="d", Tags=[{"Key": "k", "Value": "v"}], AddReplicaRegions=[{"Region": "eu-west-1"}]
    )["ARN"]
    imported = provider.read(SECRET, arn)
    assert imported and imported.id == arn
    assert imported.inputs["replicas"][0]["region"] == "eu-west-1"
    assert {key: imported.inputs[key] for key in ("name", "description", "tags")} == {
        "name": "a",
        "description": "d",
        "tags": {"k": "v"},
    }
    assert "region" not in imported.inputs


def test_an_import_can_name_another_region(cloud: Cloud, provider: Connection) -> None:
    arn = cloud.client("eu-west-1").create_secret(Name="a")["ARN"]
    imported = provider.read(SECRET, f"{arn}@eu-west-1")
    assert imported and (imported.id, imported.inputs["region"]) == (arn, "eu-west-1")


def test_a_refresh_shows_drift_in_inputs_and_outputs(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a"})
    cloud.client().update_secret(SecretId="a", Description="by hand")
    read = provider.read(SECRET, made.id, made)
    assert read and read.inputs["description"] == read.outputs["description"] == "by hand"
    assert read.inputs["__defaults"] == made.inputs["__defaults"]
    assert list(provider.diff(SECRET, read, {"name": "a"}).detailedDiff) == ["description"]


def test_a_secret_gone_or_scheduled_for_deletion_has_no_id(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a"})
    cloud.client().delete_secret(SecretId="a")
    assert provider.read(SECRET, made.id, made) is None
    cloud.client().delete_secret(SecretId="a", ForceDeleteWithoutRecovery=True)
    assert provider.read(SECRET, made.id, made) is None


def test_a_read_that_is_denied_is_an_error_not_an_absence(cloud: Cloud, provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a"})
    cloud.refusals["DescribeSecret"] = Refusal("AccessDeniedException", "not authorized")
    with pytest.raises(
        grpc.RpcError, match=r"reading Secrets Manager Secret \(arn.*api error AccessDeniedException: not authorized"
    ):
        provider.read(SECRET, made.id, made)


def test_a_secret_that_is_half_made_is_handed_over_with_what_is_known(cloud: Cloud, provider: Connection) -> None:
    cloud.refusals["PutResourcePolicy"] = Refusal("AccessDeniedException", "not authorized", times=1)
    news = {"name": "a", "policy": '{"Version":"2012-10-17"}'}
    with pytest.raises(grpc.RpcError) as failed:
        provider.create(SECRET, news)
    detail = half_made(failed.value)
    arn = described(cloud, "a")["ARN"]
    assert (detail.id, len(detail.reasons)) == (arn, 1)
    assert "AccessDeniedException" in detail.reasons[0]
    half = Resource(arn, {}, decode(detail.properties).properties, frozenset())
    assert list(provider.diff(SECRET, half, news).detailedDiff) == ["policy"]
    assert provider.update(SECRET, half, news).outputs["policy"] == news["policy"]


def test_an_unknown_property_of_a_replacement_is_a_replacement(provider: Connection) -> None:
    made = provider.create(SECRET, {"name": "a"})
    response = provider.stub.Diff(
        provider_pb2.DiffRequest(
            type=SECRET, id=made.id, olds=struct(made.outputs), news=struct(made.inputs | {"name": UNKNOWN})
        )
    )
    assert list(response.replaces) == ["name"]
