"""The real engine and the real SDK against a sandbox that was started by its command, with nothing but its exports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import leaks
from tests.sandbox.azure.kit import (
    GROUP,
    MANAGED_CLIENT,
    PAM_CLIENT,
    PAM_SECRET,
    SUBSCRIPTION,
    TENANT,
    VAULT,
    VAULT_FILE,
    VAULT_ID,
)
from tests.sandbox.commands import Commands, parse_exports
from tests.sandbox.providers.harness import Project
from uss.sandbox.engine import find_engine

PROGRAM = """
import os
import pulumi
import pulumi_azure_native as azure

identity = dict(client_id=os.environ["CLIENT"], client_secret=os.environ.get("SECRET"))
if os.environ.get("MSI"):
    identity = dict(client_id=os.environ["CLIENT"], use_msi=True)
where = dict(subscription_id=os.environ["SUBSCRIPTION"], tenant_id=os.environ["TENANT"])
provider = azure.Provider("azure", **where, **identity)
options = pulumi.ResourceOptions(provider=provider)
place = dict(resource_group_name=os.environ["GROUP"], vault_name=os.environ["VAULT"])
for number in range(int(os.environ["COUNT"])):
    value = pulumi.Output.secret(f"canary-{number}-{os.environ['VALUE']}")
    properties = azure.keyvault.SecretPropertiesArgs(value=value, content_type="text/plain")
    secret = azure.keyvault.Secret(
        f"secret-{number}", secret_name=f"name-{number}", properties=properties, tags={"a": "b"}, **place, opts=options
    )
    pulumi.export(f"uri-{number}", secret.properties.secret_uri)
invoke = pulumi.InvokeOptions(provider=provider)
pulumi.export("client", azure.authorization.get_client_config(opts=invoke).subscription_id)
"""

READ_BACK = """
import os, sys
from azure.identity import EnvironmentCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient

who, at = EnvironmentCredential(disable_instance_discovery=True), os.environ["AZURE_AUTHORITY_HOST"]
vault = KeyVaultManagementClient(who, os.environ["AZURE_SUBSCRIPTION_ID"], base_url=at).vaults.get(*sys.argv[1:3])
print(SecretClient(vault.properties.vault_uri, who, verify_challenge_resource=False).get_secret(sys.argv[3]).value)
"""


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox and a project that has its exports."""

    commands: Commands
    project: Project

    def dump(self) -> dict[str, dict[str, Any]]:
        """What Azure holds."""
        content: dict[str, dict[str, Any]] = json.loads(self.commands.run("dump", "--json").stdout)["azure"]
        return content

    def calls(self) -> dict[str, int]:
        """What Azure was asked since the last time."""
        content: dict[str, dict[str, int]] = json.loads(self.commands.run("calls", "--json", "--reset").stdout)
        return content.get("azure", {})


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    if find_engine() is None:
        pytest.skip("there is no Pulumi engine on this machine")
    commands = Commands(tmp_path)
    commands.write_vault(VAULT_FILE)
    started = commands.run("start", "--vault", "vault.yaml", "--background")
    try:
        assert started.returncode == 0, started.stderr
        folder = tmp_path / "project"
        folder.mkdir()
        (folder / "Pulumi.yaml").write_text("name: standin\nruntime: python\n")
        settings = {"CLIENT": PAM_CLIENT, "SECRET": PAM_SECRET, "SUBSCRIPTION": SUBSCRIPTION, "TENANT": TENANT}
        settings |= {"GROUP": GROUP, "VAULT": VAULT, "COUNT": "2", "VALUE": "one"}
        project = Project(folder, os.environ | parse_exports(started.stdout) | settings)
        project.write(PROGRAM)
        project.run("stack", "init", "dev")
        yield Sandbox(commands, project)
    finally:
        commands.run("stop")


