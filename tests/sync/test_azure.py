"""What only Azure has: the key vault itself, soft delete, managed identities."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sync.clouds import AZURE_GROUP, AZURE_SUBSCRIPTION, AZURE_VAULT, AzureUnderTest
from tests.sync.harness import Project, Sandbox, login, password, plain_prefix, uid
from uss.sandbox.faults import Fault, FaultKind

AZURE = AzureUnderTest()
GRANTS = [
    f"Microsoft.KeyVault/vaults/{action}"
    for action in (
        "read",
        "secrets/read",
        "secrets/write",
        "secrets/delete",
        "secrets/readMetadata/action",
        "secrets/recover/action",
    )
]
"""What docs/azure.md asks for: Resource Manager's first, then the key vault's own."""


@pytest.fixture
def ready(project: Project) -> Project:
    """A project for Azure."""
    project.prefix = plain_prefix(project.prefix)
    return project


def configure(project: Project, **keys: Any) -> None:
    """Write the stack file."""
    project.configure(AZURE.configuration() | {"namePrefix": project.prefix} | keys)


def test_a_key_vault_is_made_once_and_outlives_its_records_and_the_stack(ready: Project, sandbox: Sandbox) -> None:
    name = "kv-made-by-the-sync"
    configure(ready, vaultName=name, purgeProtection=True)
    sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p1"), login(uid(2), "Second", "p2")))
    preview = ready.preview()
    assert f"the key vault {name} is not there yet: it will be made" in preview
    assert "azure-native:keyvault:Vault" in preview
    assert AZURE.calls(sandbox) == set()
    ready.up_well()
    with AZURE.management(sandbox) as management:
        made = management.vaults.get(AZURE_GROUP, name)
        assert made.properties.enable_rbac_authorization
        assert made.properties.enable_purge_protection
    sandbox.control.reset_calls()
    ready.up_well("--expect-no-changes")
    assert AZURE.calls(sandbox) == set()
    sandbox.edit(lambda records: records.pop(uid(2)))
    ready.up_well()
    ready.destroy()
    with AZURE.management(sandbox) as management:
        assert management.vaults.get(AZURE_GROUP, name).name == name
    held = sandbox.control.dump()["azure"][name]
    assert {secret["deleted"] for secret in held.values()} == {True}


def test_a_key_vault_that_is_there_is_used_and_never_owned(ready: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p1")))
    AZURE.put_foreign(ready, "Foreign", "somebody else's")
    configure(ready, location=None)
    ready.up_well()
    assert "azure-native:keyvault:Vault" not in ready.exported()
    assert AZURE.values(ready).keys() == {"First", "Foreign"}


def test_a_key_vault_name_that_is_taken_elsewhere_is_told(ready: Project, sandbox: Sandbox) -> None:
    content = AZURE.vault(login(uid(1), "First", "p1"))
    content["clouds"]["azure"]["resourceGroups"] = [{"subscription": AZURE_SUBSCRIPTION, "name": "rg-other"}]
    sandbox.write_vault(content)
    AZURE.put_foreign(ready, "Foreign", "x")
    configure(ready, resourceGroup="rg-other")
    run = ready.up()
    assert run.code != 0
    assert "VaultAlreadyExists" in run
    assert AZURE_VAULT in run


def test_a_name_that_somebody_elses_deleted_secret_keeps_is_told(ready: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(AZURE.vault(login(uid(1), "Kept", "p1"), login(uid(2), "Other", "p2")))
    AZURE.put_foreign(ready, "Kept", "somebody else's")
    with AZURE.client(sandbox) as client:
        assert client is not None
        client.begin_delete_secret(ready.prefix + "Kept").wait()
        configure(ready)
        told = f'the key vault keeps a deleted secret "{ready.prefix}Kept" until 20'
        assert told in ready.preview()
        assert told in ready.up_well()
        assert AZURE.values(ready).keys() == {"Other"}
        configure(ready, adopt=[uid(1)])
        ready.up_well()
        assert AZURE.values(ready).keys() == {"Kept", "Other"}
        assert AZURE.versions(ready, "Kept") == 2


def test_a_key_vault_that_tells_nothing_of_what_it_keeps_does_not_stop_the_run(
    ready: Project, sandbox: Sandbox
) -> None:
    sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p1")))
    configure(ready)
    sandbox.control.add_fault(Fault("azure", "keyvault.getDeletedSecrets", FaultKind.DENIED))
    ready.up_well()
    assert AZURE.values(ready).keys() == {"First"}


def test_names_that_differ_in_case_alone_clash(ready: Project, sandbox: Sandbox) -> None:
    configure(ready)
    sandbox.write_vault(AZURE.vault(login(uid(1), "Same", "p1"), login(uid(2), "same", "p2"), login(uid(3), "Ok", "p")))
    assert ready.up_well().output.count("name clash") >= 2
    assert AZURE.values(ready).keys() == {"Ok"}


def test_the_pam_configurations_service_principal_alone_is_enough(ready: Project, sandbox: Sandbox) -> None:
    configure(ready, syncIdentity=None)
    sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p1")))
    ready.up_well()
    assert AZURE.values(ready).keys() == {"First"}
    assert "imds.token" not in sandbox.control.calls()["azure"]


def test_a_machine_that_is_not_azures_is_told_so(ready: Project, sandbox: Sandbox) -> None:
    configure(ready)
    content = AZURE.vault(login(uid(1), "First", "p1"))
    content["clouds"]["azure"]["metadataService"] = False
    sandbox.write_vault(content)
    run = ready.up()
    assert run.code != 0
    assert len(run.errors) == 1
    assert "managed identities work on Azure's own machines only" in run.errors[0]
    assert "Traceback" not in run


@pytest.mark.parametrize(
    ("kind", "answer"), [(FaultKind.DENIED, "RESPONSE 403 Forbidden"), (FaultKind.MISSING, "RESPONSE 404 Not Found")]
)
def test_a_metadata_service_that_is_kept_away_ends_the_run_before_the_first_write(
    ready: Project, sandbox: Sandbox, kind: FaultKind, answer: str
) -> None:
    configure(ready)
    sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p1")))
    fault = Fault("azure", "imds.token", kind)
    sandbox.control.add_fault(fault)
    for run in (ready.preview(), ready.up()):
        assert run.code != 0
        assert 'configuration "cloud": the cloud could not be asked what it holds' in run
        assert "ManagedIdentityCredential authentication failed." in run
        assert answer in run
    sandbox.control.clear_faults()
    ready.up_well()
    sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p2"), login(uid(2), "Second", "p1")))
    sandbox.control.add_fault(fault)
    sandbox.control.reset_calls()
    for run in (ready.preview(), ready.up()):
        assert run.code != 0
        assert answer in run
    assert AZURE.calls(sandbox) == set()
    assert AZURE.values(ready) == {"First": password("p1")}


@pytest.mark.parametrize(
    ("key", "missing", "told"),
    [
        ("resourceGroup", "rg-of-nobody", "has no such resource group"),
        ("subscriptionId", "99999999-9999-9999-9999-999999999999", "Azure knows no such subscription"),
    ],
)
def test_a_place_that_is_not_there_is_a_mistake_and_nothing_to_create(
    ready: Project, sandbox: Sandbox, key: str, missing: str, told: str
) -> None:
    configure(ready, **{key: missing})
    sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p1")))
    for run in (ready.preview(), ready.up()):
        assert run.code != 0
        assert len(run.errors) == 1, run.output
        assert f'key `{key}`: found "{missing}"' in run.errors[0]
        assert told in run.errors[0]
        assert "will be made" not in run
    assert "arm.vaults.createOrUpdate" not in sandbox.control.calls()["azure"]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"syncIdentity": "keeper-uss"}, "client ID, a UUID: not its object ID"),
        ({"vaultName": "kv--bad"}, 'key `vaultName`: found "kv--bad"'),
        ({"vaultName": None}, "key `vaultName`: is missing"),
        ({"tags": {f"k{number}": "" for number in range(10)}}, "Give 9 at most"),
        ({"regions": ["us-east-1"]}, "key `regions`: is a key for aws"),
        ({"vaultName": "kv-not-there-yet", "location": None}, "key `location`: is missing"),
    ],
)
def test_a_mistake_is_told_with_its_key(ready: Project, sandbox: Sandbox, keys: dict[str, Any], text: str) -> None:
    configure(ready, **keys)
    sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p1")))
    run = ready.preview()
    assert run.code != 0
    assert len(run.errors) == 1, run.output
    assert text in run.errors[0]
