"""Azure's steps: only what the settings need, on the smallest scope that can be granted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.builders import SOURCE, configuration
from tests.leaks import leaks
from uss.clouds.azure import Azure, AzureTarget
from uss.errors import ConfigurationError
from uss.keeper import PamConfiguration
from uss.permissions import azure
from uss.permissions.federation import Federation, parse_federation

IDENTITY = "44444444-4444-4444-4444-444444444444"
GROUP = "/subscriptions/S/resourceGroups/rg"
PLACE = {"subscription_id": "S", "tenant_id": "T", "resource_group": "rg", "vault_name": "kv-prod"}


def commands(jobs: Federation | None = None, **settings: Any) -> list[list[str]]:
    """The commands for a configuration."""
    keys = {"type": "azure", "regions": [], "sync_identity": IDENTITY} | PLACE | settings
    entry = configuration(**keys)
    entries = {"clientid": "canary", "clientsecret": "canary"}
    target = Azure().target(entry, PamConfiguration("U", "Azure", Azure.type, entries), SOURCE)
    assert isinstance(target, AzureTarget)
    return [step["command"] for step in azure.permissions(target, entry, SOURCE, "test", jobs).data()["steps"]]


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
    assert leaks(str(commands(sync_identity=None)), "canary") == {}


@pytest.mark.parametrize(
    ("jobs", "subjects"),
    [
        ("github:acme/secrets", ["repo:acme/secrets:pull_request", "repo:acme/secrets:ref:refs/heads/main"]),
        ("github:acme/secrets:production", ["repo:acme/secrets:environment:production"]),
        # Entra ID knows no patterns.
        ("gitlab:acme/team/secrets", ["project_path:acme/team/secrets:ref_type:branch:ref:main"]),
    ],
)
def test_the_jobs_of_one_project_take_the_managed_identity_on(jobs: str, subjects: list[str]) -> None:
    federation = parse_federation(jobs)
    found = commands(federation)
    created = [command for command in found if "federated-credential" in command]
    identity = found[0][found[0].index("--name") + 1]
    assert [command[command.index("--subject") + 1] for command in created] == subjects
    for command in created:
        assert command[command.index("--issuer") + 1] == f"https://{federation.issuer}"
        assert command[command.index("--audiences") + 1] == "api://AzureADTokenExchange"
        assert command[command.index("--identity-name") + 1] == identity
    assert len({command[command.index("--name") + 1] for command in created}) == len(subjects)


def test_jobs_without_a_managed_identity_are_an_error() -> None:
    with pytest.raises(ConfigurationError, match="there is no managed identity that could trust anybody"):
        commands(parse_federation("github:acme/secrets"), sync_identity=None)
