"""What only GCP has: replication that cannot be changed, old versions, deletion protection, service account keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.leaks import leaks
from tests.sync.clouds import GCP_KEY, GCP_PAM, GCP_PROJECT, GCP_TARGET, GcpUnderTest
from tests.sync.harness import Project, Sandbox, login, password, plain_prefix, uid

GCP = GcpUnderTest()


@pytest.fixture
def ready(project: Project) -> Project:
    """A project for GCP."""
    project.prefix = plain_prefix(project.prefix)
    return project


def configure(project: Project, **keys: Any) -> None:
    """Write the stack file."""
    project.configure(GCP.configuration() | {"namePrefix": project.prefix} | keys)


@pytest.mark.parametrize(
    ("keys", "states"),
    [
        ({}, ["DISABLED", "DISABLED", "ENABLED"]),
        ({"oldVersions": "destroy"}, ["DESTROYED", "DESTROYED", "ENABLED"]),
        ({"oldVersions": "keep", "keepVersions": 2}, ["DESTROYED", "ENABLED", "ENABLED"]),
    ],
    ids=["disable", "destroy", "keep"],
)
def test_old_versions(ready: Project, sandbox: Sandbox, keys: dict[str, Any], states: list[str]) -> None:
    configure(ready, **keys)
    for value in ("p1", "p2", "p3"):
        sandbox.write_vault(GCP.vault(login(uid(1), "First", value)))
        ready.up_well()
    assert GCP.states(ready, "First") == states
    assert ready.preview("--expect-no-changes").code == 0


def test_changed_replication_is_called_a_replacement(ready: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(GCP.vault(login(uid(1), "First", "p1")))
    configure(ready)
    ready.up_well()
    configure(ready, replicationLocations=["europe-west4", "europe-west1"])
    told = "its replication changes from automatic to europe-west1, europe-west4; it is deleted, then made anew"
    assert f'REPLACE {ready.prefix}First (record "First"): {told}' in ready.preview()
    ready.up_well()
    held = sandbox.control.dump()["gcp"]["payments-prod"][f"{ready.prefix}First"]
    assert held["replication"]["userManaged"]["replicas"] == [
        {"location": "europe-west1"},
        {"location": "europe-west4"},
    ]
    assert held["versions"] == {"1": "ENABLED"}
    assert ready.preview("--expect-no-changes").code == 0


def test_a_protected_secret_is_not_deleted(ready: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(GCP.vault(login(uid(1), "Stays", "p1"), login(uid(2), "Protected", "p2")))
    configure(ready, deletionProtection=True)
    ready.up_well()
    sandbox.edit(lambda records: records.pop(uid(2)))
    run = ready.up()
    assert run.code != 0
    assert "deletionProtection is true" in run.errors[0]
    assert f'"{ready.prefix}Protected"' in run.errors[0]
    assert GCP.values(ready).keys() == {"Stays", "Protected"}


def test_the_pam_configurations_key_alone_is_enough(ready: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(GCP.vault(login(uid(1), "First", "p1")))
    configure(ready, syncIdentity=None)
    ready.up_well()
    assert GCP.values(ready).keys() == {"First"}
    assert "iamcredentials.GenerateAccessToken" not in sandbox.control.calls()["gcp"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("canary{", "is not a JSON object"),
        ('{"type": "authorized_user", "client_secret": "canary"}', 'of type "authorized_user", not service_account'),
        ({key: value for key, value in GCP_KEY.items() if key != "client_email"}, "lacks client_email"),
    ],
    ids=["not JSON", "another type", "a part missing"],
)
def test_a_key_that_is_none_is_told_without_quoting_it(
    ready: Project, sandbox: Sandbox, value: object, text: str
) -> None:
    configure(ready)
    sandbox.write_vault(GCP.vault(login(uid(1), "First", "p1")))
    sandbox.edit(lambda records: records[GCP_PAM]["fields"][0].update(value=[value]))
    run = ready.preview()
    assert run.code != 0
    assert len(run.errors) == 1
    assert "key `pamConfiguration`" in run.errors[0]
    assert text in run.errors[0]
    assert leaks(run.output, "canary") == {}
    assert leaks(run.output, "PRIVATE KEY") == {}


NO_SUCH = f"nobody@{GCP_PROJECT}.iam.gserviceaccount.com"
SIGN_IN = "the cloud could not be asked what it holds, because the sync cannot sign in as the service account "
ASKED = "It was asked as the service account "


@pytest.mark.parametrize(
    ("gcp", "key", "identity", "told"),
    [
        ({"serviceAccounts": [{"email": GCP_TARGET}]}, {}, GCP_TARGET, SIGN_IN + GCP_TARGET),
        ({}, {}, NO_SUCH, SIGN_IN + NO_SUCH),
        ({}, {"private_key": "-----BEGIN PRIVATE KEY-----\ncanary\n"}, GCP_TARGET, SIGN_IN + GCP_TARGET),
        ({}, {"private_key": "-----BEGIN PRIVATE KEY-----\ncanary\n"}, None, SIGN_IN + str(GCP_KEY["client_email"])),
        ({}, {"token_uri": "https://oauth2.example.invalid/token"}, GCP_TARGET, ASKED + GCP_TARGET),
        (
            {"projects": [{"id": GCP_PROJECT, "disabledServices": ["secretmanager.googleapis.com"]}]},
            {},
            GCP_TARGET,
            ASKED + GCP_TARGET,
        ),
    ],
    ids=["not trusted", "no such identity", "no key", "no key, alone", "no way to a token", "service off"],
)
def test_a_look_that_nobody_answers_fails_the_preview_and_says_as_whom(
    ready: Project, sandbox: Sandbox, gcp: dict[str, Any], key: dict[str, str], identity: str | None, told: str
) -> None:
    configure(ready, syncIdentity=identity)
    content = GCP.vault(login(uid(1), "First", "p1"))
    content["clouds"]["gcp"] |= gcp
    sandbox.write_vault(content)
    sandbox.edit(lambda records: records[GCP_PAM]["fields"][0].update(value=[json.dumps(GCP_KEY | key)]))
    run = ready.preview()
    assert run.code != 0
    assert told in run
    assert "may not look" not in run
    assert leaks(run.output, "canary") == {}


def test_every_configuration_that_is_not_let_in_is_named(ready: Project, sandbox: Sandbox) -> None:
    one = GCP.configuration() | {"name": "one", "namePrefix": f"{ready.prefix}one-"}
    two = one | {"name": "two", "namePrefix": f"{ready.prefix}two-", "syncIdentity": NO_SUCH}
    ready.configure(one, two)
    sandbox.write_vault(GCP.vault(login(uid(1), "First", "p1"), trusted=False))
    run = ready.up()
    assert run.code != 0
    assert f'configuration "one": {SIGN_IN}{GCP_TARGET}' in run
    assert f'configuration "two": {SIGN_IN}{NO_SUCH}' in run
    assert GCP.calls(sandbox) == set()
    assert "Traceback" not in run


def test_an_identity_that_was_lost_is_named_whatever_is_to_change(ready: Project, sandbox: Sandbox) -> None:
    configure(ready)
    sandbox.write_vault(GCP.vault(login(uid(1), "Stays", "p1"), login(uid(2), "Goes", "p1")))
    ready.up_well()
    for records in ([login(uid(1), "Stays", "p1")], [login(uid(1), "Stays", "p2"), login(uid(2), "Goes", "p1")]):
        sandbox.write_vault(GCP.vault(*records, trusted=False))
        run = ready.preview()
        assert run.code != 0
        assert SIGN_IN + GCP_TARGET in run
        assert "may not look" not in run


def test_an_identity_that_may_not_list_goes_on(ready: Project, sandbox: Sandbox) -> None:
    configure(ready)
    content = GCP.vault(login(uid(1), "First", "p1"))
    rights = [f"secretmanager.{right}" for right in ("secrets.create", "secrets.get", "versions.*")]
    content["clouds"]["gcp"]["serviceAccounts"][0]["allows"] = rights
    sandbox.write_vault(content)
    assert "may not look at 1 name of secrets to create" in ready.up_well()
    assert GCP.values(ready) == {"First": password("p1")}
