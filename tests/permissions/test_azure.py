"""Azure's steps: only what the settings need, on the smallest scope that can be granted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.builders import SOURCE, configuration
from uss.clouds.azure import Azure, AzureTarget
from uss.keeper import PamConfiguration
from uss.permissions import azure

IDENTITY = "44444444-4444-4444-4444-444444444444"
GROUP = "/subscriptions/S/resourceGroups/rg"
PLACE = {"subscription_id": "S", "tenant_id": "T", "resource_group": "rg", "vault_name": "kv-prod"}


def commands(**settings: Any) -> list[list[str]]:
    """The commands for a configuration."""
    keys = {"type": "azure", "regions": [], "sync_identity": IDENTITY} | PLACE | settings
    entry = configuration(**keys)
    entries = {"clientid": "canary", "clientsecret": "canary"}
    target = Azure().target(entry, PamConfiguration("U", "Azure", Azure.type, entries), SOURCE)
    assert isinstance(target, AzureTarget)
    return [step["command"] for step in azure.permissions(target, entry, "test").data()["steps"]]


def role(**settings: Any) -> dict[str, Any]:
    """The custom role."""
    (text,) = (
        command[command.index("--role-definition") + 1] for command in commands(**settings) if "definition" in command
    )
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize(
    ("settings", "scope", "makes", "deletes"),
    [
        ({}, f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-prod", False, True),
        ({"location": "westeurope"}, GROUP, True, True),
        ({"on_delete": "retain"}, f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-prod", False, False),
    ],
)
def test_only_the_actions_and_the_scope_that_the_settings_need(
    settings: dict[str, Any], scope: str, makes: bool, deletes: bool
) -> None:
    found, assignment = role(**settings), commands(**settings)[-1]
    assert ("Microsoft.KeyVault/vaults/write" in found["Actions"]) is makes
    assert ("Microsoft.KeyVault/vaults/secrets/delete" in found["DataActions"]) is deletes
    assert "getSecret" not in str(found)
    assert assignment[assignment.index("--scope") + 1] == scope
    assert assignment[assignment.index("--role") + 1] == found["Name"]
    assert assignment[assignment.index("--assignee") + 1] == IDENTITY


def test_a_managed_identity_is_made_and_its_client_id_shown() -> None:
    create, show, *_ = commands()
    assert create[:3] == ["az", "identity", "create"]
    assert show[show.index("--query") + 1] == "clientId"
    assert all(command[-2:] == ["--subscription", "S"] for command in commands())


def test_the_pam_configurations_service_principal_is_not_quoted() -> None:
    first, *_, last = commands(sync_identity=None)
    assert first[:4] == ["az", "role", "definition", "create"]
    assert last[last.index("--assignee") + 1] == "CLIENT_ID"
    assert "canary" not in str(commands(sync_identity=None))
