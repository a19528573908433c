"""`gcp:secretmanager/secretVersion:SecretVersion` over gRPC, in front of the local Secret Manager."""

from __future__ import annotations

import base64
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from tests.leaks import leaks
from tests.sandbox.gcp.kit import AUTOMATIC, PARENT, PROJECT, Gcp
from tests.sandbox.providers.harness import Connect, Connection, Resource, half_made
from uss.sandbox.faults import Fault, FaultKind
from uss.sandbox.providers.values import UNKNOWN, Properties, decode

VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
SECRET_ID = f"{PARENT}/secrets/database"
CANARY = "canary-of-a-value"
NONE = provider_pb2.DiffResponse.DIFF_NONE


def inputs(**more: Any) -> Properties:
    return {"secret": SECRET_ID, "secretData": CANARY} | more


def held(gcp: Gcp) -> dict[str, Any]:
    return gcp.server.dump()[PROJECT]["database"]


def states(gcp: Gcp) -> list[str]:
    return list(held(gcp)["versions"].values())


@pytest.fixture
def provider(gcp: Gcp, connect_gcp: Connect) -> Connection:
    gcp.client().create_secret(parent=PARENT, secret_id="database", secret=AUTOMATIC)
    gcp.faults.reset_calls()
    return connect_gcp()


def test_a_version_is_added_enabled_and_read_back(gcp: Gcp, provider: Connection) -> None:
    provider.invoke("gcp:secretmanager/getSecrets:getSecrets")
    gcp.faults.reset_calls()
    made = provider.create(VERSION, inputs())
    assert (held(gcp)["versions"], held(gcp)["values"]) == ({"1": "ENABLED"}, {"1": CANARY})
    wanted = {
        "version": "1",
        "enabled": True,
        "secret": SECRET_ID,
        "secretData": CANARY,
        "isSecretDataBase64": False,
        "deletionPolicy": "DELETE",
        "destroyTime": "",
    }
    assert made.outputs.items() >= wanted.items()
    assert "secretData" in made.secrets
    assert gcp.faults.calls()["gcp"] == {
        "secretmanager.AccessSecretVersion": 1,
        "secretmanager.AddSecretVersion": 1,
        "secretmanager.EnableSecretVersion": 1,
        "secretmanager.GetSecretVersion": 1,
    }
    assert made.id == made.outputs["name"] == gcp.client().get_secret_version(name=f"{SECRET_ID}/versions/1").name


def test_a_preview_touches_nothing(gcp: Gcp, provider: Connection) -> None:
    gcp.faults.reset_calls()
    planned = provider.create(VERSION, inputs(), preview=True)
    assert planned.outputs["name"] == UNKNOWN
    assert "secretData" in planned.secrets
    assert gcp.faults.calls() == {}


def test_no_change_is_no_difference_and_no_call(gcp: Gcp, provider: Connection) -> None:
    made = provider.create(VERSION, inputs())
    gcp.faults.reset_calls()
    assert provider.diff(VERSION, made, inputs()).changes == NONE
    assert provider.diff(VERSION, made, inputs(secret="database")).changes == NONE
    assert gcp.faults.calls() == {}


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"secretData": "another"}, "secretData"),
        ({"secret": f"{PARENT}/secrets/other"}, "secret"),
        ({"isSecretDataBase64": True}, "isSecretDataBase64"),
    ],
)
def test_a_new_value_is_a_new_version_made_before_the_old_one_goes(
    provider: Connection, changed: Properties, key: str
) -> None:
    made = provider.create(VERSION, inputs())
    difference = provider.diff(VERSION, made, inputs(**changed))
    assert list(difference.replaces) == [key]
    assert not difference.deleteBeforeReplace


def test_a_replaced_version_is_destroyed_when_the_new_one_is_there(gcp: Gcp, provider: Connection) -> None:
    old = provider.create(VERSION, inputs())
    new = provider.create(VERSION, inputs(secretData="another"))
    assert new.outputs["version"] == "2"
    provider.delete(VERSION, old)
    assert held(gcp)["versions"] == {"1": "DESTROYED", "2": "ENABLED"}
    assert held(gcp)["values"] == {"2": "another"}


