"""What the vault file says of Azure."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.leaks import leaks
from tests.sandbox.azure.kit import OTHER_SUBSCRIPTION, OTHER_TENANT, PAM_SECRET, SUBSCRIPTION, TENANT, VAULT_FILE
from uss.sandbox.azure.models import Directory, subscriptions_of
from uss.sandbox.azure.pam import pam_configurations
from uss.sandbox.vaultfile import Vault, VaultFileError

DEFAULT = "99999999-0000-0000-0000-000000000000"


def azure(**cloud: Any) -> Vault:
    return Vault.model_validate({"clouds": {"azure": cloud}})


def test_a_pam_configuration_is_read_without_regard_to_case_and_spaces_and_shows_no_secret() -> None:
    (pam,) = pam_configurations(Vault.model_validate(VAULT_FILE))
    assert (pam.subscription, pam.client_secret, pam.groups) == (SUBSCRIPTION, PAM_SECRET, ("rg-pam-one", "rg-pam-two"))
    assert leaks(repr(pam), PAM_SECRET) == {}


def test_the_first_subscription_is_a_pam_configurations_if_there_is_one() -> None:
    found = subscriptions_of(Vault.model_validate(VAULT_FILE), DEFAULT)
    assert [(one.id, one.tenant) for one in found.values()] == [
        (SUBSCRIPTION, TENANT),
        (OTHER_SUBSCRIPTION, OTHER_TENANT),
    ]
    assert subscriptions_of(Vault(), DEFAULT) == {}


def test_a_pam_configuration_without_a_client_still_has_its_subscription_and_groups() -> None:
    record = VAULT_FILE["records"][0]
    file = Vault.model_validate({"records": [{**record, "fields": record["fields"][2:]}]})
    (found,) = subscriptions_of(file, DEFAULT).values()
    assert (found.id, found.tenant, list(found.groups)) == (SUBSCRIPTION, TENANT, ["rg-pam-one", "rg-pam-two"])


def test_a_subscription_is_of_the_files_only_tenant_or_of_the_default_one() -> None:
    group = {"subscription": SUBSCRIPTION.upper(), "name": "Rg"}
    identity = {"clientId": "c", "tenant": TENANT.upper()}
    alone = subscriptions_of(azure(resourceGroups=[group]), DEFAULT)
    told = subscriptions_of(azure(resourceGroups=[group], identities=[identity]), DEFAULT)
    assert (alone[SUBSCRIPTION].tenant, told[SUBSCRIPTION].tenant) == (DEFAULT, TENANT)
    assert told[SUBSCRIPTION].group("rG") == ("Rg", "westeurope")


def test_a_subscription_that_may_be_of_several_tenants_is_a_fault_of_the_file() -> None:
    vaults = [{"name": "kv-lost", "resourceGroup": "rg", "subscription": SUBSCRIPTION}]
    identities = [{"clientId": "c", "tenant": tenant} for tenant in (TENANT, OTHER_TENANT)]
    lost = azure(vaults=vaults, identities=identities)
    with pytest.raises(VaultFileError, match=f"which tenant the subscription {SUBSCRIPTION}"):
        Directory(lambda name: name, DEFAULT).learn(lost)


def test_a_vault_that_is_not_of_its_subscriptions_tenant_is_a_fault_of_the_file() -> None:
    vault = {"name": "kv-odd", "resourceGroup": "rg", "subscription": SUBSCRIPTION, "tenant": OTHER_TENANT}
    odd = azure(vaults=[vault], subscriptions=[{"id": SUBSCRIPTION, "tenant": TENANT}])
    with pytest.raises(VaultFileError, match="kv-odd: its tenant is not"):
        Directory(lambda name: name, DEFAULT).learn(odd)


@pytest.mark.parametrize("name", ["kv", "1kv", "kv--two", "k" * 25, "kv_1"])
def test_a_vaults_name_is_one_that_azure_takes(name: str) -> None:
    with pytest.raises(ValidationError):
        azure(vaults=[{"name": name, "resourceGroup": "rg", "subscription": SUBSCRIPTION}])
