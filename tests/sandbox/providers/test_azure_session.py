"""How the package `azure-native` takes on an identity."""

from __future__ import annotations

import time

import grpc
import pytest

from tests.leaks import leaks
from tests.sandbox.azure.kit import (
    GROUP,
    MANAGED_CLIENT,
    MANAGED_PRINCIPAL,
    PAM_CLIENT,
    PAM_SECRET,
    SUBSCRIPTION,
    TENANT,
    VAULT,
    Azure,
)
from tests.sandbox.providers.harness import Connect
from uss.sandbox.faults import Fault, FaultKind
from uss.sandbox.providers.azure_config import parse_config
from uss.sandbox.providers.interface import ProviderError
from uss.sandbox.vaultfile import Vault

NOBODY = {"clientId": "", "clientSecret": ""}
CONFIG = "azure-native:authorization:getClientConfig"


def test_the_first_call_signs_in_and_no_earlier_one(connect_azure: Connect, azure: Azure) -> None:
    provider = connect_azure()
    assert set(azure.faults.calls()["azure"]) == {"metadata.endpoints"}
    provider.invoke(CONFIG)
    assert set(azure.faults.calls()["azure"]) == {"metadata.endpoints", "entra.configuration", "entra.token"}


def test_a_wrong_secret_is_refused_in_the_real_provider_s_words_without_being_shown(
    connect_azure: Connect, azure: Azure
) -> None:
    with pytest.raises(grpc.RpcError, match="AADSTS7000215") as refused:
        connect_azure(clientSecret="canary-wrong").invoke(CONFIG)
    told = str(refused.value.details()).splitlines()
    assert told[:5] == [
        "ClientSecretCredential authentication failed. ",
        f"POST {azure.server.url}/{TENANT}/oauth2/v2.0/token",
        "-" * 80,
        "RESPONSE 401 Unauthorized",
        "-" * 80,
    ]
    assert leaks(str(refused.value), "canary") == {}


@pytest.mark.parametrize(
    ("kind", "status"), [(FaultKind.DENIED, "403 Forbidden"), (FaultKind.MISSING, "404 Not Found")]
)
def test_a_metadata_service_that_is_kept_away_is_told_as_the_real_provider_tells_it(
    connect_azure: Connect, azure: Azure, kind: FaultKind, status: str
) -> None:
    azure.faults.add(Fault("azure", "imds.token", kind))
    provider = connect_azure(clientId=MANAGED_CLIENT, clientSecret="", useMsi="true")
    with pytest.raises(grpc.RpcError) as refused:
        provider.invoke("azure-native:keyvault:getVault", resourceGroupName=GROUP, vaultName=VAULT)
    told = str(refused.value.details()).splitlines()
    assert told[:5] == [
        "ManagedIdentityCredential authentication failed. ",
        f"GET {azure.server.metadata_url}/metadata/identity/oauth2/token",
        "-" * 80,
        f"RESPONSE {status}",
        "-" * 80,
    ]
    assert "arm.vaults.get" not in azure.faults.calls()["azure"]


@pytest.mark.parametrize("use", ["true", True])
def test_a_managed_identity_is_taken_on(connect_azure: Connect, use: object) -> None:
    provider = connect_azure(clientId=MANAGED_CLIENT, clientSecret="", useMsi=use)
    assert provider.invoke(CONFIG).properties["objectId"] == MANAGED_PRINCIPAL
    with pytest.raises(grpc.RpcError, match="AuthorizationFailed"):
        provider.invoke("azure-native:keyvault:getVault", resourceGroupName=GROUP, vaultName=VAULT)


def test_a_principal_id_is_not_a_managed_identitys_client_id(connect_azure: Connect) -> None:
    with pytest.raises(grpc.RpcError, match="Identity not found"):
        connect_azure(clientId=MANAGED_PRINCIPAL, clientSecret="", useMsi="true").invoke(CONFIG)


def test_outside_of_azure_a_managed_identity_is_refused_quickly(connect_azure: Connect, azure: Azure) -> None:
    azure.vault.vault = Vault.model_validate({"clouds": {"azure": {"metadataService": False}}})
    start = time.monotonic()
    with pytest.raises(grpc.RpcError, match="no response from the IMDS endpoint"):
        connect_azure(clientId=MANAGED_CLIENT, clientSecret="", useMsi="true").invoke(CONFIG)
    assert time.monotonic() - start < 5