def test_a_version_is_disabled_and_enabled_in_place(gcp: Gcp, provider: Connection) -> None:
    made = provider.create(VERSION, inputs())
    assert list(provider.diff(VERSION, made, inputs(enabled=False)).diffs) == ["enabled"]
    disabled = provider.update(VERSION, made, inputs(enabled=False))
    assert states(gcp) == ["DISABLED"]
    assert (disabled.outputs["enabled"], disabled.outputs["secretData"]) == (False, CANARY)
    enabled = provider.update(VERSION, disabled, inputs())
    assert states(gcp) == ["ENABLED"]
    assert provider.diff(VERSION, enabled, inputs()).changes == NONE


def test_a_version_can_be_made_disabled_which_reads_no_value(gcp: Gcp, provider: Connection) -> None:
    made = provider.create(VERSION, inputs(enabled=False))
    assert states(gcp) == ["DISABLED"]
    assert made.outputs["secretData"] == CANARY
    assert "secretmanager.AccessSecretVersion" not in gcp.faults.calls()["gcp"]


@pytest.mark.parametrize(
    ("policy", "state"), [("DELETE", "DESTROYED"), ("DISABLE", "DISABLED"), ("ABANDON", "ENABLED")]
)
def test_deleting_does_what_the_policy_says(gcp: Gcp, provider: Connection, policy: str, state: str) -> None:
    provider.delete(VERSION, provider.create(VERSION, inputs(deletionPolicy=policy)))
    assert states(gcp) == [state]


def test_a_protected_version_is_not_deleted(gcp: Gcp, provider: Connection) -> None:
    made = provider.create(VERSION, inputs(deletionPolicy="PREVENT"))
    with pytest.raises(grpc.RpcError, match='"PREVENT" in the state'):
        provider.delete(VERSION, made)
    assert states(gcp) == ["ENABLED"]


def test_deleting_a_version_of_a_secret_that_is_gone_is_no_error(gcp: Gcp, provider: Connection) -> None:
    made = provider.create(VERSION, inputs())
    gcp.client().delete_secret(name=SECRET_ID)
    provider.delete(VERSION, made)
    assert provider.read(VERSION, made.id, made) is None


def test_values_are_opaque_text(gcp: Gcp, provider: Connection) -> None:
    for number, text in enumerate((" \n", '{"a":1}', "ключ 🔑", "\x00", "x" * 65_536), start=1):
        made = provider.create(VERSION, inputs(secretData=text))
        assert made.outputs["secretData"] == held(gcp)["values"][str(number)] == text


def test_base64_is_decoded_for_the_cloud_and_kept_as_it_is_in_the_state(gcp: Gcp, provider: Connection) -> None:
    given = inputs(secretData=base64.b64encode(b"\x00\xff").decode(), isSecretDataBase64=True)
    made = provider.create(VERSION, given)
    answer = gcp.client().access_secret_version(name=f"{SECRET_ID}/versions/1")
    assert answer.payload.data == b"\x00\xff"
    assert provider.diff(VERSION, made, given).changes == NONE
    with pytest.raises(grpc.RpcError, match="Base64 decoding failed") as refused:
        provider.create(VERSION, inputs(isSecretDataBase64=True))
    assert leaks(str(refused.value), CANARY) == {}


def test_a_version_that_cannot_be_accessed_exists_and_is_kept_in_the_state(gcp: Gcp, provider: Connection) -> None:
    gcp.faults.add(Fault("gcp", "secretmanager.AccessSecretVersion", FaultKind.DENIED, times=1))
    with pytest.raises(grpc.RpcError) as failed:
        provider.create(VERSION, inputs())
    assert "Error reading SecretVersion: googleapi: Error 403: Permission 'secretmanager.versions.access'" in str(
        failed.value
    )
    kept = half_made(failed.value)
    assert kept.id.endswith("/versions/1")
    decoded = decode(kept.properties)
    assert "secretData" in decoded.secrets
    assert states(gcp) == ["ENABLED"]
    half = Resource(kept.id, inputs(), decoded.properties, decoded.secrets)
    assert provider.diff(VERSION, half, inputs()).changes == NONE
    assert provider.update(VERSION, half, inputs()).outputs["secretData"] == CANARY


