"""Azure: the managed identity, whose tokens it is taken on with, a custom role with what the sync calls, and its
assignment.

Sources: Azure, "Permissions for Key Vault" (Microsoft.KeyVault), "Azure custom roles", "Configure a user-assigned
managed identity to trust an external identity provider"; the `az` reference.
"""

from __future__ import annotations

import json
import re
from typing import Any

from uss.clouds.azure import AzureTarget
from uss.config import Configuration, OnDelete
from uss.permissions.federation import Federation
from uss.permissions.interface import Permissions, Step, no_identity

_VAULTS = "Microsoft.KeyVault/vaults"
_CLIENT_ID = "CLIENT_ID"
_AUDIENCE = "api://AzureADTokenExchange"
"""Whom a token is for that Entra ID exchanges."""
_MAIN = "main"


def permissions(
    target: AzureTarget, configuration: Configuration, source: str, stack: str, jobs: Federation | None = None
) -> Permissions:
    """Return the steps; `jobs` are those of a CI that take on the managed identity."""
    if jobs and not target.managed_identity:
        raise no_identity(configuration, source, "managed identity")
    role = _role(target, configuration, stack)
    created = Step(
        "A role with what the sync calls. Where it is there already: `az role definition update`.",
        _az(target, "role", "definition", "create", "--role-definition", json.dumps(role, indent=2)),
    )
    where, scope = _scope(target, configuration)
    assigned = Step(
        f"{_whose(target)} gets it on {where}. It takes a few minutes to work.",
        _az(
            target,
            *("role", "assignment", "create", "--assignee", target.managed_identity or _CLIENT_ID),
            *("--role", role["Name"], "--scope", scope),
        ),
    )
    variables = {"AZURE_TENANT_ID": target.tenant} if jobs else {}
    return Permissions((), [*_identity(target, configuration, jobs), created, assigned], variables)


def _az(target: AzureTarget, *words: str) -> tuple[str, ...]:
    return ("az", *words, "--subscription", target.subscription)


def _identity(target: AzureTarget, configuration: Configuration, jobs: Federation | None) -> list[Step]:
    if not target.managed_identity:
        return []
    name = f"keeper-uss-{re.sub(r'[^A-Za-z0-9-]', '-', configuration.name)}"
    named = ("--name", name, "--resource-group", target.resource_group)
    client_id = Step(
        "Its client ID, which is the configuration's syncIdentity. (Its object ID, principalId, looks alike.)",
        _az(target, "identity", "show", *named, "--query", "clientId", "--output", "tsv"),
    )
    created = "The Sync Identity, if it is not there yet."
    if jobs is None:
        created += " Assign it to the machine that runs Pulumi."
    trusted = _federated(target, jobs, name) if jobs else []
    return [Step(created, _az(target, "identity", "create", *named)), client_id, *trusted]


def _federated(target: AzureTarget, jobs: Federation, identity: str) -> list[Step]:
    """Entra ID compares a subject as it is: of GitLab's branches that is one alone."""
    text = "The jobs that take it on."
    if jobs.beginning:
        text = f"The jobs of the branch {_MAIN} take it on. Any other branch takes one more of these."
    steps = []
    for number, subject in enumerate(jobs.subjects, start=1):
        told = subject + (_MAIN if jobs.beginning else "")
        named = ("--name", f"{jobs.platform}-{number}", "--identity-name", identity)
        trust = ("--issuer", f"https://{jobs.issuer}", "--subject", told, "--audiences", _AUDIENCE)
        create = ("identity", "federated-credential", "create", *named, "--resource-group", target.resource_group)
        steps.append(Step(text, _az(target, *create, *trust)))
    return steps


def _whose(target: AzureTarget) -> str:
    if target.managed_identity:
        return "The managed identity"
    owner = "the service principal in the PAM Configuration" if target.client_id else "the machine's own identity"
    return f"The identity that writes ({_CLIENT_ID}: the client ID of {owner})"


def _role(target: AzureTarget, configuration: Configuration, stack: str) -> dict[str, Any]:
    actions = ["read", "secrets/read", "secrets/write"]
    data = ["secrets/readMetadata/action", "secrets/recover/action"]
    if configuration.location:
        actions.append("write")
    if configuration.on_delete is OnDelete.DELETE:
        data.append("secrets/delete")
    return {
        "Name": f"Keeper USS {configuration.name} ({stack})",
        "Description": f"What the sync to the key vault {target.vault} calls.",
        "Actions": [f"{_VAULTS}/{action}" for action in actions],
        "DataActions": [f"{_VAULTS}/{action}" for action in data],
        "AssignableScopes": [_group(target)],
    }


def _scope(target: AzureTarget, configuration: Configuration) -> tuple[str, str]:
    if configuration.location:
        return "the resource group, since the sync makes the key vault there", _group(target)
    return "the key vault", f"{_group(target)}/providers/{_VAULTS}/{target.vault}"


def _group(target: AzureTarget) -> str:
    return f"/subscriptions/{target.subscription}/resourceGroups/{target.resource_group}"
