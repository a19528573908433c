"""Sign-in of service principals and managed identities, as azure-identity sees it."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential

from tests.leaks import leaks
from tests.sandbox.azure.kit import (
    MANAGED_CLIENT,
    MANAGED_PRINCIPAL,
    OTHER_SUBSCRIPTION,
    OTHER_TENANT,
    PAM_CLIENT,
    TENANT,
    VAULT_FILE,
    Clients,
    VaultHolder,
)
from uss.sandbox.azure import AzureServer
from uss.sandbox.faults import Fault, FaultBoard, FaultKind
from uss.sandbox.vaultfile import Vault

SCOPE = "https://vault.azure.net/.default"


def test_a_wrong_secret_is_refused_without_being_shown(clients: Clients) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215") as refused:
        clients.credential(PAM_CLIENT, "canary-wrong").get_token(SCOPE)
    assert leaks(str(refused.value), "canary") == {}


def test_an_unknown_application_or_tenant_is_refused(clients: Clients) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS700016"):
        clients.credential(TENANT, "secret").get_token(SCOPE)
    with pytest.raises(ClientAuthenticationError, match="AADSTS700016"):
        clients.credential(PAM_CLIENT, "secret", OTHER_TENANT).get_token(SCOPE)
    with pytest.raises(Exception, match="tenant"):
        clients.credential(PAM_CLIENT, "secret", PAM_CLIENT).get_token(SCOPE)


def test_the_ambient_identity_is_known_in_every_tenant(clients: Clients) -> None:
    credential = clients.credential(tenant=OTHER_TENANT)
    assert list(clients.arm(credential, OTHER_SUBSCRIPTION).vaults.list_by_subscription()) == []


@pytest.mark.parametrize("named", [{"client_id": MANAGED_CLIENT}, {}, {"object_id": MANAGED_PRINCIPAL}])
def test_a_managed_identity_has_its_own_rights(clients: Clients, named: dict[str, str]) -> None:
    clients.secrets().set_secret("name", "value")
    config = {"identity_config": {"object_id": named["object_id"]}} if "object_id" in named else named
    with ManagedIdentityCredential(**config) as credential:
        client = clients.secrets(credential)
        assert client.get_secret("name").value == "value"
        with pytest.raises(HttpResponseError, match="ForbiddenByRbac"):
            client.set_secret("name", "again")


def test_a_managed_identity_asked_for_by_its_principal_id_is_not_found(azure: AzureServer) -> None:
    with (
        ManagedIdentityCredential(client_id=MANAGED_PRINCIPAL) as credential,
        pytest.raises(CredentialUnavailableError, match="Identity not found"),
    ):
        credential.get_token(SCOPE)


def test_several_managed_identities_must_be_told_apart(azure: AzureServer, vault: VaultHolder) -> None:
    cloud = VAULT_FILE["clouds"]["azure"]
    more = {"clientId": OTHER_TENANT, "tenant": TENANT}
    edited = {**VAULT_FILE, "clouds": {"azure": {**cloud, "identities": [*cloud["identities"], more]}}}
    vault.vault = Vault.model_validate(edited)
    with (
        ManagedIdentityCredential() as credential,
        pytest.raises(CredentialUnavailableError, match="Multiple user assigned identities"),
    ):
        credential.get_token(SCOPE)


def test_outside_of_azure_the_metadata_service_does_not_answer(azure: AzureServer, vault: VaultHolder) -> None:
    vault.vault = Vault.model_validate({"clouds": {"azure": {"metadataService": False}}})
    with (
        ManagedIdentityCredential(retry_total=0) as credential,
        pytest.raises(CredentialUnavailableError, match="no response from the IMDS endpoint"),
    ):
        credential.get_token(SCOPE)


@pytest.mark.parametrize(("kind", "status"), [(FaultKind.DENIED, 403), (FaultKind.MISSING, 404)])
def test_a_metadata_service_that_is_kept_away_gives_no_token(
    azure: AzureServer, faults: FaultBoard, kind: FaultKind, status: int
) -> None:
    faults.add(Fault("azure", "imds.token", kind))
    answers: list[int] = []
    hook: Any = {"raw_response_hook": lambda answer: answers.append(answer.http_response.status_code)}
    with (
        ManagedIdentityCredential(client_id=MANAGED_CLIENT, retry_total=0, **hook) as credential,
        pytest.raises(ClientAuthenticationError),
    ):
        credential.get_token(SCOPE)
    assert answers == [status]


def test_a_throttled_sign_in_is_tried_again(clients: Clients, faults: FaultBoard) -> None:
    faults.add(Fault("azure", "entra.token", FaultKind.THROTTLED, times=1))
    assert clients.credential().get_token(SCOPE).token
    assert faults.calls()["azure"]["entra.token"] == 2


def test_a_token_of_another_tenant_or_for_another_service_opens_no_vault(clients: Clients) -> None:
    with pytest.raises(ClientAuthenticationError):
        clients.secrets(clients.credential(tenant=OTHER_TENANT)).get_secret("name")
    uri = clients.secrets().vault_url
    for tenant, scope, code in (
        (OTHER_TENANT, SCOPE, "AKV10032"),
        (TENANT, "https://management.azure.com/.default", "AKV10022"),
    ):
        token = clients.credential(tenant=tenant).get_token(scope).token
        answer = requests.get(f"{uri}/secrets", headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Unauthorized")
        assert code in answer.text