def test_the_environment_holds_where_the_configuration_says_nothing(
    connect_azure: Connect, azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARM_CLIENT_ID", PAM_CLIENT)
    monkeypatch.setenv("ARM_CLIENT_SECRET", PAM_SECRET)
    assert connect_azure(**NOBODY).invoke(CONFIG).properties["clientId"] == PAM_CLIENT


def test_the_default_credential_is_that_of_the_environment(
    connect_azure: Connect, azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    ambient = azure.server.ambient
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", ambient.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", ambient.client_secret or "")
    assert connect_azure(**NOBODY, useDefaultAzureCredential="true").invoke(CONFIG).properties["objectId"]


def test_nobody_and_nowhere_are_refused(connect_azure: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(grpc.RpcError, match="unable to find an identity"):
        connect_azure(**NOBODY)
    with pytest.raises(grpc.RpcError, match="Subscription ID must be configured"):
        connect_azure(subscriptionId="")
    monkeypatch.delenv("ARM_METADATA_HOSTNAME")
    with pytest.raises(grpc.RpcError, match="local clouds only"):
        connect_azure()
    with pytest.raises(grpc.RpcError, match="local clouds only"):
        connect_azure(metadataHost="management.azure.com")
    with pytest.raises(grpc.RpcError, match="cannot be read"):
        connect_azure(metadataHost="localhost:1")


@pytest.mark.parametrize("inputs", [{"clientCertificatePath": "file.pfx"}])
def test_identities_that_it_cannot_take_on_are_refused(connect_azure: Connect, inputs: dict[str, str]) -> None:
    with pytest.raises(grpc.RpcError, match=f"does not know the setting azure-native:{next(iter(inputs))}"):
        connect_azure(**NOBODY, **inputs)


def test_a_setting_of_the_wrong_kind_is_named_without_its_value() -> None:
    with pytest.raises(ProviderError, match="azure-native:useMsi") as refused:
        parse_config({"useMsi": "canary", "subscriptionId": SUBSCRIPTION}, {})
    assert leaks(str(refused.value), "canary") == {}


def test_a_client_secret_goes_before_a_managed_identity(connect_azure: Connect) -> None:
    assert connect_azure(useMsi="true").invoke(CONFIG).properties["clientId"] == PAM_CLIENT
    with pytest.raises(grpc.RpcError, match="AADSTS700016"):
        connect_azure(useMsi="true", clientId=MANAGED_CLIENT).invoke(CONFIG)


@pytest.mark.parametrize(("key", "name"), [("tenantId", "Tenant ID"), ("clientId", "Client ID")])
def test_a_client_secret_needs_its_tenant_and_its_client(connect_azure: Connect, key: str, name: str) -> None:
    text = f"A {name} must be configured when authenticating as a Service Principal using a Client Secret"
    with pytest.raises(grpc.RpcError, match=text):
        connect_azure(**{key: ""})


def test_a_managed_identity_needs_no_tenant_and_knows_its_own(connect_azure: Connect) -> None:
    provider = connect_azure(clientId="", clientSecret="", tenantId="", useMsi="true", msiEndpoint="http://localhost:1")
    shown = provider.invoke(CONFIG).properties
    assert (shown["clientId"], shown["tenantId"]) == (MANAGED_CLIENT, TENANT)


@pytest.mark.parametrize("name", ["IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"])
def test_a_managed_identity_is_never_asked_of_the_real_cloud(
    connect_azure: Connect, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://169.254.169.254")
    with pytest.raises(grpc.RpcError, match=f"local clouds only|unset {name}"):
        connect_azure(clientId=MANAGED_CLIENT, clientSecret="", useMsi="true")


def test_settings_without_meaning_here_are_passed_over(connect_azure: Connect) -> None:
    provider = connect_azure(auxiliaryTenantIds=[MANAGED_PRINCIPAL], environment="usgovernment", partnerId="x")
    assert provider.invoke(CONFIG).properties["clientId"] == PAM_CLIENT
