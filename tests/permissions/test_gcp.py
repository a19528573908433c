"""GCP's steps: only what the settings need, on the names of the configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.builders import SOURCE, configuration
from tests.leaks import leaks
from uss.clouds.gcp import Gcp, GcpTarget
from uss.errors import ConfigurationError
from uss.keeper import PamConfiguration
from uss.permissions import gcp
from uss.permissions.federation import Federation, parse_federation
from uss.permissions.interface import Permissions

PAM = "keeper-pam@other.iam.gserviceaccount.com"
WRITER = "keeper-uss@p.iam.gserviceaccount.com"
KEY = json.dumps(
    {"type": "service_account", "project_id": "p", "client_email": PAM, "private_key": "canary", "token_uri": "u"}
)


def printed(key: str | None, jobs: Federation | None, **settings: Any) -> Permissions:
    """What is printed for a configuration."""
    entry = configuration(**{"type": "gcp", "regions": [], "sync_identity": WRITER} | settings)
    pam = PamConfiguration("U", "GCP", Gcp.type, {"pamserviceaccountkey": key}) if key else None
    target = Gcp().target(entry, pam, SOURCE)
    assert isinstance(target, GcpTarget)
    return gcp.permissions(target, entry, SOURCE, "test", jobs)


def commands(key: str | None = KEY, jobs: Federation | None = None, **settings: Any) -> list[list[str]]:
    """The commands for a configuration."""
    return [step["command"] for step in printed(key, jobs, **settings).data()["steps"]]


def options(name: str, found: list[list[str]]) -> list[str]:
    """The values of an option."""
    return [command[command.index(name) + 1] for command in found if name in command]


OPTIONAL = {"secrets.delete", "versions.destroy", "versions.disable"}


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({}, {"secrets.delete", "versions.disable"}),
        ({"old_versions": "destroy"}, {"secrets.delete", "versions.destroy"}),
        ({"old_versions": "keep"}, {"secrets.delete", "versions.destroy"}),
        ({"deletion_protection": True}, {"versions.disable"}),
        ({"on_delete": "retain"}, set()),
    ],
)
def test_only_the_permissions_that_the_settings_need(settings: dict[str, Any], needed: set[str]) -> None:
    (listed,) = options("--permissions", commands(**settings))
    permissions = {permission.removeprefix("secretmanager.") for permission in listed.split(",")}
    assert permissions & OPTIONAL == needed
    assert "versions.list" not in permissions


def test_a_prefix_is_a_condition_but_for_what_is_asked_of_the_project() -> None:
    found = commands(name_prefix="team-")
    of_project, of_secrets = options("--permissions", found)
    assert of_project == "secretmanager.secrets.create,secretmanager.secrets.list"
    assert "secretmanager.secrets.create" not in of_secrets
    none, condition = options("--condition", found)
    assert none == "None"
    assert condition == 'expression=resource.name.extract("/secrets/{name}").startsWith("team-"),title=keeper-uss'
    assert options("--condition", commands()) == ["None"]


def test_the_keys_service_account_may_impersonate_the_sync_identity() -> None:
    found = commands()
    assert [*found[1][:5], *found[1][5:]] == [
        "gcloud",
        "iam",
        "service-accounts",
        "create",
        "keeper-uss",
        "--project",
        "p",
    ]
    assert found[-1][4:] == [
        WRITER,
        "--member",
        f"serviceAccount:{PAM}",
        "--role",
        "roles/iam.serviceAccountTokenCreator",
    ]
    assert options("--member", found)[0] == f"serviceAccount:{WRITER}"
    assert leaks(str(found), "canary") == {}


def test_without_a_sync_identity_the_key_itself_writes() -> None:
    found = commands(sync_identity=None)
    assert set(options("--member", found)) == {f"serviceAccount:{PAM}"}
    assert not [command for command in found if "service-accounts" in command]


def test_an_account_that_no_one_can_name_is_left_to_the_reader() -> None:
    found = commands(None, ambient_credentials=True, project="p")
    assert options("--member", found)[-1] == "serviceAccount:PAM_SERVICE_ACCOUNT_EMAIL"
    found = commands(None, ambient_credentials=True, project="p", sync_identity=None)
    assert options("--member", found) == ["serviceAccount:SERVICE_ACCOUNT_EMAIL"]


def test_a_service_account_of_googles_own_is_not_made() -> None:
    found = commands(sync_identity="1-compute@developer.gserviceaccount.com")
    assert not [command for command in found if "create" in command and "service-accounts" in command]


GITHUB, GITLAB = (parse_federation(text) for text in ("github:acme/secrets", "gitlab:acme/team/secrets"))
BRANCHES = "project_path:acme/team/secrets:ref_type:branch:ref:"


@pytest.mark.parametrize(
    ("jobs", "platform", "condition"),
    [
        (
            GITHUB,
            "github",
            "assertion.sub in ['repo:acme/secrets:pull_request', 'repo:acme/secrets:ref:refs/heads/main']",
        ),
        (GITLAB, "gitlab", f"assertion.sub.startsWith('{BRANCHES}')"),
    ],
)
def test_the_jobs_of_one_project_impersonate_the_sync_identity(jobs: Federation, platform: str, condition: str) -> None:
    found = commands(
        None, jobs, ambient_credentials=True, project="p", name="team-A_production-in-europe-and-elsewhere"
    )
    pool, provider, describe, bound = found[-4:]
    assert pool[:4] == ["gcloud", "iam", "workload-identity-pools", "create"]
    assert len(pool[4]) <= 32
    assert provider[3:6] == ["providers", "create-oidc", platform]
    assert options("--workload-identity-pool", [provider]) == [pool[4]]
    assert options("--attribute-condition", [provider]) == [condition]
    assert options("--issuer-uri", [provider]) == [f"https://{jobs.issuer}"]
    assert describe[:4] == ["gcloud", "projects", "describe", "p"]
    assert bound[4] == WRITER
    assert options("--role", [bound]) == ["roles/iam.workloadIdentityUser"]
    assert options("--member", [bound])[0].endswith(
        f"/PROJECT_NUMBER/locations/global/workloadIdentityPools/{pool[4]}/*"
    )
    assert "sts.googleapis.com" in found[0]
    assert "serviceAccountTokenCreator" not in str(found)


def test_jobs_without_a_service_account_are_an_error() -> None:
    with pytest.raises(ConfigurationError, match="there is no service account"):
        commands(None, GITHUB, sync_identity=None, ambient_credentials=True, project="p")


@pytest.mark.parametrize("key", [None, KEY])
def test_a_ci_needs_its_variable_and_no_key(key: str | None) -> None:
    data = printed(key, GITHUB, ambient_credentials=True, project="p").data()
    assert data["variables"]["GCP_WORKLOAD_IDENTITY_PROVIDER"].endswith("/keeper-uss-aws/providers/github")
    assert bool(data.get("notes")) is bool(key)
