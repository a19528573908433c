"""Microsoft's own clients, unmodified, against the local Azure."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential
from azure.mgmt.keyvault import KeyVaultManagementClient

from tests.sandbox.azure.conftest import (
    GROUP,
    MANAGED,
    PRINCIPAL,
    READER,
    TENANT,
    THERE,
    Connect,
    Credentials,
    Manage,
    VaultHolder,
)
from uss.sandbox.azure import AzureServer
from uss.sandbox.faults import Fault, FaultBoard, FaultKind

PROPERTIES: dict[str, Any] = {
    "tenantId": TENANT,
    "sku": {"family": "A", "name": "standard"},
    "enableRbacAuthorization": True,
}


def put(client: KeyVaultManagementClient, name: str, value: str | None, vault: str = THERE, **more: Any) -> Any:
    """Create or update a secret through Resource Manager."""
    properties = {"value": value, "contentType": "text/plain"} if value is not None else {"contentType": "text/plain"}
    return client.secrets.create_or_update(GROUP, vault, name, {"properties": properties, **more})  # type: ignore[call-overload]  # the JSON form


def test_a_value_put_through_the_resource_manager_is_read_in_the_vault(manage: Manage, connect: Connect) -> None:
    put(manage(), "Db-Password", "日本\n ", tags={"team": "a"})
    secret = connect().get_secret("db-password")
    assert (secret.value, secret.properties.content_type, secret.properties.tags) == (
        "日本\n ",
        "text/plain",
        {"team": "a"},
    )
    told = manage().secrets.get(GROUP, THERE, "DB-PASSWORD")
    assert told.properties.value is None
    assert told.properties.secret_uri_with_version == secret.id


def test_every_put_is_a_new_version_and_old_ones_stay_readable(manage: Manage, connect: Connect) -> None:
    client = connect()
    for value in ("one", "two"):
        put(manage(), "db", value)
    put(manage(), "db", None, tags={"a": "b"})
    versions = [str(version.version) for version in client.list_properties_of_secret_versions("db")]
    assert [client.get_secret("db", version).value for version in versions] == ["one", "two", "two"]
    assert client.get_secret("db").value == "two"


def test_a_deleted_secret_keeps_its_name_until_it_is_recovered_or_purged(manage: Manage, connect: Connect) -> None:
    client = connect()
    put(manage(), "db", "one")
    client.begin_delete_secret("db").wait()
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("db")
    with pytest.raises(ResourceExistsError, match="deleted but recoverable"):
        put(manage(), "db", "two")
    with pytest.raises(ResourceExistsError):
        client.set_secret("DB", "two")
    client.begin_recover_deleted_secret("db").wait()
    assert client.get_secret("db").value == "one"
    client.begin_delete_secret("db").wait()
    client.purge_deleted_secret("db")
    assert list(client.list_deleted_secrets()) == []
    assert client.set_secret("db", "three").value == "three"


@pytest.mark.parametrize(
    ("name", "value", "more"),
    [
        ("a_b", "x", {}),
        ("x" * 128, "x", {}),
        ("ok", "", {}),
        ("ok", "é" * 12_801, {}),
        ("ok", "x", {"tags": {f"k{number}": "" for number in range(16)}}),
    ],
)
def test_what_key_vault_does_not_take_is_refused(manage: Manage, name: str, value: str, more: dict[str, Any]) -> None:
    with pytest.raises(HttpResponseError):
        put(manage(), name, value, **more)


def test_the_limit_is_in_bytes(manage: Manage, connect: Connect) -> None:
    put(manage(), "large", "é" * 12_800)
    assert connect().get_secret("large").value == "é" * 12_800


def test_a_vault_is_made_and_its_name_stays_taken_after_its_deletion(manage: Manage, connect: Connect) -> None:
    client = manage()
    content = {"location": "westeurope", "properties": PROPERTIES}
    made = client.vaults.begin_create_or_update(GROUP, "kv-new", content).result()  # type: ignore[call-overload]  # the JSON form
    assert made.properties.enable_rbac_authorization
    put(client, "db", "one", vault="kv-new")
    assert connect(vault="kv-new").get_secret("db").value == "one"
    client.vaults.delete(GROUP, "kv-new")
    with pytest.raises(ResourceNotFoundError):
        client.vaults.get(GROUP, "kv-new")
    with pytest.raises(ResourceExistsError, match="already in use"):
        client.vaults.begin_create_or_update(GROUP, "kv-new", content)  # type: ignore[call-overload]  # as above
    with pytest.raises(HttpResponseError, match="invalid"):
        client.vaults.begin_create_or_update(GROUP, "kv--new", content)  # type: ignore[call-overload]  # as above
    with pytest.raises(ResourceNotFoundError, match="Resource group"):
        client.vaults.get("rg-nowhere", THERE)


def test_purge_protection_holds(manage: Manage, connect: Connect) -> None:
    client = manage()
    content = {"location": "westeurope", "properties": PROPERTIES | {"enablePurgeProtection": True}}
    client.vaults.begin_create_or_update(GROUP, "kv-held", content).result()  # type: ignore[call-overload]  # the JSON form
    held = connect(vault="kv-held")
    held.set_secret("db", "one")
    held.begin_delete_secret("db").wait()
    with pytest.raises(HttpResponseError, match="purge protection"):
        held.purge_deleted_secret("db")


def test_grants_are_enforced_and_the_action_is_named(
    manage: Manage, connect: Connect, credentials: Credentials
) -> None:
    put(manage(), "db", "one")
    reader = credentials(READER, "reader")
    assert manage(reader).vaults.get(GROUP, THERE).name == THERE
    with pytest.raises(HttpResponseError, match="Microsoft.KeyVault/vaults/secrets/write"):
        put(manage(reader), "db", "two")
    with pytest.raises(HttpResponseError, match="Microsoft.KeyVault/vaults/secrets/getSecret/action"):
        connect(reader).get_secret("db")


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (("unknown", "x"), "AADSTS700016"),
        ((READER, "wrong"), "AADSTS7000215"),
        ((READER, "reader", "other"), "AADSTS700016"),
    ],
)
def test_a_wrong_secret_client_or_tenant_gets_no_token(
    manage: Manage, credentials: Credentials, identity: tuple[str, ...], text: str
) -> None:
    with pytest.raises(ClientAuthenticationError, match=text):
        manage(credentials(*identity)).vaults.get(GROUP, THERE)


def test_a_managed_identity_gets_a_token_by_its_client_id_alone(azure: AzureServer, manage: Manage) -> None:
    with ManagedIdentityCredential(client_id=MANAGED) as credential:
        assert manage(credential).vaults.get(GROUP, THERE).name == THERE
    with ManagedIdentityCredential(client_id=PRINCIPAL) as credential, pytest.raises(ClientAuthenticationError):
        manage(credential).vaults.get(GROUP, THERE)


def test_a_machine_that_is_not_azures_has_no_metadata_service(manage: Manage, vault: VaultHolder) -> None:
    vault.content["clouds"]["azure"]["metadataService"] = False  # type: ignore[index]  # JSON
    options: dict[str, Any] = {"retry_total": 0}
    with (
        ManagedIdentityCredential(client_id=MANAGED, **options) as credential,
        pytest.raises((CredentialUnavailableError, ClientAuthenticationError)),
    ):
        manage(credential).vaults.get(GROUP, THERE)


@pytest.mark.parametrize(
    ("kind", "status"), [(FaultKind.DENIED, 403), (FaultKind.THROTTLED, 429), (FaultKind.ERROR, 500)]
)
def test_faults_look_as_the_services_own(
    manage: Manage, connect: Connect, faults: FaultBoard, kind: FaultKind, status: int
) -> None:
    client = connect()
    put(manage(), "db", "one")
    client.get_secret("db")
    faults.add(Fault("azure", "keyvault.getSecret", kind))
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("db")
    assert caught.value.status_code == status
    faults.clear()
    assert client.get_secret("db").value == "one"


def test_the_dump_has_values_versions_and_marks(azure: AzureServer, manage: Manage, connect: Connect) -> None:
    put(manage(), "db", "one", tags={"a": "b"})
    put(manage(), "gone", "two")
    connect().begin_delete_secret("gone").wait()
    found = azure.dump()[THERE]
    assert found["db"] == {
        "value": "one",
        "versions": 1,
        "contentType": "text/plain",
        "tags": {"a": "b"},
        "deleted": False,
    }
    assert found["gone"]["deleted"]
