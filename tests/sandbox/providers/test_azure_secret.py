"""The life of `azure-native:keyvault:Secret`, as the engine sees it."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from tests.leaks import leaks
from tests.sandbox.azure.kit import GROUP, SUBSCRIPTION, VAULT, Azure
from tests.sandbox.providers.harness import Connect, Resource, struct
from uss.sandbox.faults import Fault, FaultKind
from uss.sandbox.providers.values import UNKNOWN, Properties, decode, encode

SECRET = "azure-native:keyvault:Secret"
ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.KeyVault/vaults/{VAULT}/secrets/name"
VALUE = "canary-value"


def inputs(value: str = VALUE, name: str = "name", tags: Any = None, **properties: Any) -> Properties:
    return {
        "resourceGroupName": GROUP,
        "vaultName": VAULT,
        "secretName": name,
        "properties": {"value": value, "contentType": "text/plain"} | properties,
        "tags": {"a": "b"} if tags is None else tags,
    }


def versions(azure: Azure) -> int:
    count: int = azure.server.dump()[VAULT]["name"]["versions"]
    return count


def test_a_secret_is_created_with_all_that_is_said_of_it(connect_azure: Connect, azure: Azure) -> None:
    made = connect_azure().create(SECRET, inputs(attributes={"enabled": True, "expires": 4_000_000_000}))
    assert made.id == ID
    assert made.outputs["properties"]["attributes"]["expires"] == 4_000_000_000
    assert made.outputs["properties"]["secretUri"].endswith("/secrets/name")
    landed = azure.server.dump()[VAULT]["name"]
    assert (landed["value"], landed["contentType"], landed["tags"]) == (VALUE, "text/plain", {"a": "b"})
    assert landed["history"][0]["exp"] == 4_000_000_000
    assert azure.faults.calls()["azure"]["arm.secrets.get"] == 1


@pytest.mark.parametrize("is_secret", [True, False])
def test_the_value_is_kept_in_the_inputs_alone_as_secret_as_the_program_made_it(
    connect_azure: Connect, is_secret: bool
) -> None:
    provider = connect_azure()
    news = provider.check(SECRET, inputs()).inputs
    if is_secret:
        encode({"value": VALUE}, ("value",), news.fields["properties"].struct_value)
    made = provider.stub.Create(provider_pb2.CreateRequest(type=SECRET, properties=news)).properties
    read = provider.stub.Read(provider_pb2.ReadRequest(type=SECRET, id=ID, inputs=news, properties=made)).properties
    again = provider.stub.Update(provider_pb2.UpdateRequest(type=SECRET, id=ID, olds=made, news=news)).properties
    planned = provider.stub.Create(provider_pb2.CreateRequest(type=SECRET, properties=news, preview=True)).properties
    for kept in (made, read, again, planned):
        outputs = decode(kept)
        assert outputs.properties["__inputs"]["properties"]["value"] == VALUE
        assert outputs.secrets == ({"__inputs"} if is_secret else set())
        assert outputs.properties.pop("__inputs")["secretName"] == "name"
        assert leaks(str(outputs.properties), VALUE) == {}
        assert outputs.properties["properties"]["contentType"] == "text/plain"


def test_a_name_that_is_taken_is_not_taken_over(connect_azure: Connect, azure: Azure) -> None:
    azure.clients.secrets().set_secret("name", "by hand")
    with pytest.raises(grpc.RpcError, match="cannot create already existing resource") as refused:
        connect_azure().create(SECRET, inputs())
    assert ID in str(refused.value)
    assert azure.server.dump()[VAULT]["name"]["value"] == "by hand"


def test_a_deleted_secret_of_the_name_is_recovered_and_written(connect_azure: Connect, azure: Azure) -> None:
    provider = connect_azure()
    provider.delete(SECRET, provider.create(SECRET, inputs("first")))
    assert azure.server.dump()[VAULT]["name"]["deletedDate"]
    provider.create(SECRET, inputs("second"))
    landed = azure.server.dump()[VAULT]["name"]
    assert (landed["value"], landed["versions"], landed["deletedDate"]) == ("second", 2, None)


@pytest.mark.parametrize(
    "news",
    [
        inputs("canary-other"),
        inputs(tags={}),
        inputs(contentType="application/json"),
        inputs(attributes={"enabled": False}),
    ],
)
def test_any_change_is_an_update_and_makes_a_version(connect_azure: Connect, azure: Azure, news: Properties) -> None:
    provider = connect_azure()
    made = provider.create(SECRET, inputs())
    difference = provider.diff(SECRET, made, news)
    assert (len(difference.detailedDiff), list(difference.replaces)) == (1, [])
    changed = provider.update(SECRET, made, news)
    assert versions(azure) == 2
    assert provider.diff(SECRET, changed, news).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_nothing_changed_is_no_difference_and_no_call(connect_azure: Connect, azure: Azure) -> None:
    provider = connect_azure()
    made = provider.create(SECRET, inputs())
    before = azure.faults.calls()
    assert provider.diff(SECRET, made, inputs()).changes == provider_pb2.DiffResponse.DIFF_NONE
    assert provider.diff(SECRET, made, inputs(name="NAME")).changes == provider_pb2.DiffResponse.DIFF_NONE
    provider.create(SECRET, inputs(name="other"), preview=True)
    assert azure.faults.calls() == before


@pytest.mark.parametrize("key", ["resourceGroupName", "vaultName", "secretName"])
def test_another_place_is_another_secret(connect_azure: Connect, key: str) -> None:
    provider = connect_azure()
    made = provider.create(SECRET, inputs())
    assert list(provider.diff(SECRET, made, inputs() | {key: "other"}).replaces) == [key]


def test_ignored_changes_are_no_difference(connect_azure: Connect) -> None:
    provider = connect_azure()
    made = provider.create(SECRET, inputs())
    for ignored in ("properties.value", "properties", "*"):
        difference = provider.diff(SECRET, made, inputs("canary-other"), [ignored])
        assert difference.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_preview_says_what_is_not_known_yet(connect_azure: Connect) -> None:
    provider = connect_azure()
    planned = provider.create(SECRET, inputs(), preview=True)
    assert planned.outputs["properties"]["secretUriWithVersion"] == UNKNOWN
    made = provider.create(SECRET, inputs())
    updated = provider.update(SECRET, made, inputs("other"), preview=True)
    assert updated.outputs["properties"]["secretUri"] == made.outputs["properties"]["secretUri"]
    assert updated.outputs["properties"]["secretUriWithVersion"] == UNKNOWN


def test_a_refresh_keeps_the_value_and_sees_the_rest(connect_azure: Connect, azure: Azure) -> None:
    provider = connect_azure()
    made = provider.create(SECRET, inputs())
    azure.clients.secrets().set_secret("name", "by hand", content_type="text/html")
    found = provider.read(SECRET, made.id, made)
    assert found
    assert found.outputs["__inputs"]["properties"]["value"] == found.inputs["properties"]["value"] == VALUE
    assert found.outputs["properties"]["contentType"] == found.inputs["properties"]["contentType"] == "text/html"
    assert set(provider.diff(SECRET, found, inputs()).detailedDiff) == {"properties.contentType", "tags"}


def test_an_import_has_no_value_so_the_programs_one_is_written(connect_azure: Connect, azure: Azure) -> None:
    provider = connect_azure()
    azure.clients.secrets().set_secret("name", "by hand", content_type="text/plain", tags={"a": "b"})
    found = provider.read(SECRET, ID)
    assert found
    assert found.inputs == {
        "resourceGroupName": GROUP,
        "vaultName": VAULT,
        "secretName": "name",
        "properties": {"contentType": "text/plain"},
        "tags": {"a": "b"},
    }
    assert list(provider.diff(SECRET, found, inputs()).detailedDiff) == ["properties.value"]
    provider.update(SECRET, found, inputs())
    assert azure.server.dump()[VAULT]["name"]["value"] == VALUE


def test_a_state_without_its_inputs_is_compared_by_what_azure_showed(connect_azure: Connect) -> None:
    provider = connect_azure()
    made = provider.create(SECRET, inputs())
    del made.outputs["__inputs"]
    assert list(provider.diff(SECRET, made, inputs()).detailedDiff) == ["properties.value"]
    assert list(provider.diff(SECRET, made, inputs(name="other")).replaces) == ["secretName"]


def test_what_is_not_known_yet_is_a_change(connect_azure: Connect) -> None:
    provider = connect_azure()
    made = provider.create(SECRET, inputs())
    assert list(provider.diff(SECRET, made, inputs(UNKNOWN)).detailedDiff) == ["properties.value"]
    assert list(provider.diff(SECRET, made, inputs() | {"properties": UNKNOWN}).detailedDiff) == ["properties"]


def test_a_secret_that_is_gone_is_not_read_and_no_error_to_delete(connect_azure: Connect, azure: Azure) -> None:
    provider = connect_azure()
    made = provider.create(SECRET, inputs())
    provider.delete(SECRET, made)
    assert provider.read(SECRET, made.id, made) is None
    provider.delete(SECRET, made)
    assert azure.faults.calls()["azure"]["keyvault.deleteSecret"] == 2


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        ("arm.secrets.get", "cannot check existence of resource"),
        ("arm.secrets.createOrUpdate", "Microsoft.KeyVault/vaults/secrets/write"),
    ],
)
def test_a_denied_creation_names_what_is_missing(
    connect_azure: Connect, azure: Azure, operation: str, text: str
) -> None:
    azure.faults.add(Fault("azure", operation, FaultKind.DENIED))
    with pytest.raises(grpc.RpcError, match=text) as refused:
        connect_azure().create(SECRET, inputs())
    assert 'Status=403 Code="AuthorizationFailed"' in str(refused.value)
    assert leaks(str(refused.value), VALUE) == {}


def test_a_denied_deletion_names_what_is_missing(connect_azure: Connect, azure: Azure) -> None:
    provider = connect_azure()
    made = provider.create(SECRET, inputs())
    azure.faults.add(Fault("azure", "keyvault.deleteSecret", FaultKind.DENIED))
    with pytest.raises(grpc.RpcError, match="ForbiddenByRbac") as refused:
        provider.delete(SECRET, made)
    assert "Microsoft.KeyVault/vaults/secrets/delete" in str(refused.value)


@pytest.mark.parametrize(
    "kind", [FaultKind.THROTTLED, FaultKind.ERROR, FaultKind.DROPPED, FaultKind.LOST, FaultKind.GARBLED]
)
def test_no_fault_shows_the_value_and_a_passing_one_is_got_over(
    connect_azure: Connect, azure: Azure, kind: FaultKind
) -> None:
    provider = connect_azure()
    azure.faults.add(Fault("azure", "arm.secrets.createOrUpdate", kind))
    with pytest.raises(grpc.RpcError) as refused:
        provider.create(SECRET, inputs())
    assert leaks(str(refused.value), VALUE) == {}
    azure.faults.clear()
    if kind in (FaultKind.THROTTLED, FaultKind.ERROR, FaultKind.DROPPED):
        azure.faults.add(Fault("azure", "arm.secrets.createOrUpdate", kind, times=1))
        assert provider.create(SECRET, inputs()).id == ID


def test_a_name_is_made_where_the_program_gives_none_and_judged_where_it_does(connect_azure: Connect) -> None:
    provider = connect_azure()
    unnamed = {key: value for key, value in inputs().items() if key != "secretName"}
    assert decode(provider.check(SECRET, unnamed).inputs).properties["secretName"].startswith("logical-")
    assert [failure.property for failure in provider.check(SECRET, inputs(name="a_b")).failures] == ["secretName"]


def test_a_value_over_the_limit_is_refused_without_being_shown(connect_azure: Connect) -> None:
    with pytest.raises(grpc.RpcError, match="25600 bytes") as refused:
        connect_azure().create(SECRET, inputs("canary" + "x" * 25_600))
    assert leaks(str(refused.value), "canary") == {}


def test_a_resource_of_another_kind_is_not_imported(connect_azure: Connect) -> None:
    with pytest.raises(grpc.RpcError, match="not that of a secret"):
        connect_azure().read(SECRET, ID.rpartition("/secrets/")[0])


def test_two_connections_keep_their_identities_apart(connect_azure: Connect, azure: Azure) -> None:
    administrator = azure.server.ambient
    first = connect_azure()
    second = connect_azure(clientId=administrator.client_id, clientSecret=administrator.client_secret)
    for number, provider in enumerate((first, second)):
        provider.create(SECRET, inputs(name=f"name-{number}"))
    found = [p.invoke("azure-native:authorization:getClientConfig").properties["clientId"] for p in (first, second)]
    assert len(set(found)) == 2


def test_a_state_with_a_secret_value_is_compared_as_its_plain_one(connect_azure: Connect) -> None:
    provider = connect_azure()
    made = provider.create(SECRET, inputs())
    request = provider_pb2.DiffRequest(type=SECRET, id=made.id, olds=struct(made.outputs, ["properties"]))
    request.news.CopyFrom(struct(inputs(), ["properties"]))
    assert provider.stub.Diff(request).changes == provider_pb2.DiffResponse.DIFF_NONE
    assert isinstance(made, Resource)