def test_an_empty_value_and_one_that_is_too_large_are_refused_without_showing_it(provider: Connection) -> None:
    with pytest.raises(grpc.RpcError, match=r"Error creating SecretVersion: googleapi: Error 400: Field \[payload\]"):
        provider.create(VERSION, inputs(secretData=""))
    with pytest.raises(grpc.RpcError, match=r"Error 400: Secret payload data length must be at most \[65536\]") as much:
        provider.create(VERSION, inputs(secretData=CANARY * 4_000))
    assert leaks(str(much.value), CANARY) == {}


def test_a_secret_that_does_not_exist_is_told(provider: Connection) -> None:
    with pytest.raises(grpc.RpcError, match=r"Error 404: Secret \[projects/\d+/secrets/none\] not found"):
        provider.create(VERSION, inputs(secret=f"{PARENT}/secrets/none"))
    with pytest.raises(grpc.RpcError, match="must be named as projects/PROJECT/secrets/SECRET"):
        provider.create(VERSION, inputs(secret="database"))


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"secretData": None}, "secretData"),
        ({"secretData": {"a": CANARY}}, "secretData"),
        ({"secret": None}, "secret"),
        ({"deletionPolicy": "KEEP"}, "deletionPolicy"),
        ({"secretDataWo": CANARY, "secretDataWoVersion": "1"}, "secretDataWo"),
    ],
)
def test_inputs_that_cannot_work_are_told_without_the_value(provider: Connection, wrong: Properties, key: str) -> None:
    failures = provider.check(VERSION, inputs(**wrong)).failures
    assert key in [failure.property for failure in failures]
    assert leaks(str(failures), CANARY) == {}


def test_a_version_that_drifted_is_seen_by_a_refresh(gcp: Gcp, provider: Connection) -> None:
    made = provider.create(VERSION, inputs())
    gcp.client().disable_secret_version(name=made.id)
    refreshed = provider.read(VERSION, made.id, made)
    assert refreshed
    assert refreshed.outputs["enabled"] is False
    assert refreshed.outputs["secretData"] == CANARY
    assert list(provider.diff(VERSION, refreshed, inputs()).diffs) == ["enabled"]
    gcp.client().destroy_secret_version(name=made.id)
    assert provider.read(VERSION, made.id, made) is None


def test_a_version_is_imported_by_its_full_name(gcp: Gcp, provider: Connection) -> None:
    gcp.client().add_secret_version(parent=SECRET_ID, payload={"data": CANARY.encode()})
    name = f"{SECRET_ID}/versions/1"
    imported = provider.read(VERSION, name)
    assert imported
    assert imported.id == name
    assert imported.inputs.items() >= {"secret": SECRET_ID, "secretData": CANARY, "enabled": True}.items()
    assert "secretData" in imported.secrets
    assert provider.diff(VERSION, imported, inputs()).changes == NONE
    switched = provider.update(VERSION, imported, inputs(enabled=False, deletionPolicy="DISABLE"))
    assert (switched.outputs["deletionPolicy"], states(gcp)) == ("DISABLE", ["DISABLED"])
    assert provider.read(VERSION, f"{SECRET_ID}/versions/2") is None
    with pytest.raises(grpc.RpcError, match="does not fit the format"):
        provider.read(VERSION, "1")


def test_a_lost_answer_leaves_a_version_more_as_with_the_real_provider(gcp: Gcp, provider: Connection) -> None:
    gcp.faults.add(Fault("gcp", "secretmanager.AddSecretVersion", FaultKind.LOST, times=1))
    assert provider.create(VERSION, inputs()).outputs["version"] == "2"
    assert states(gcp) == ["ENABLED", "ENABLED"]


@pytest.mark.parametrize("kind", [FaultKind.DENIED, FaultKind.GARBLED])
@pytest.mark.parametrize("operation", ["AddSecretVersion", "EnableSecretVersion", "AccessSecretVersion"])
def test_no_failure_shows_the_value(gcp: Gcp, provider: Connection, kind: FaultKind, operation: str) -> None:
    gcp.faults.add(Fault("gcp", f"secretmanager.{operation}", kind))
    with pytest.raises(grpc.RpcError) as failed:
        provider.create(VERSION, inputs())
    assert leaks(str(failed.value.details() if isinstance(failed.value, grpc.Call) else failed.value), CANARY) == {}
