"""The `uss sandbox` commands against one running sandbox, and what its environment leads to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import leaking_files, leaks
from tests.sandbox.commands import PAM_KEY_ID, PAM_SECRET, PASSWORD, VAULT, Commands, parse_exports
from uss.sandbox.control import SandboxClient
from uss.sandbox.layout import Layout

# What a person's shell may hold already, and what must not lead anything away from the sandbox.
LEFT_OVERS = {
    "AWS_PROFILE": "somebody",
    "AWS_SESSION_TOKEN": "stale",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "MOTO_ACCOUNT_ID": "999999999999",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "no_proxy": "",
}


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """A running sandbox, whose commands have the environment that it printed."""
    commands = Commands(tmp_path_factory.mktemp("sandbox"), {**os.environ, **LEFT_OVERS})
    commands.write_vault()
    started = commands.run("start", "--vault", "vault.yaml", "--background")
    assert started.returncode == 0, started.stderr
    commands.environment = {**commands.environment, **parse_exports(started.stdout)}
    try:
        yield commands
    finally:
        stopped = commands.run("stop")
    assert stopped.returncode == 0, stopped.stderr


@pytest.fixture(autouse=True)
def _calm(commands: Commands) -> None:
    client = SandboxClient(Layout(commands.directory))
    client.clear_faults()
    client.reset_calls()


def boto3(commands: Commands, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with boto3 in the environment of the sandbox."""
    return subprocess.run(
        [sys.executable, "-c", f"import boto3\n{code}"],
        env={**commands.environment, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_environment_makes_boto3_the_administrator_of_the_sandbox(commands: Commands) -> None:
    found = boto3(commands, "print(boto3.client('sts').get_caller_identity()['Arn'])")
    assert found.stdout == "arn:aws:iam::123456789012:user/sandbox-administrator\n", found.stderr


def test_the_environment_of_pulumi_is_complete(commands: Commands) -> None:
    environment = commands.environment
    directory = commands.directory
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["PULUMI_BACKEND_URL"] == f"file://{directory}/pulumi/state"
    assert environment["PULUMI_HOME"] == f"{directory}/pulumi/home"
    assert environment["PULUMI_DEBUG_PROVIDERS"].startswith("aws:")
    assert (directory / "pulumi" / "state").is_dir()
    assert (directory / "pulumi" / "home").is_dir()


def test_keepers_command_line_reads_the_vault_with_its_arguments_untouched(commands: Commands) -> None:
    found = commands.run("ksm", "secret", "get", "BBBBBBBBBBBBBBBBBBBBBA", "--field", "password")
    assert (found.returncode, found.stdout.strip()) == (0, PASSWORD), found.stderr
    assert "Keeper Secrets Manager CLI" in commands.run("ksm", "--help").stdout
    assert commands.run("ksm", "no-such-command").returncode != 0


def test_a_change_of_the_vault_file_is_known_to_the_cloud_at_the_next_call(commands: Commands) -> None:
    keys = {"AWS_ACCESS_KEY_ID": PAM_KEY_ID, "AWS_SECRET_ACCESS_KEY": PAM_SECRET}
    ask = "print(boto3.client('sts').get_caller_identity()['Arn'])"
    assert ":user/pam-" in boto3(commands, ask, **keys).stdout
    changed: dict[str, Any] = deepcopy(VAULT)
    changed["records"][1]["fields"][1]["value"] = ["another-secret-key"]
    commands.write_vault(changed)
    assert "SignatureDoesNotMatch" in boto3(commands, ask, **keys).stderr
    commands.write_vault()
    assert ":user/pam-" in boto3(commands, ask, **keys).stdout


def test_dump_shows_values_in_json_and_none_in_the_table(commands: Commands) -> None:
    create = f"boto3.client('secretsmanager').create_secret(Name='database', SecretString={PASSWORD!r})"
    assert boto3(commands, create).returncode == 0
    content = json.loads(commands.run("dump", "--json").stdout)
    assert content["aws"]["us-east-1"]["database"]["value"] == PASSWORD
    table = commands.run("dump").stdout
    assert table.splitlines()[0].split() == ["CLOUD", "PLACE", "NAME", "VERSIONS", "PRIMARY", "DELETED"]
    assert table.splitlines()[1].split() == ["aws", "us-east-1", "database", "1", "us-east-1"]
    assert leaks(table, PASSWORD) == {}


def test_a_fault_is_met_as_often_as_asked(commands: Commands) -> None:
    asked = ("aws", "secretsmanager:List*", "denied", "--after", "1", "--times", "2", "--seconds", "0.5")
    assert commands.run("fault", *asked).returncode == 0
    listed = commands.run("fault", "--list").stdout.splitlines()
    assert listed[1].split() == ["aws", "secretsmanager:List*", "denied", "1", "2", "0.5"]
    calls = """
client = boto3.client("secretsmanager")
for number in range(4):
    try:
        client.list_secrets()
        print("answered")
    except client.exceptions.ClientError as error:
        print(error.response["Error"]["Code"])
"""
    denied = "AccessDeniedException"
    assert boto3(commands, calls).stdout.split() == ["answered", denied, denied, "answered"]
    assert len(commands.run("fault", "--list").stdout.splitlines()) == 1
    counted = json.loads(commands.run("calls", "--json", "--reset").stdout)
    assert counted == {"aws": {"secretsmanager:ListSecrets": 4}}
    assert commands.run("calls").stdout.split() == ["SERVICE", "OPERATION", "CALLS"]


def test_faults_are_lifted_together(commands: Commands) -> None:
    commands.run("fault", "aws", "*", "error")
    commands.run("fault", "keeper", "*", "slow", "--seconds", "3")
    assert commands.run("fault", "--clear").returncode == 0
    assert len(commands.run("fault", "--list").stdout.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [(), ("aws",), ("aws", "sts:*"), ("--list", "--clear"), ("aws", "*", "slow", "--list")]
)
def test_a_fault_that_is_asked_half_or_twice_is_a_usage_error(commands: Commands, arguments: tuple[str, ...]) -> None:
    refused = commands.run("fault", *arguments)
    assert refused.returncode == 2
    assert "SERVICE OPERATION KIND" in refused.stderr


def test_a_fault_of_an_unknown_kind_is_refused_with_the_known_ones(commands: Commands) -> None:
    refused = commands.run("fault", "aws", "*", "broken")
    assert refused.returncode == 2
    assert "throttled" in refused.stderr


def test_a_keeper_fault_reaches_the_vault(commands: Commands) -> None:
    commands.run("fault", "keeper", "get_secret", "denied")
    assert commands.run("ksm", "secret", "list").returncode != 0
    assert commands.run("calls").stdout.splitlines()[1].split()[:2] == ["keeper", "get_secret"]


def test_each_token_is_a_fresh_one(commands: Commands) -> None:
    first, second = (dict(line.split() for line in commands.run("token").stdout.splitlines()) for _ in range(2))
    assert first["token"] != second["token"]
    assert first["hostname"] == second["hostname"]
    assert first["hostname"].startswith("localhost:")


def test_the_log_and_the_folders_names_hold_no_value(commands: Commands) -> None:
    for path in commands.directory.rglob("*"):
        assert leaks(path.name, PASSWORD) == {}
    assert leaking_files(commands.directory, PASSWORD, PAM_SECRET) == {}


@pytest.mark.parametrize("command", ["dump", "calls", "token", "ksm"])
def test_a_command_without_a_sandbox_says_how_to_start_one(commands: Commands, tmp_path: Path, command: str) -> None:
    refused = replace(commands, folder=tmp_path).run(command)
    assert refused.returncode == 1
    assert "no sandbox runs here. Start one with `uss sandbox start`" in refused.stderr


def test_the_folder_can_be_named_from_anywhere(commands: Commands, tmp_path: Path) -> None:
    elsewhere = replace(commands, folder=tmp_path)
    assert elsewhere.run("calls", "--dir", str(commands.directory)).returncode == 0
    assert elsewhere.run("ksm", "--dir", str(commands.directory), "version").returncode == 0
