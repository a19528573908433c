"""The functions of the package `azure-native`."""

from __future__ import annotations

import grpc
import pytest

from tests.leaks import leaks
from tests.sandbox.azure.kit import GROUP, PAM_CLIENT, SUBSCRIPTION, TENANT, VAULT, Azure
from tests.sandbox.providers.harness import Connect

GET_SECRET = "azure-native:keyvault:getSecret"
GET_VAULT = "azure-native:keyvault:getVault"


def test_a_secret_is_shown_without_its_value(connect_azure: Connect, azure: Azure) -> None:
    azure.clients.secrets().set_secret("name", "canary", tags={"a": "b"})
    found = connect_azure().invoke(GET_SECRET, resourceGroupName=GROUP, vaultName=VAULT, secretName="name")
    assert (found.properties["name"], found.properties["tags"]) == ("name", {"a": "b"})
    assert leaks(str(found.properties), "canary") == {}


def test_what_is_not_there_is_an_error_with_azures_code(connect_azure: Connect) -> None:
    provider = connect_azure()
    with pytest.raises(grpc.RpcError, match='Status=404 Code="ResourceNotFound"'):
        provider.invoke(GET_SECRET, resourceGroupName=GROUP, vaultName=VAULT, secretName="none")
    with pytest.raises(grpc.RpcError, match='Status=404 Code="ResourceNotFound"'):
        provider.invoke(GET_VAULT, resourceGroupName=GROUP, vaultName="kv-none")


def test_a_vault_and_the_callers_identity_are_shown(connect_azure: Connect) -> None:
    provider = connect_azure()
    vault = provider.invoke(GET_VAULT, resourceGroupName=GROUP, vaultName=VAULT).properties
    assert vault["properties"]["enableRbacAuthorization"]
    assert vault["properties"]["vaultUri"].startswith("https://localhost:")
    identity = provider.invoke("azure-native:authorization:getClientConfig").properties
    assert identity.pop("objectId")
    assert identity == {"clientId": PAM_CLIENT, "subscriptionId": SUBSCRIPTION, "tenantId": TENANT}
