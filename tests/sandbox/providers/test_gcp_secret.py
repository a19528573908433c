"""`gcp:secretmanager/secret:Secret` over gRPC, in front of the local Secret Manager."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from tests.sandbox.gcp.kit import AUTOMATIC, OTHER_PROJECT, PARENT, PROJECT, Gcp
from tests.sandbox.providers.harness import Connect, Connection, half_made
from uss.sandbox.faults import Fault, FaultKind
from uss.sandbox.providers.values import UNKNOWN, Properties, decode

SECRET = "gcp:secretmanager/secret:Secret"
ID = f"{PARENT}/secrets/database"
NONE = provider_pb2.DiffResponse.DIFF_NONE


def inputs(**more: Any) -> Properties:
    return {"secretId": "database", "replication": {"auto": {}}} | more


def held(gcp: Gcp, project: str = PROJECT) -> dict[str, Any]:
    return gcp.server.dump().get(project, {})


@pytest.fixture
def provider(connect_gcp: Connect) -> Connection:
    return connect_gcp()


def test_a_secret_is_created_with_its_labels_and_annotations(gcp: Gcp, provider: Connection) -> None:
    made = provider.create(SECRET, inputs(labels={"team": "payments"}, annotations={"title": "The Database"}))
    assert made.id == ID
    landed = held(gcp)["database"]
    assert (landed["labels"], landed["annotations"]) == ({"team": "payments"}, {"title": "The Database"})
    assert landed["replication"] == {"automatic": {}}
    wanted = {
        "id": ID,
        "project": PROJECT,
        "secretId": "database",
        "name": gcp.client().get_secret(name=ID).name,
        "replication": {"auto": {"customerManagedEncryption": None}, "userManaged": None},
        "labels": {"team": "payments"},
        "pulumiLabels": {"team": "payments"},
        "effectiveLabels": {"team": "payments"},
        "annotations": {"title": "The Database"},
        "effectiveAnnotations": {"title": "The Database"},
        "deletionProtection": False,
        "deletionPolicy": "DELETE",
    }
    assert made.outputs.items() >= wanted.items()
    assert made.outputs["createTime"]


def test_a_preview_touches_nothing_and_knows_what_it_can(gcp: Gcp, provider: Connection) -> None:
    gcp.faults.reset_calls()
    planned = provider.create(SECRET, inputs(labels={"team": "payments"}), preview=True).outputs
    assert (planned["id"], planned["name"], planned["createTime"]) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert planned["effectiveLabels"] == {"team": "payments"}
    assert planned["project"] == PROJECT
    assert gcp.faults.calls() == {}
    assert held(gcp) == {}


def test_no_change_is_no_difference_and_no_call(gcp: Gcp, provider: Connection) -> None:
    given = inputs(labels={"team": "payments"}, annotations={"title": "x"}, deletionProtection=True)
    made = provider.create(SECRET, given)
    gcp.faults.reset_calls()
    assert provider.diff(SECRET, made, given).changes == NONE
    assert gcp.faults.calls() == {}


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"secretId": "other"}, "secretId"),
        ({"replication": {"userManaged": {"replicas": [{"location": "us-east1"}]}}}, "replication"),
        ({"project": OTHER_PROJECT}, "project"),
    ],
)
def test_what_cannot_change_replaces_the_secret_and_the_old_one_goes_first(
    provider: Connection, changed: Properties, key: str
) -> None:
    made = provider.create(SECRET, inputs())
    difference = provider.diff(SECRET, made, inputs(**changed))
    assert list(difference.replaces) == [key]
    assert difference.deleteBeforeReplace


def test_a_name_that_the_provider_made_is_replaced_create_first(provider: Connection) -> None:
    made = provider.create(SECRET, {"replication": {"auto": {}}})
    assert made.inputs["secretId"].startswith("logical-")
    assert provider.diff(SECRET, made, {"replication": {"auto": {}}}).changes == NONE
    difference = provider.diff(SECRET, made, {"replication": {"userManaged": {"replicas": [{"location": "us-east1"}]}}})
    assert list(difference.replaces) == ["replication"]
    assert not difference.deleteBeforeReplace


def test_the_providers_project_holds_where_the_secret_names_none(connect_gcp: Connect) -> None:
    made = connect_gcp().create(SECRET, inputs())
    assert list(connect_gcp(project=OTHER_PROJECT).diff(SECRET, made, inputs()).replaces) == ["project"]
    with pytest.raises(grpc.RpcError, match="project: required field is not set"):
        connect_gcp(project=None).create(SECRET, inputs(), preview=True)


def test_labels_and_annotations_change_in_place_and_those_of_others_stay(gcp: Gcp, provider: Connection) -> None:
    made = provider.create(SECRET, inputs(labels={"a": "1", "b": "1"}, annotations={"t": "1"}))
    gcp.client().update_secret(
        secret={"name": ID, "labels": {"a": "1", "b": "1", "by": "hand"}}, update_mask={"paths": ["labels"]}
    )
    refreshed = provider.read(SECRET, ID, made)
    assert refreshed
    assert refreshed.outputs["labels"] == {"a": "1", "b": "1"}
    assert refreshed.outputs["effectiveLabels"] == {"a": "1", "b": "1", "by": "hand"}
    news = inputs(labels={"a": "2"}, annotations={"t": "2", "u": "1"})
    difference = provider.diff(SECRET, refreshed, news)
    assert set(difference.diffs) == {
        *("labels", "pulumiLabels", "effectiveLabels"),
        *("annotations", "effectiveAnnotations"),
    }
    assert not difference.replaces
    updated = provider.update(SECRET, refreshed, news)
    landed = held(gcp)["database"]
    assert landed["labels"] == updated.outputs["effectiveLabels"] == {"a": "2", "by": "hand"}
    assert landed["annotations"] == updated.outputs["annotations"] == {"t": "2", "u": "1"}
    assert provider.diff(SECRET, updated, news).changes == NONE


def test_a_label_that_drifted_is_set_back(gcp: Gcp, provider: Connection) -> None:
    given = inputs(labels={"team": "payments"})
    made = provider.create(SECRET, given)
    gcp.client().update_secret(secret={"name": ID, "labels": {"team": "x"}}, update_mask={"paths": ["labels"]})
    refreshed = provider.read(SECRET, ID, made)
    assert refreshed
    provider.update(SECRET, refreshed, given)
    assert held(gcp)["database"]["labels"] == {"team": "payments"}


def test_default_labels_and_the_attribution_label_are_the_providers_own(gcp: Gcp, connect_gcp: Connect) -> None:
    labelled = connect_gcp(defaultLabels={"owner": "platform", "team": "default"}, addPulumiAttributionLabel=None)
    given = inputs(labels={"team": "payments"})
    made = labelled.create(SECRET, given)
    everything = {"owner": "platform", "team": "payments", "goog-pulumi-provisioned": "true"}
    assert held(gcp)["database"]["labels"] == everything
    assert made.outputs["labels"] == {"team": "payments"}
    assert made.outputs["pulumiLabels"] == everything
    assert labelled.diff(SECRET, made, given).changes == NONE
    plain = connect_gcp()
    assert set(plain.diff(SECRET, made, given).diffs) == {"pulumiLabels", "effectiveLabels"}
    assert plain.update(SECRET, made, given).outputs["effectiveLabels"] == {"team": "payments"}


def test_the_attribution_label_is_added_at_creation_only_unless_asked_for(connect_gcp: Connect) -> None:
    made = connect_gcp().create(SECRET, inputs())
    later = connect_gcp(addPulumiAttributionLabel=True)
    assert later.diff(SECRET, made, inputs()).changes == NONE
    proactive = connect_gcp(addPulumiAttributionLabel=True, pulumiAttributionLabelAdditionStrategy="PROACTIVE")
    assert "effectiveLabels" in proactive.diff(SECRET, made, inputs()).diffs


def test_labels_that_are_secret_stay_secret_in_all_outputs(provider: Connection) -> None:
    made = provider.create(SECRET, inputs(labels={"team": "payments"}), secrets=["labels"])
    assert {"labels", "pulumiLabels", "effectiveLabels"} <= made.secrets


def test_replicas_aliases_and_the_delay_of_destructions_are_written(gcp: Gcp, provider: Connection) -> None:
    replication = {"userManaged": {"replicas": [{"location": "europe-west1"}, {"location": "us-east1"}]}}
    given = inputs(replication=replication, versionDestroyTtl="86400s")
    made = provider.create(SECRET, given)
    assert made.outputs["replication"]["userManaged"]["replicas"] == [
        {"location": "europe-west1", "customerManagedEncryption": None},
        {"location": "us-east1", "customerManagedEncryption": None},
    ]
    assert made.outputs["versionDestroyTtl"] == "86400s"
    assert provider.diff(SECRET, made, given).changes == NONE
    gcp.client().add_secret_version(parent=ID, payload={"data": b"x"})
    updated = provider.update(SECRET, made, given | {"versionAliases": {"stable": "1"}, "versionDestroyTtl": ""})
    assert updated.outputs["versionAliases"] == {"stable": "1"}
    assert updated.outputs["versionDestroyTtl"] == ""
    assert held(gcp)["database"]["versionAliases"] == {"stable": 1}


def encrypted(location: str) -> Properties:
    key = f"projects/keys/locations/{location}/keyRings/ring/cryptoKeys/payments"
    return {"customerManagedEncryption": {"kmsKeyName": key}}


def replicas(*locations: str, encrypt: bool = False) -> Properties:
    listed = [{"location": location} | (encrypted(location) if encrypt else {}) for location in locations]
    return {"userManaged": {"replicas": listed}}


@pytest.mark.parametrize(
    ("plain", "encrypting", "path"),
    [
        ({"auto": {}}, {"auto": encrypted("global")}, "replication.auto.customerManagedEncryption"),
        (
            replicas("us-east1"),
            replicas("us-east1", encrypt=True),
            "replication.userManaged.replicas[0].customerManagedEncryption",
        ),
    ],
    ids=["automatic", "user-managed"],
)
def test_keys_are_changed_in_place_and_taken_away_where_the_program_names_none(
    gcp: Gcp, provider: Connection, plain: Properties, encrypting: Properties, path: str
) -> None:
    made = provider.create(SECRET, inputs(replication=encrypting))
    assert "projects/keys/" in str(held(gcp)["database"]["replication"])
    assert provider.diff(SECRET, made, inputs(replication=encrypting)).changes == NONE
    assert provider.diff(SECRET, made, inputs(replication=plain), ignore=["replication"]).changes == NONE
    difference = provider.diff(SECRET, made, inputs(replication=plain))
    assert {key: change.kind for key, change in difference.detailedDiff.items()} == {
        path: provider_pb2.PropertyDiff.DELETE
    }
    assert list(difference.diffs) == ["replication"]
    assert not difference.replaces
    bare = provider.update(SECRET, made, inputs(replication=plain))
    assert "projects/keys/" not in str(held(gcp)["database"]["replication"])
    assert "projects/keys/" not in str(bare.outputs)
    provider.update(SECRET, bare, inputs(replication=encrypting))
    assert "projects/keys/" in str(held(gcp)["database"]["replication"])


def test_replicas_are_compared_in_their_order(provider: Connection) -> None:
    made = provider.create(SECRET, inputs(replication=replicas("us-east1", "us-west1")))
    turned = provider.diff(SECRET, made, inputs(replication=replicas("us-west1", "us-east1")))
    paths = [f"replication.userManaged.replicas[{place}].location" for place in (0, 1)]
    assert sorted(turned.detailedDiff) == paths
    assert list(turned.replaces) == ["replication"]
    fewer = provider.diff(SECRET, made, inputs(replication=replicas("us-east1")))
    assert {path: change.kind for path, change in fewer.detailedDiff.items()} == {
        "replication.userManaged.replicas[1]": provider_pb2.PropertyDiff.DELETE_REPLACE
    }


def test_an_import_takes_a_key_into_the_inputs_and_a_refresh_into_the_outputs_only(
    gcp: Gcp, provider: Connection
) -> None:
    made = provider.create(SECRET, inputs())
    key = encrypted("global")["customerManagedEncryption"]["kmsKeyName"]
    automatic = {"automatic": {"customer_managed_encryption": {"kms_key_name": key}}}
    gcp.client().update_secret(secret={"name": ID, "replication": automatic}, update_mask={"paths": ["replication"]})
    refreshed, imported = provider.read(SECRET, ID, made), provider.read(SECRET, ID)
    assert refreshed
    assert imported
    assert refreshed.inputs["replication"] == {"auto": {}}
    assert imported.inputs["replication"] == {"auto": encrypted("global")}
    assert refreshed.outputs["replication"] == imported.outputs["replication"]
    assert refreshed.outputs["replication"]["auto"] == encrypted("global")


def test_a_name_in_use_is_a_conflict(gcp: Gcp, provider: Connection) -> None:
    gcp.client().create_secret(parent=PARENT, secret_id="database", secret=AUTOMATIC)
    with pytest.raises(grpc.RpcError, match=r"Error creating Secret: googleapi: Error 409: Secret .* already exists"):
        provider.create(SECRET, inputs())


def test_a_name_that_does_not_fit_is_refused_by_the_service(provider: Connection) -> None:
    with pytest.raises(grpc.RpcError, match=r"googleapi: Error 400: The provided Secret ID \[with space\]"):
        provider.create(SECRET, inputs(secretId="with space"))


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"replication": {}}, "replication"),
        ({"replication": {"auto": {}, "userManaged": {"replicas": []}}}, "replication"),
        ({"replication": {"auto": None, "userManaged": None}}, "replication"),
        ({"replication": None}, "replication"),
        ({"deletionPolicy": "KEEP"}, "deletionPolicy"),
        ({"versionDestroyTtl": "1 day"}, "versionDestroyTtl"),
        ({"ttl": "60s"}, "ttl"),
        ({"topics": [{"name": "t"}]}, "topics"),
    ],
)
def test_inputs_that_cannot_work_are_told_in_the_preview(provider: Connection, wrong: Properties, key: str) -> None:
    assert [failure.property for failure in provider.check(SECRET, inputs(**wrong)).failures] == [key]


def test_a_secret_is_read_and_imported_by_any_of_its_names(gcp: Gcp, provider: Connection) -> None:
    gcp.client().create_secret(
        parent=PARENT, secret_id="database", secret=AUTOMATIC | {"labels": {"by": "hand"}, "annotations": {"a": "b"}}
    )
    for name in (ID, f"{PROJECT}/database", "database"):
        found = provider.read(SECRET, name)
        assert found
        assert found.id == ID
        assert found.outputs["effectiveLabels"] == {"by": "hand"}
        # What a program never named is nobody's: an import takes no label over.
        assert found.outputs["labels"] == {}
        assert "labels" not in found.inputs
        assert found.inputs["secretId"] == "database"
        assert found.inputs["replication"] == {"auto": {}}
    with pytest.raises(grpc.RpcError, match="import id"):
        provider.read(SECRET, f"{ID}/versions/1")


def test_an_imported_secret_gets_the_programs_labels_besides_the_others(gcp: Gcp, provider: Connection) -> None:
    gcp.client().create_secret(parent=PARENT, secret_id="database", secret=AUTOMATIC | {"labels": {"by": "hand"}})
    imported = provider.read(SECRET, ID)
    assert imported
    provider.update(SECRET, imported, inputs(labels={"team": "payments"}))
    assert held(gcp)["database"]["labels"] == {"by": "hand", "team": "payments"}


def test_a_secret_that_is_gone_has_no_id(gcp: Gcp, provider: Connection) -> None:
    made = provider.create(SECRET, inputs())
    gcp.client().delete_secret(name=ID)
    assert provider.read(SECRET, ID, made) is None
    provider.delete(SECRET, made)


def test_deleting_removes_the_secret_at_once(gcp: Gcp, provider: Connection) -> None:
    provider.delete(SECRET, provider.create(SECRET, inputs()))
    assert held(gcp) == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"deletionProtection": True}, "without setting deletionProtection=false"),
        ({"deletionPolicy": "PREVENT"}, '"PREVENT" in the state'),
    ],
)
def test_a_protection_holds_from_the_state(gcp: Gcp, provider: Connection, given: Properties, words: str) -> None:
    made = provider.create(SECRET, inputs(**given))
    with pytest.raises(grpc.RpcError, match=words):
        provider.delete(SECRET, made)
    assert list(held(gcp)) == ["database"]
    gcp.faults.reset_calls()
    freed = provider.update(SECRET, made, inputs(deletionProtection=False, deletionPolicy="DELETE"))
    assert list(gcp.faults.calls()["gcp"]) == ["secretmanager.GetSecret"]
    provider.delete(SECRET, freed)
    assert held(gcp) == {}


def test_an_abandoned_secret_stays(gcp: Gcp, connect_gcp: Connect) -> None:
    provider = connect_gcp(deletionPolicy="ABANDON")
    provider.delete(SECRET, provider.create(SECRET, inputs()))
    assert list(held(gcp)) == ["database"]


def test_a_secret_that_cannot_be_read_after_its_creation_is_kept_in_the_state(gcp: Gcp, provider: Connection) -> None:
    gcp.faults.add(Fault("gcp", "secretmanager.GetSecret", FaultKind.DENIED, times=1))
    with pytest.raises(grpc.RpcError) as failed:
        provider.create(SECRET, inputs(labels={"team": "payments"}))
    kept = half_made(failed.value)
    assert kept.id == ID
    assert "'secretmanager.secrets.get' denied" in kept.reasons[0]
    assert decode(kept.properties).properties["effectiveLabels"] == {"team": "payments"}


def test_calls_are_tried_again_while_the_service_is_throttled_or_fails(gcp: Gcp, provider: Connection) -> None:
    for kind in (FaultKind.THROTTLED, FaultKind.ERROR, FaultKind.DROPPED):
        gcp.faults.add(Fault("gcp", "secretmanager.CreateSecret", kind, times=1, seconds=1))
    assert provider.create(SECRET, inputs()).id == ID
    assert gcp.faults.calls()["gcp"]["secretmanager.CreateSecret"] == 4


def test_a_lost_answer_is_followed_by_a_conflict_as_with_the_real_provider(gcp: Gcp, provider: Connection) -> None:
    gcp.faults.add(Fault("gcp", "secretmanager.CreateSecret", FaultKind.LOST, times=1))
    with pytest.raises(grpc.RpcError, match="Error 409"):
        provider.create(SECRET, inputs())
    assert list(held(gcp)) == ["database"]


def test_a_garbled_answer_is_told_without_its_bytes(gcp: Gcp, provider: Connection) -> None:
    gcp.faults.add(Fault("gcp", "secretmanager.CreateSecret", FaultKind.GARBLED, times=1))
    with pytest.raises(
        grpc.RpcError, match="Error creating Secret: Google's answer cannot be read: UnicodeDecodeError"
    ):
        provider.create(SECRET, inputs())
