"""A key vault that the sync made is not opened again, nor relabelled, by anything that the sync does later."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sync.clouds import AZURE_GROUP, AzureUnderTest
from tests.sync.harness import Project, Sandbox, login, password, plain_prefix, uid
from uss.sandbox.faults import Fault, FaultKind

AZURE = AzureUnderTest()
RULES = {"bypass": "None", "defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7"}]}
DEFAULTS_OF_THE_SDK = {
    "enabledForDeployment": False,
    "enabledForDiskEncryption": False,
    "enabledForTemplateDeployment": False,
    "publicNetworkAccess": "enabled",
    "softDeleteRetentionInDays": 90,
}
"""What the SDK's class put into every key vault, by which the sync made them before."""


@dataclass
class Made:
    """A project whose key vault the sync made."""

    project: Project
    sandbox: Sandbox
    name: str

    def configure(self, **keys: Any) -> None:
        """Write the stack file."""
        given = {"vaultName": self.name, "namePrefix": self.project.prefix} | keys
        self.project.configure(AZURE.configuration() | given)

    def close(self) -> None:
        """Close the key vault by hand, and mark it."""
        with AZURE.management(self.sandbox) as management:
            tags = {**(management.vaults.get(AZURE_GROUP, self.name).tags or {}), "closed-by": "the network team"}
            change: Any = {"tags": tags, "properties": {"publicNetworkAccess": "Disabled", "networkAcls": RULES}}
            management.vaults.update(AZURE_GROUP, self.name, change)

    def assert_closed(self) -> Any:
        """Check that it is as it was left; return its properties."""
        with AZURE.management(self.sandbox) as management:
            found = management.vaults.get(AZURE_GROUP, self.name)
        assert found.properties.public_network_access == "Disabled"
        assert found.properties.network_acls
        assert found.properties.network_acls.default_action == "Deny"
        assert found.properties.network_acls.ip_rules
        assert found.properties.network_acls.ip_rules[0].value == "203.0.113.7"
        assert found.tags
        assert (found.tags["closed-by"], found.tags["managed-by"]) == ("the network team", "keeper-uss")
        return found.properties

    def values(self) -> dict[str, str]:
        """What the key vault holds."""
        held = self.sandbox.control.dump()["azure"][self.name]
        return {name.removeprefix(self.project.prefix): secret["value"] for name, secret in held.items()}

    def edit_state(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the key vault in the state: `change` gets its entry."""
        state = json.loads(self.project.exported())
        (entry,) = [one for one in state["deployment"]["resources"] if one["type"] == "azure-native:keyvault:Vault"]
        change(entry)
        file = self.project.folder / "edited.json"
        file.write_text(json.dumps(state), encoding="utf-8")
        run = self.project.shell(f"pulumi stack import --stack {self.project.stack} --file {file}")
        assert run.code == 0, run.output


@pytest.fixture
def made(project: Project, sandbox: Sandbox) -> Made:
    """A key vault that was made with one secret in it."""
    project.prefix = plain_prefix(project.prefix)
    made = Made(project, sandbox, f"kv-{uuid.uuid4().hex[:18]}")
    made.configure()
    sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p1")))
    project.up_well()
    return made


def writes(sandbox: Sandbox) -> int:
    """How often the key vault was written to since the counters were reset."""
    return int(sandbox.control.calls()["azure"].get("arm.vaults.createOrUpdate", 0))


def test_a_closed_key_vault_stays_closed_whatever_is_synced(made: Made) -> None:
    made.close()
    made.sandbox.control.reset_calls()
    made.project.up_well("--expect-no-changes")
    made.sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p2"), login(uid(2), "Second", "p3")))
    made.project.up_well()
    made.assert_closed()
    made.project.up_well("--refresh")
    made.assert_closed()
    made.sandbox.write_vault(AZURE.vault(login(uid(1), "First", "p4"), login(uid(2), "Second", "p3")))
    made.project.up_well("--refresh")
    made.assert_closed()
    assert writes(made.sandbox) == 0
    assert made.values() == {"First": password("p4"), "Second": password("p3")}


@pytest.mark.parametrize("arguments", [[], ["--refresh"]], ids=["plain", "refresh"])
def test_purge_protection_is_turned_on_and_nothing_else_is_touched(made: Made, arguments: list[str]) -> None:
    made.close()
    made.configure(purgeProtection=True)
    preview = made.project.preview(*arguments, "--diff")
    assert preview.code == 0
    assert "enablePurgeProtection" in preview
    made.project.up_well(*arguments)
    assert made.assert_closed().enable_purge_protection
    made.sandbox.control.reset_calls()
    made.project.up_well("--expect-no-changes")
    assert AZURE.calls(made.sandbox) == set()
    made.configure(purgeProtection=False)
    made.project.up_well("--expect-no-changes")
    assert made.assert_closed().enable_purge_protection


def test_purge_protection_that_somebody_turned_on_needs_no_write(made: Made) -> None:
    made.close()
    with AZURE.management(made.sandbox) as management:
        change: Any = {"properties": {"enablePurgeProtection": True}}
        management.vaults.update(AZURE_GROUP, made.name, change)
    made.configure(purgeProtection=True)
    made.sandbox.control.reset_calls()
    made.project.up_well("--expect-no-changes")
    assert writes(made.sandbox) == 0


def test_another_version_of_azures_api_opens_nothing(made: Made) -> None:
    made.close()

    def of_an_older_provider(entry: dict[str, Any]) -> None:
        entry["inputs"]["azureApiVersion"] = entry["outputs"]["azureApiVersion"] = "2023-07-01"
        entry["outputs"]["__inputs"]["azureApiVersion"] = "2023-07-01"

    made.edit_state(of_an_older_provider)
    made.sandbox.control.reset_calls()
    made.project.up_well("--expect-no-changes")
    made.project.up_well("--refresh")
    assert writes(made.sandbox) == 0
    made.assert_closed()


def test_a_key_vault_that_was_made_by_the_sdks_class_stays_as_it_is(made: Made) -> None:
    def of_the_class(entry: dict[str, Any]) -> None:
        for inputs in (entry["inputs"], entry["outputs"]["__inputs"]):
            inputs["properties"] |= DEFAULTS_OF_THE_SDK
        entry["outputs"]["properties"] |= DEFAULTS_OF_THE_SDK
        entry.pop("ignoreChanges", None)

    made.edit_state(of_the_class)
    assert made.project.preview("--expect-no-changes").code == 0
    made.close()
    made.sandbox.control.reset_calls()
    made.project.up_well("--expect-no-changes")
    made.project.up_well("--refresh")
    assert writes(made.sandbox) == 0
    made.configure(purgeProtection=True)
    made.project.up_well()
    assert made.assert_closed().enable_purge_protection


def test_a_key_vault_that_was_deleted_is_made_again_as_the_stack_file_says(made: Made) -> None:
    with AZURE.management(made.sandbox) as management:
        management.vaults.delete(AZURE_GROUP, made.name)
        management.vaults.begin_purge_deleted(made.name, "westeurope").result()
    made.project.up_well("--refresh")
    with AZURE.management(made.sandbox) as management:
        found = management.vaults.get(AZURE_GROUP, made.name)
    assert found.properties.enable_rbac_authorization
    assert made.values() == {"First": password("p1")}


def test_an_identity_that_nothing_asks_for_may_be_gone(made: Made) -> None:
    made.sandbox.control.add_fault(Fault("azure", "imds.token", FaultKind.MISSING))
    made.project.up_well("--expect-no-changes")
    made.configure(enabled=False)
    made.project.up_well()