def test_secrets_live_from_creation_to_destruction_and_back(sandbox: Sandbox) -> None:
    project = sandbox.project
    shown = [project.run("preview", "--diff"), project.up()]
    landed = sandbox.dump()[VAULT]
    assert {name: secret["value"] for name, secret in landed.items()} == {
        "name-0": "canary-0-one",
        "name-1": "canary-1-one",
    }
    read = subprocess.run(
        [sys.executable, "-c", READ_BACK, GROUP, VAULT, "name-0"],
        env=dict(project.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.stdout == "canary-0-one\n", read.stderr

    sandbox.calls()
    shown.append(project.run("up", "--yes", "--diff"))
    assert "4 unchanged" in shown[-1]
    assert set(sandbox.calls()) == {"metadata.endpoints", "entra.configuration", "entra.token"}
    shown.append(project.run("refresh", "--yes"))
    shown.append(project.run("up", "--yes", "--diff", VALUE="two", COUNT="1"))
    landed = sandbox.dump()[VAULT]
    assert (landed["name-0"]["value"], landed["name-0"]["versions"]) == ("canary-0-two", 2)
    assert landed["name-1"]["deletedDate"]

    shown.append(project.up(VALUE="three"))
    landed = sandbox.dump()[VAULT]
    assert (landed["name-1"]["value"], landed["name-1"]["deletedDate"]) == ("canary-1-three", None)
    shown.append(project.run("stack", "export"))
    kept = project.state()["secret-1"]["outputs"]
    assert kept["properties"]["secretUri"].endswith("/secrets/name-1")
    assert "ciphertext" in kept["__inputs"]
    shown.append(project.run("destroy", "--yes"))
    assert all(secret["deletedDate"] for secret in sandbox.dump()[VAULT].values())
    assert leaks("".join(shown), "canary") == {}


IMPORT = """
import os
import pulumi
import pulumi_azure_native as azure

provider = azure.Provider(
    "azure",
    subscription_id=os.environ["SUBSCRIPTION"],
    tenant_id=os.environ["TENANT"],
    client_id=os.environ["CLIENT"],
    client_secret=os.environ["SECRET"],
)
place = dict(resource_group_name=os.environ["GROUP"], vault_name=os.environ["VAULT"], secret_name="name-0")
properties = azure.keyvault.SecretPropertiesArgs(value=pulumi.Output.secret("canary-ours"), content_type="text/plain")
adopting = {"import_": os.environ["ID"], "ignore_changes": ["properties", "tags"]} if os.environ.get("ID") else {}
options = pulumi.ResourceOptions(provider=provider, **adopting)
azure.keyvault.Secret("adopted", properties=properties, tags={"a": "b"}, **place, opts=options)
"""


def test_a_secret_that_is_there_is_taken_over_by_its_id_and_then_written(sandbox: Sandbox) -> None:
    project = sandbox.project
    project.up(COUNT="1", VALUE="theirs")
    project.run("stack", "init", "second")
    project.write(IMPORT)
    shown = [project.up(fails=True), project.up(ID=f"{VAULT_ID}/secrets/name-0")]
    assert "cannot create already existing resource" in shown[0]
    assert sandbox.dump()[VAULT]["name-0"]["value"] == "canary-0-theirs"
    shown += [project.up(), project.run("up", "--yes", "--expect-no-changes"), project.run("stack", "export")]
    landed = sandbox.dump()[VAULT]["name-0"]
    assert (landed["value"], landed["versions"]) == ("canary-ours", 2)
    assert leaks("".join(shown), "canary") == {}


def test_who_is_not_known_or_may_not_is_refused_with_the_reason(sandbox: Sandbox) -> None:
    project = sandbox.project
    wrong = project.run("preview", fails=True, SECRET="canary-wrong")
    assert "AADSTS7000215" in wrong
    managed = project.up(fails=True, MSI="1", CLIENT=MANAGED_CLIENT)
    assert "does not have authorization to perform action 'Microsoft.KeyVault/vaults/secrets/read'" in managed
    assert leaks(wrong + managed, "canary") == {}
    assert sandbox.dump()[VAULT] == {}
