"""GCP: the service account, custom roles with what the sync calls, their bindings, and who may impersonate it.

Sources: GCP, "Access control with IAM" (Secret Manager), "Attribute reference for IAM Conditions" (`extract`); the
`gcloud` reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from uss.clouds.gcp import GcpTarget
from uss.config import Configuration, OldVersions, OnDelete
from uss.permissions.interface import Permissions, Step

_IN_PROJECT = ("secrets.create", "secrets.list")
"""These are asked of the project, which no condition on a secret's name lets through."""
_IN_SECRET = ("secrets.get", "secrets.update", "versions.access", "versions.add", "versions.enable", "versions.get")
_APIS = ("secretmanager.googleapis.com", "iamcredentials.googleapis.com")
_TOKENS = "roles/iam.serviceAccountTokenCreator"
_EMAIL = re.compile(r"(?P<name>[^@]+)@(?P<project>[^.]+)\.iam\.gserviceaccount\.com")
_WRITER, _PAM = "SERVICE_ACCOUNT_EMAIL", "PAM_SERVICE_ACCOUNT_EMAIL"


def permissions(target: GcpTarget, configuration: Configuration, stack: str) -> Permissions:
    """Return the steps."""
    pam = json.loads(target.credentials)["client_email"] if target.credentials else None
    writer = target.impersonate or pam or _WRITER
    enabled = Step("The APIs that are called.", ("gcloud", "services", "enable", *_APIS, "--project", target.project))
    steps = [enabled, *_account(target), *_roles(target, configuration, stack, writer)]
    if target.impersonate:
        command = ("gcloud", "iam", "service-accounts", "add-iam-policy-binding", target.impersonate)
        steps.append(
            Step(_impersonation(pam), (*command, "--member", f"serviceAccount:{pam or _PAM}", "--role", _TOKENS))
        )
    return Permissions(steps=steps)


def _impersonation(pam: str | None) -> str:
    if pam:
        return "The service account of the PAM Configuration's key may impersonate it. It takes a few minutes to work."
    return f"The service account that runs the sync ({_PAM}) may impersonate it. It takes a few minutes to work."


def _account(target: GcpTarget) -> list[Step]:
    match = _EMAIL.fullmatch(target.impersonate or "")
    if match is None:
        return []
    command = ("gcloud", "iam", "service-accounts", "create", match["name"], "--project", match["project"])
    return [Step("The Sync Identity, if it is not there yet.", command)]


def _roles(target: GcpTarget, configuration: Configuration, stack: str, writer: str) -> list[Step]:
    role = re.sub(r"[^A-Za-z0-9_.]", "_", f"keeperUss.{stack}.{configuration.name}")[:56]
    inside, prefix = _inside(configuration), configuration.name_prefix
    if not prefix:
        return _role(target, role, sorted((*_IN_PROJECT, *inside)), writer, "None", "What the sync calls")
    condition = f'expression=resource.name.extract("/secrets/{{name}}").startsWith("{prefix}"),title=keeper-uss'
    return [
        *_role(target, f"{role}.create", _IN_PROJECT, writer, "None", "What is asked of the project"),
        *_role(target, role, inside, writer, condition, f"What is asked of secrets whose names begin with {prefix}"),
    ]


def _inside(configuration: Configuration) -> list[str]:
    permissions = [*_IN_SECRET]
    if configuration.on_delete is OnDelete.DELETE:
        permissions.append(
            "versions.disable" if configuration.old_versions is OldVersions.DISABLE else "versions.destroy"
        )
        if not configuration.deletion_protection:
            permissions.append("secrets.delete")
    return sorted(permissions)


def _role(
    target: GcpTarget, role: str, permissions: Sequence[str], writer: str, condition: str, text: str
) -> list[Step]:
    listed = ",".join(f"secretmanager.{permission}" for permission in permissions)
    create = ("gcloud", "iam", "roles", "create", role, "--project", target.project)
    bind = ("gcloud", "projects", "add-iam-policy-binding", target.project)
    member = f"serviceAccount:{writer}"
    return [
        Step(
            f"{text}. Where the role is there already: `gcloud iam roles update`.",
            (*create, "--title", "Keeper Universal Secrets Sync", "--permissions", listed),
        ),
        Step(
            "The service account gets it.",
            (*bind, "--member", member, "--role", f"projects/{target.project}/roles/{role}", "--condition", condition),
        ),
    ]
