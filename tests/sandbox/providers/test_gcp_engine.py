"""GCP as a person meets it: `uss sandbox start`, the real engine and SDK, and Google's own client to read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import leaking_files, leaks
from tests.sandbox.commands import Commands, parse_exports
from tests.sandbox.gcp.kit import OTHER_PROJECT, PROJECT, READER_EMAIL, SYNC_EMAIL, content, key_file
from tests.sandbox.providers.harness import Project
from uss.sandbox.control import SandboxClient
from uss.sandbox.engine import find_engine
from uss.sandbox.faults import Fault, FaultKind
from uss.sandbox.layout import Layout

PROGRAM = """
import os
import pulumi
import pulumi_gcp as gcp

key = pulumi.Output.secret(os.environ["PAM_KEY"])
account = os.environ["SYNC_ACCOUNT"]
for name in ("payments-prod", "payments-test"):
    provider = gcp.Provider(
        name, project=name, credentials=key, impersonate_service_account=account, default_labels={"owner": "platform"}
    )
    options = pulumi.ResourceOptions(provider=provider)
    for number in range(3):
        secret = gcp.secretmanager.Secret(
            f"{name}-{number}",
            secret_id=f"same-{number}",
            replication={"auto": {}},
            labels={"stack": os.environ["LABEL"]},
            annotations={"title": f"Record {number}"},
            opts=options,
        )
        gcp.secretmanager.SecretVersion(
            f"{name}-{number}-value", secret=secret.id, secret_data=f"canary-{name}-{os.environ['VALUE']}", opts=options
        )
    found = gcp.secretmanager.get_secrets(filter="labels.owner=platform", opts=pulumi.InvokeOptions(provider=provider))
    pulumi.export(name, len(found.secrets))
"""
IMPORTING = """
import pulumi
import pulumi_gcp as gcp

provider = gcp.Provider("gcp", project="payments-prod")
name = "projects/payments-prod/secrets/found"
secret = gcp.secretmanager.Secret(
    "found",
    secret_id="found",
    replication={"auto": {}},
    labels={"owner": "keeper"},
    annotations={"title": "Found"},
    opts=pulumi.ResourceOptions(provider=provider, import_=name),
)
gcp.secretmanager.SecretVersion(
    "found-value",
    secret=secret.id,
    secret_data=pulumi.Output.secret("canary-of-another"),
    deletion_policy="DISABLE",
    opts=pulumi.ResourceOptions(provider=provider, import_=f"{name}/versions/1"),
)
"""
CLIENT = """
import os, sys
from google.cloud import secretmanager
endpoint = os.environ["USS_SANDBOX_GCP_URL"]
client = secretmanager.SecretManagerServiceClient(transport="rest", client_options={"api_endpoint": endpoint})
"""
READ_BACK = """
print(client.access_secret_version(name=f"projects/{sys.argv[1]}/versions/latest").payload.data.decode())
"""
MAKE = """
secret = {"replication": {"automatic": {}}, "labels": {"team": "others"}}
name = client.create_secret(parent=f"projects/{sys.argv[1]}", secret_id="found", secret=secret).name
client.add_secret_version(parent=name, payload={"data": b"canary-of-another"})
"""
VARIABLES = {"PAM_KEY": json.dumps(key_file()), "SYNC_ACCOUNT": SYNC_EMAIL, "LABEL": "one", "VALUE": "1"}


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    """A running sandbox with GCP's identities in its vault."""
    commands = Commands(tmp_path)
    commands.write_vault(content())
    try:
        yield commands
    finally:
        commands.run("stop")


@pytest.fixture
def project(commands: Commands) -> Project:
    """A Pulumi project in the environment that the sandbox exports, and nothing else."""
    if find_engine() is None:
        pytest.skip("there is no Pulumi engine on this machine")
    started = commands.run("start", "--vault", "vault.yaml", "--background")
    assert (started.returncode, started.stderr) == (0, "")
    folder = commands.folder / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: standin\nruntime: python\n")
    made = Project(folder, os.environ | parse_exports(started.stdout) | VARIABLES)
    made.write(PROGRAM)
    made.run("stack", "init", "dev")
    return made


