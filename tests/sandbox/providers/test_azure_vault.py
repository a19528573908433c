"""The life of `azure-native:keyvault:Vault`, as the engine sees it."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from tests.sandbox.azure.kit import GROUP, TENANT, VAULT, Azure
from tests.sandbox.providers.harness import Connect
from uss.sandbox.providers.values import UNKNOWN, Properties

KIND = "azure-native:keyvault:Vault"


def inputs(name: str = "kv-new", **properties: Any) -> Properties:
    sku = {"family": "A", "name": "standard"}
    given = {"sku": sku, "tenantId": TENANT, "enableRbacAuthorization": True} | properties
    return {"resourceGroupName": GROUP, "vaultName": name, "properties": given}


def test_a_vault_lives_from_creation_to_deletion(connect_azure: Connect, azure: Azure) -> None:
    provider = connect_azure()
    planned = provider.create(KIND, inputs(), preview=True)
    assert planned.outputs["properties"]["vaultUri"] == UNKNOWN
    made = provider.create(KIND, inputs())
    assert made.outputs["location"] == "westeurope"
    assert azure.clients.secrets(vault="kv-new").vault_url == made.outputs["properties"]["vaultUri"].rstrip("/")
    assert provider.diff(KIND, made, inputs()).changes == provider_pb2.DiffResponse.DIFF_NONE
    wanted = inputs(enablePurgeProtection=True)
    assert list(provider.diff(KIND, made, wanted).detailedDiff) == ["properties.enablePurgeProtection"]
    changed = provider.update(KIND, made, wanted)
    assert changed.outputs["properties"]["enablePurgeProtection"]
    found = provider.read(KIND, made.id, made)
    assert found
    assert provider.diff(KIND, found, wanted).changes == provider_pb2.DiffResponse.DIFF_NONE
    provider.delete(KIND, found)
    provider.delete(KIND, found)
    assert provider.read(KIND, made.id, made) is None
    with pytest.raises(grpc.RpcError, match="ConflictError"):
        provider.create(KIND, inputs())


def test_a_vault_that_is_there_is_imported_not_taken_over(connect_azure: Connect) -> None:
    provider = connect_azure()
    with pytest.raises(grpc.RpcError, match="cannot create already existing resource") as refused:
        provider.create(KIND, inputs(VAULT))
    vault_id = str(refused.value.details()).split("'")[1]
    found = provider.read(KIND, vault_id)
    assert found
    # All that is there has become inputs, as with the real provider: what a program leaves out, it takes away.
    left_out = [f"properties.{key}" for key in ("enabledForDeployment", "enableSoftDelete", "publicNetworkAccess")]
    assert set(left_out) <= set(provider.diff(KIND, found, inputs(VAULT)).detailedDiff)
    assert list(provider.diff(KIND, found, inputs("kv-other")).replaces) == ["vaultName"]
    elsewhere = inputs(VAULT) | {"location": "North Europe"}
    assert list(provider.diff(KIND, found, elsewhere).replaces) == ["location"]


def test_an_update_writes_the_whole_and_resets_what_it_leaves_out(connect_azure: Connect, azure: Azure) -> None:
    provider = connect_azure()
    made = provider.create(KIND, inputs())
    policy = {"tenantId": TENANT, "objectId": TENANT, "permissions": {"secrets": ["get"]}}
    by_hand: Any = {
        "publicNetworkAccess": "Disabled",
        "networkAcls": {"defaultAction": "Deny"},
        "accessPolicies": [policy],
    }
    change: Any = {"tags": {"theirs": "yes"}, "properties": by_hand}
    arm = azure.clients.arm()
    arm.vaults.update(GROUP, "kv-new", change)
    found = provider.read(KIND, made.id, made)
    assert found
    assert {"tags", "properties.publicNetworkAccess", "properties.networkAcls"} <= set(
        provider.diff(KIND, found, inputs()).detailedDiff
    )
    assert "properties.accessPolicies" not in provider.diff(KIND, found, inputs()).detailedDiff
    kept = {key: value for key, value in by_hand.items() if key != "accessPolicies"}
    same = inputs(**kept) | {"tags": {"theirs": "yes"}, "azureApiVersion": "2024-11-01"}
    assert list(provider.diff(KIND, found, same).detailedDiff) == []
    provider.update(KIND, made, inputs(publicNetworkAccess="enabled"))
    after = arm.vaults.get(GROUP, "kv-new")
    assert (after.properties.public_network_access, after.properties.network_acls, after.tags) == ("enabled", None, {})
    assert after.properties.access_policies
    assert [entry.object_id for entry in after.properties.access_policies] == [TENANT]


def test_a_newer_version_of_the_api_is_a_change(connect_azure: Connect) -> None:
    provider = connect_azure()
    made = provider.create(KIND, inputs() | {"azureApiVersion": "2023-07-01"})
    assert list(provider.diff(KIND, made, inputs() | {"azureApiVersion": "2024-11-01"}).detailedDiff) == [
        "azureApiVersion"
    ]
