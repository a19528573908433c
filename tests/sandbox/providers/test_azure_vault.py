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
    assert list(provider.diff(KIND, made, wanted).diffs) == ["properties.enablePurgeProtection"]
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
    assert provider.diff(KIND, found, inputs(VAULT)).changes == provider_pb2.DiffResponse.DIFF_NONE
    assert list(provider.diff(KIND, found, inputs("kv-other")).replaces) == ["vaultName"]
    elsewhere = inputs(VAULT) | {"location": "North Europe"}
    assert list(provider.diff(KIND, found, elsewhere).replaces) == ["location"]
