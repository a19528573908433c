"""GCP: the service account, custom roles with what the sync calls, their bindings, and who may impersonate it.

Sources: GCP, "Access control with IAM" (Secret Manager), "Attribute reference for IAM Conditions" (`extract`),
"Configure Workload Identity Federation with deployment pipelines"; the `gcloud` reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from uss.clouds.gcp import GcpTarget
from uss.config import Configuration, OldVersions, OnDelete
from uss.permissions.federation import Federation
from uss.permissions.interface import Permissions, Step, no_identity

_IN_PROJECT = ("secrets.create", "secrets.list")
"""These are asked of the project, which no condition on a secret's name lets through."""
_IN_SECRET = ("secrets.get", "secrets.update", "versions.access", "versions.add", "versions.enable", "versions.get")
_APIS = ("secretmanager.googleapis.com", "iamcredentials.googleapis.com")
_FEDERATION_API = "sts.googleapis.com"
_TOKENS, _POOL_USER = "roles/iam.serviceAccountTokenCreator", "roles/iam.workloadIdentityUser"
_POOL, _NUMBER = "keeper-uss", "PROJECT_NUMBER"
_PLACE = f"projects/{_NUMBER}/locations/global/workloadIdentityPools"
_KEY = "the PAM Configuration has a key, which the jobs would use instead: take it out once the rest is done, and set "
_KEY += "`ambientCredentials: true` and `project`."
_EMAIL = re.compile(r"(?P<name>[^@]+)@(?P<project>[^.]+)\.iam\.gserviceaccount\.com")
_WRITER, _PAM = "SERVICE_ACCOUNT_EMAIL", "PAM_SERVICE_ACCOUNT_EMAIL"


def permissions(
    target: GcpTarget, configuration: Configuration, source: str, stack: str, jobs: Federation | None = None
) -> Permissions:
    """Return the steps; `jobs` are those of a CI that impersonate the service account."""
    if jobs and not target.impersonate:
        raise no_identity(configuration, source, "service account")
    pam = json.loads(target.credentials)["client_email"] if target.credentials else None
    writer = target.impersonate or pam or _WRITER
    apis = (*_APIS, _FEDERATION_API) if jobs else _APIS
    enabled = Step("The APIs that are called.", ("gcloud", "services", "enable", *apis, "--project", target.project))
    steps = [enabled, *_account(target), *_roles(target, configuration, stack, writer)]
    if target.impersonate and jobs:
        steps += _federated(target.project, target.impersonate, configuration, jobs)
    elif target.impersonate:
        command = ("gcloud", "iam", "service-accounts", "add-iam-policy-binding", target.impersonate)
        steps.append(
            Step(_impersonation(pam), (*command, "--member", f"serviceAccount:{pam or _PAM}", "--role", _TOKENS))
        )
    if not jobs:
        return Permissions(steps=steps)
    name = _provider(configuration, jobs)
    return Permissions((), steps, {"GCP_WORKLOAD_IDENTITY_PROVIDER": name}, [_KEY] if target.credentials else [])


def _federated(project: str, account: str, configuration: Configuration, jobs: Federation) -> list[Step]:
    pools, pool = ("gcloud", "iam", "workload-identity-pools"), _pool(configuration)
    where = ("--location", "global", "--project", project)
    provider = ("create-oidc", jobs.platform, "--workload-identity-pool", pool, *where)
    mapped = ("--attribute-mapping", "google.subject=assertion.sub", "--attribute-condition", _condition(jobs))
    member = f"principalSet://iam.googleapis.com/{_PLACE}/{pool}/*"
    bind = ("gcloud", "iam", "service-accounts", "add-iam-policy-binding", account)
    return [
        Step("A pool for the jobs that impersonate it.", (*pools, "create", pool, *where)),
        Step(
            "Whose tokens it takes: those of the project's own jobs.",
            (*pools, "providers", *provider, "--issuer-uri", f"https://{jobs.issuer}", *mapped),
        ),
        Step(
            f"The project's number, for {_NUMBER} below.",
            ("gcloud", "projects", "describe", project, "--format", "value(projectNumber)"),
        ),
        Step(
            "Whoever is in the pool may impersonate it. It takes a few minutes to work.",
            (*bind, "--member", member, "--role", _POOL_USER),
        ),
    ]


def _pool(configuration: Configuration) -> str:
    """A pool for each configuration: who is let into it is let into this service account, and into no other."""
    return f"{_POOL}-{re.sub('[^a-z0-9-]', '-', configuration.name.lower())}"[:32].rstrip("-")


def _provider(configuration: Configuration, jobs: Federation) -> str:
    return f"{_PLACE}/{_pool(configuration)}/providers/{jobs.platform}"


def _condition(jobs: Federation) -> str:
    if jobs.beginning:
        return " || ".join(f"assertion.sub.startsWith('{subject}')" for subject in jobs.subjects)
    return f"assertion.sub in [{', '.join(repr(subject) for subject in jobs.subjects)}]"


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
