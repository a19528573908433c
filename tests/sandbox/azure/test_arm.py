"""Resource Manager as the vendor's own client sees it."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.mgmt.keyvault.models import (
    AccessPolicyEntry,
    Permissions,
    SecretAttributes,
    SecretCreateOrUpdateParameters,
    SecretProperties,
    Sku,
    VaultCreateOrUpdateParameters,
    VaultProperties,
)

from tests.leaks import leaks
from tests.sandbox.azure.kit import (
    GROUP,
    OTHER_SUBSCRIPTION,
    PAM_CLIENT,
    PAM_SECRET,
    PROTECTED,
    READER_CLIENT,
    READER_SECRET,
    SUBSCRIPTION,
    TENANT,
    VAULT,
    VAULT_FILE,
    VAULT_ID,
    Clients,
    VaultHolder,
)
from uss.sandbox.vaultfile import Vault, VaultFileError


def settings(**more: Any) -> VaultCreateOrUpdateParameters:
    given = {"enable_rbac_authorization": True} | more
    properties = VaultProperties(tenant_id=TENANT, sku=Sku(family="A", name="standard"), **given)
    return VaultCreateOrUpdateParameters(location="westeurope", properties=properties)


def secret(value: str | None = "canary", **more: Any) -> SecretCreateOrUpdateParameters:
    return SecretCreateOrUpdateParameters(
        properties=SecretProperties(value=value, content_type="text/plain", attributes=SecretAttributes(enabled=True)),
        **more,
    )


def test_vaults_and_groups_of_the_file_and_of_pam_configurations_are_there(clients: Clients) -> None:
    arm = clients.arm(clients.credential(PAM_CLIENT, PAM_SECRET))
    assert [vault.name for vault in arm.vaults.list_by_subscription()] == [VAULT, PROTECTED]
    assert list(arm.vaults.list_by_resource_group("rg-pam-two")) == []
    with pytest.raises(HttpResponseError, match="ResourceGroupNotFound"):
        list(arm.vaults.list_by_resource_group("rg-none"))
    with pytest.raises(ResourceNotFoundError, match="ResourceNotFound"):
        arm.vaults.get("rg-pam-one", VAULT)


def test_a_write_makes_a_version_and_never_shows_the_value(clients: Clients) -> None:
    arm, client = clients.arm(), clients.secrets()
    made = arm.secrets.create_or_update(GROUP, VAULT, "name", secret(tags={"a": "b"}))
    again = arm.secrets.create_or_update(GROUP, VAULT, "name", secret(tags={"a": "c"}))
    assert made.properties
    assert again.properties
    assert made.properties.value is again.properties.value is None
    assert made.properties.secret_uri_with_version != again.properties.secret_uri_with_version
    assert len(list(client.list_properties_of_secret_versions("name"))) == 2
    found = arm.secrets.get(GROUP, VAULT, "NAME")
    assert (found.name, found.tags) == ("name", {"a": "c"})
    assert leaks(str(found.as_dict()), "canary") == {}
    assert client.get_secret("name").value == "canary"
    assert [item.name for item in arm.secrets.list(GROUP, VAULT)] == ["name"]


def test_a_missing_secret_and_a_deleted_name_are_told_apart(clients: Clients) -> None:
    arm, client = clients.arm(), clients.secrets()
    with pytest.raises(ResourceNotFoundError, match=f"'Microsoft.KeyVault/vaults/{VAULT}/secrets/name'"):
        arm.secrets.get(GROUP, VAULT, "name")
    client.set_secret("name", "value")
    client.begin_delete_secret("name").wait()
    with pytest.raises(ResourceNotFoundError):
        arm.secrets.get(GROUP, VAULT, "name")
    with pytest.raises(HttpResponseError, match="deleted but recoverable") as refused:
        arm.secrets.create_or_update(GROUP, VAULT, "name", secret())
    assert refused.value.status_code == 409


def test_a_value_written_through_resource_manager_is_read_in_the_vault(clients: Clients) -> None:
    made = clients.arm().secrets.create_or_update(GROUP, VAULT, "Db-Password", secret("日本\n ", tags={"team": "a"}))
    found = clients.secrets().get_secret("db-password")
    assert (found.value, found.properties.content_type, found.properties.tags) == (
        "日本\n ",
        "text/plain",
        {"team": "a"},
    )
    assert made.properties
    assert made.properties.secret_uri_with_version == found.id


@pytest.mark.parametrize("name", ["kv--new", "1kv", "kv", "k" * 25])
def test_a_vaults_name_that_azure_does_not_take_is_refused(clients: Clients, name: str) -> None:
    with pytest.raises(HttpResponseError, match="VaultNameNotValid"):
        clients.arm().vaults.begin_create_or_update(GROUP, name, settings())


@pytest.mark.parametrize("value", [None, "", "x" * 25_601])
def test_a_value_that_is_missing_or_too_long_is_refused(clients: Clients, value: str | None) -> None:
    with pytest.raises(HttpResponseError, match="BadParameter") as refused:
        clients.arm().secrets.create_or_update(GROUP, VAULT, "name", secret(value))
    assert refused.value.status_code == 400


def test_a_write_resets_what_it_leaves_out_and_a_change_does_not(clients: Clients) -> None:
    arm = clients.arm()
    made = arm.vaults.begin_create_or_update(
        GROUP, "kv-new", settings(soft_delete_retention_in_days=7, enable_purge_protection=True)
    ).result()
    assert made.properties.public_network_access == "Enabled"
    rules: Any = {"publicNetworkAccess": "Disabled", "networkAcls": {"defaultAction": "Deny", "bypass": "None"}}
    change: Any = {"tags": {"theirs": "yes"}, "properties": rules}
    arm.vaults.update(GROUP, "kv-new", change)
    closed = arm.vaults.update(GROUP, "kv-new", {"properties": {"enabledForDeployment": True}})
    assert closed.properties.public_network_access == "Disabled"
    assert closed.properties.network_acls
    assert closed.properties.network_acls.default_action == "Deny"
    assert closed.tags == {"theirs": "yes"}
    again = arm.vaults.begin_create_or_update(GROUP, "kv-new", settings()).result()
    assert (again.properties.public_network_access, again.properties.network_acls) == ("Enabled", None)
    assert again.tags == {}
    assert again.properties.soft_delete_retention_in_days == 7
    assert again.properties.enable_purge_protection


def test_a_closed_vault_answers_resource_manager_alone(clients: Clients) -> None:
    arm = clients.arm(clients.credential(PAM_CLIENT, PAM_SECRET))
    change: Any = {"properties": {"publicNetworkAccess": "Disabled"}}
    arm.vaults.update(GROUP, VAULT, change)
    arm.secrets.create_or_update(GROUP, VAULT, "name", secret())
    with pytest.raises(HttpResponseError, match="Public network access is disabled") as refused:
        clients.secrets(clients.credential(PAM_CLIENT, PAM_SECRET)).get_secret("name")
    assert refused.value.status_code == 403
    assert clients.secrets().get_secret("name").value == "canary"


def test_a_vault_lives_through_creation_deletion_recovery_and_purge(clients: Clients) -> None:
    arm = clients.arm()
    made = arm.vaults.begin_create_or_update(GROUP, "kv-new", settings(soft_delete_retention_in_days=7)).result()
    assert made.properties.soft_delete_retention_in_days == 7
    client = clients.secrets(vault="kv-new")
    client.set_secret("name", "value")
    arm.vaults.delete(GROUP, "kv-new")
    with pytest.raises(ResourceNotFoundError):
        arm.vaults.get(GROUP, "kv-new")
    with pytest.raises(HttpResponseError, match="deleted state"):
        arm.vaults.begin_create_or_update(GROUP, "kv-new", settings())
    with pytest.raises(HttpResponseError, match="VaultAlreadyExists"):
        arm.vaults.begin_create_or_update("rg-pam-one", "KV-NEW", settings())
    assert [vault.name for vault in arm.vaults.list_deleted()] == ["kv-new"]
    arm.vaults.begin_create_or_update(GROUP, "kv-new", settings(create_mode="recover")).result()
    assert client.get_secret("name").value == "value"
    arm.vaults.delete(GROUP, "kv-new")
    arm.vaults.begin_purge_deleted("kv-new", "westeurope").result()
    arm.vaults.begin_create_or_update("rg-pam-one", "kv-new", settings()).result()


def test_purge_protection_is_never_taken_back(clients: Clients) -> None:
    arm = clients.arm()
    with pytest.raises(HttpResponseError, match="irreversible"):
        arm.vaults.begin_create_or_update(GROUP, PROTECTED, settings(enable_purge_protection=False))
    kept = arm.vaults.begin_create_or_update(GROUP, PROTECTED, settings()).result()
    assert kept.properties.enable_purge_protection
    with pytest.raises(HttpResponseError, match="can't be modified"):
        arm.vaults.begin_create_or_update(GROUP, PROTECTED, settings(soft_delete_retention_in_days=8))
    arm.vaults.delete(GROUP, PROTECTED)
    with pytest.raises(HttpResponseError, match="DeletedVaultPurge"):
        arm.vaults.begin_purge_deleted(PROTECTED, "westeurope")


def test_a_denied_call_names_the_action_and_the_scope(clients: Clients) -> None:
    arm = clients.arm(clients.credential(READER_CLIENT, READER_SECRET))
    assert arm.vaults.get(GROUP, VAULT).name == VAULT
    with pytest.raises(HttpResponseError, match="AuthorizationFailed") as refused:
        arm.secrets.create_or_update(GROUP, VAULT, "name", secret())
    assert refused.value.status_code == 403
    assert "'Microsoft.KeyVault/vaults/secrets/write' over scope '/subscriptions/" in str(refused.value)
    assert leaks(str(refused.value), "canary") == {}


@pytest.mark.parametrize(("version", "rbac"), [("2024-11-01", False), ("2026-02-01", True)])
def test_a_vault_has_rbac_by_the_version_of_the_api(clients: Clients, version: str, rbac: bool) -> None:
    arm = clients.arm(clients.credential(), api_version=version)
    arm.vaults.begin_create_or_update(GROUP, "kv-new", settings(enable_rbac_authorization=None)).result()
    assert arm.vaults.get(GROUP, "kv-new").properties.enable_rbac_authorization is rbac
    arm.vaults.begin_create_or_update(GROUP, "kv-new", settings()).result()
    assert arm.vaults.get(GROUP, "kv-new").properties.enable_rbac_authorization


def test_without_rbac_an_access_policy_decides_and_rights_on_the_vault_do_not(clients: Clients) -> None:
    arm, credential = clients.arm(), clients.credential(PAM_CLIENT, PAM_SECRET)
    arm.vaults.begin_create_or_update(GROUP, "kv-new", settings(enable_rbac_authorization=False)).result()
    clients.arm(credential).secrets.create_or_update(GROUP, "kv-new", "name", secret())
    client = clients.secrets(credential, vault="kv-new")
    missing = "does not have secrets delete permission on key vault 'kv-new;location=westeurope'"
    with pytest.raises(HttpResponseError, match=missing) as refused:
        client.begin_delete_secret("name")
    assert '"code": "AccessDenied"' in str(refused.value.response.text() if refused.value.response else "")
    assert clients.secrets(vault="kv-new").get_secret("name").value == "canary"

    principal = str(refused.value).split("oid=")[1].partition(";")[0]
    permissions = Permissions(secrets=["Delete", "get"])
    policy = AccessPolicyEntry(tenant_id=TENANT, object_id=principal, permissions=permissions)
    changed = settings(enable_rbac_authorization=False, access_policies=[policy])
    arm.vaults.begin_create_or_update(GROUP, "kv-new", changed).result()
    client.begin_delete_secret("name")
    assert client.get_deleted_secret("name").name == "name"
    with pytest.raises(HttpResponseError, match="secrets recover permission"):
        client.begin_recover_deleted_secret("name")


def test_a_vault_of_the_file_may_be_one_without_rbac(clients: Clients, vault: VaultHolder) -> None:
    more = {"name": "kv-policies", "resourceGroup": GROUP, "subscription": SUBSCRIPTION, "rbac": False}
    vault.vault = Vault.model_validate({**VAULT_FILE, "clouds": {"azure": {"vaults": [more]}}})
    with pytest.raises(HttpResponseError, match="secrets list permission"):
        list(clients.secrets(clients.credential(PAM_CLIENT, PAM_SECRET), "kv-policies").list_properties_of_secrets())


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        (f"/subscriptions/{SUBSCRIPTION}", {"kv-main/name", "kv-main/other", "kv-protected/name"}),
        (VAULT_ID.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), {"kv-main/name", "kv-main/other"}),
        (f"{VAULT_ID}/secrets/name", {"kv-main/name"}),
        (VAULT_ID[:-1], set()),
    ],
)
def test_rights_hold_within_their_scope_on_both_planes(
    clients: Clients, vault: VaultHolder, scope: str, may: set[str]
) -> None:
    cloud = VAULT_FILE["clouds"]["azure"]
    reader = {"clientId": READER_CLIENT, "clientSecret": READER_SECRET, "tenant": TENANT, "scopes": [scope]}
    vault.vault = Vault.model_validate({**VAULT_FILE, "clouds": {"azure": cloud | {"identities": [reader]}}})
    credential, managed, opened = clients.credential(READER_CLIENT, READER_SECRET), set(), set()
    for name in ("kv-main/name", "kv-main/other", "kv-protected/name"):
        place, _, which = name.partition("/")
        clients.secrets(vault=place).set_secret(which, "value")
        try:
            clients.arm(credential).secrets.get(GROUP, place, which)
            managed.add(name)
        except HttpResponseError as refused:
            assert refused.status_code == 403
        try:
            clients.secrets(credential, place).get_secret(which)
            opened.add(name)
        except HttpResponseError as refused:
            assert refused.status_code == 403
    assert managed == opened == may


def test_rights_end_where_the_subscription_and_the_tenant_end(clients: Clients) -> None:
    credential = clients.credential(PAM_CLIENT, PAM_SECRET)
    with pytest.raises(ClientAuthenticationError, match="InvalidAuthenticationTokenTenant"):
        list(clients.arm(credential, OTHER_SUBSCRIPTION).vaults.list_by_subscription())
    with pytest.raises(ResourceNotFoundError, match="SubscriptionNotFound"):
        list(clients.arm(credential, TENANT).vaults.list_by_subscription())


def test_an_edited_file_adds_vaults_and_takes_identities_away(clients: Clients, vault: VaultHolder) -> None:
    credential = clients.credential(PAM_CLIENT, PAM_SECRET)
    clients.arm(credential).vaults.get(GROUP, VAULT)
    cloud = VAULT_FILE["clouds"]["azure"]
    more = {**cloud["vaults"][0], "name": "kv-added"}
    subscription = {"id": more["subscription"], "tenant": TENANT}
    edited = {"vaults": [more], "subscriptions": [subscription]}
    vault.vault = Vault.model_validate({"clouds": {"azure": edited}})
    assert clients.secrets(vault="kv-added").set_secret("name", "value").value == "value"
    with pytest.raises(ClientAuthenticationError):
        clients.arm(credential).vaults.get(GROUP, VAULT)


def test_a_file_that_cannot_be_read_now_changes_nothing(clients: Clients, vault: VaultHolder) -> None:
    arm = clients.arm()
    assert arm.vaults.get(GROUP, VAULT)
    vault.fault = VaultFileError("half-written")
    assert arm.vaults.get(GROUP, VAULT)