def values(commands: Commands) -> dict[str, dict[str, str]]:
    dumped: dict[str, dict[str, Any]] = json.loads(commands.run("dump", "--json").stdout)["gcp"]
    return {project: {name: secret["value"] for name, secret in held.items()} for project, held in dumped.items()}


def run_client(project: Project, script: str, argument: str) -> str:
    # Google's client asks for the account's allowed locations on its own: nothing is to leave the machine in a test.
    environment = dict(project.environment) | {"HTTPS_PROXY": "http://127.0.0.1:9"}
    command = [sys.executable, "-c", CLIENT + script, argument]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_secrets_land_under_the_impersonated_account_and_change_create_first(
    commands: Commands, project: Project
) -> None:
    control = SandboxClient(Layout(commands.directory))
    shown = [project.up()]
    expected = {name: {f"same-{n}": f"canary-{name}-1" for n in range(3)} for name in (PROJECT, OTHER_PROJECT)}
    assert values(commands) == expected
    assert run_client(project, READ_BACK, f"{PROJECT}/secrets/same-0") == f"canary-{PROJECT}-1"

    control.reset_calls()
    shown.append(project.run("up", "--yes"))
    assert "15 unchanged" in shown[-1]
    calls = control.calls()["gcp"]
    assert set(calls) == {"iamcredentials.GenerateAccessToken", "oauth2.Token", "secretmanager.ListSecrets"}

    shown.append(project.up(VALUE="2", LABEL="two"))
    dumped = json.loads(commands.run("dump", "--json").stdout)["gcp"][PROJECT]["same-0"]
    assert dumped["versions"] == {"1": "DESTROYED", "2": "ENABLED"}
    assert dumped["values"] == {"2": f"canary-{PROJECT}-2"}
    assert dumped["labels"] == {"owner": "platform", "stack": "two", "goog-pulumi-provisioned": "true"}
    assert dumped["annotations"] == {"title": "Record 0"}

    shown.append(project.run("refresh", "--yes", "--skip-preview", VALUE="2", LABEL="two"))
    assert "15 unchanged" in shown[-1]
    shown.append(project.run("stack", "export"))
    shown.append(project.run("destroy", "--yes", "--skip-preview"))
    assert values(commands) == {}
    assert leaks("".join(shown), "canary") == {}
    assert leaks("".join(shown), "PRIVATE KEY") == {}
    assert leaking_files(commands.directory / "pulumi" / "state", "canary") == {}


def test_a_refused_identity_fails_the_preview_with_googles_word(commands: Commands, project: Project) -> None:
    shown = project.run("preview", fails=True, SYNC_ACCOUNT=READER_EMAIL)
    assert f"secretmanager.googleapis.com/v1/projects/{PROJECT}/secrets?" in shown
    assert "Permission 'iam.serviceAccounts.getAccessToken' denied on resource" in shown
    assert leaks(shown, "PRIVATE KEY") == {}
    assert values(commands) == {}


def test_a_version_that_could_not_be_read_back_is_whole_after_the_next_run(
    commands: Commands, project: Project
) -> None:
    control = SandboxClient(Layout(commands.directory))
    control.add_fault(Fault("gcp", "secretmanager.AccessSecretVersion", FaultKind.DENIED))
    failed = project.up(fails=True)
    assert "Permission 'secretmanager.versions.access' denied for resource" in failed
    assert leaks(failed, "canary") == {}
    control.clear_faults()
    project.up()
    assert values(commands)[PROJECT] == {f"same-{n}": f"canary-{PROJECT}-1" for n in range(3)}
    versions = json.loads(commands.run("dump", "--json").stdout)["gcp"][PROJECT]["same-0"]["versions"]
    assert list(versions) == ["1"]


def test_what_another_made_is_imported_and_then_has_the_programs_labels(commands: Commands, project: Project) -> None:
    run_client(project, MAKE, PROJECT)
    project.write(IMPORTING)
    shown = project.up()
    dumped = json.loads(commands.run("dump", "--json").stdout)["gcp"][PROJECT]["found"]
    assert dumped["labels"] == {"team": "others", "owner": "keeper"}
    assert dumped["annotations"] == {"title": "Found"}
    assert dumped["versions"] == {"1": "ENABLED"}
    again = project.run("up", "--yes")
    assert "4 unchanged" in again
    assert leaks(shown + again, "canary") == {}
