"""`uss permissions` as a person types it, without a vault; tests/sync/test_permissions.py has the way with one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.builders import ROLE
from uss.cli.permissions import permissions_command

AWS = {"name": "one", "type": "aws", "folders": ["F"], "syncIdentity": ROLE, "regions": ["us-east-1"]}
GCP = {"name": "two", "type": "gcp", "folders": ["F"], "project": "p", "syncIdentity": "s@p.iam.gserviceaccount.com"}
PAM = {"pamConfiguration": "U"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, which is the current folder, and no access to a vault."""
    (tmp_path / "Pulumi.yaml").write_text("name: uss\n", encoding="utf-8")
    for name in ("KSM_CONFIG", "KSM_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, configuration: dict[str, Any], *arguments: str) -> Result:
    """Run the command for one configuration."""
    content = {"config": {"uss:configurations": [configuration]}}
    (folder / "Pulumi.test.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return CliRunner().invoke(permissions_command, [configuration["name"], "--stack", "test", *arguments])


def test_a_configuration_that_says_all_needs_no_vault(folder: Path) -> None:
    done = run(folder, AWS, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout).keys() == {"configuration", "cloud", "permissionPolicy", "optionalPolicy"}
    assert run(folder, AWS).stdout.startswith(f"# Permission policy of the role {ROLE}.\n{{\n")


def test_a_vault_that_cannot_be_read_is_told_and_no_matter(folder: Path) -> None:
    done = run(folder, GCP | PAM, "--json")
    assert done.exit_code == 0
    assert "warning: the PAM Configuration was not read" in done.stderr
    assert "PAM_SERVICE_ACCOUNT_EMAIL" in done.stdout


@pytest.mark.parametrize(
    ("configuration", "text"),
    [
        (AWS | PAM | {"regions": []}, "Keeper access is not configured"),
        (AWS | PAM | {"syncIdentity": None}, "Keeper access is not configured"),
        (AWS | {"regions": []}, "key `regions`: is empty"),
        (AWS | {"namePrefix": "*"}, "key `namePrefix`"),
    ],
)
def test_what_cannot_be_told_is_an_error(folder: Path, configuration: dict[str, Any], text: str) -> None:
    done = run(folder, {key: value for key, value in configuration.items() if value is not None})
    assert (done.exit_code, done.stdout) == (1, "")
    assert text in done.stderr


@pytest.mark.parametrize(
    ("configuration", "arguments", "text"),
    [
        (AWS, ("--caller", "x"), "give the ARN of a user or a role"),
        (AWS, ("--oidc", "x"), "give github:OWNER/REPO"),
        (AWS, ("--oidc", "github:a/b", "--caller", ROLE), "not both"),
        (GCP | {"ambientCredentials": True}, ("--caller", ROLE), "a configuration for gcp"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(
    folder: Path, configuration: dict[str, Any], arguments: tuple[str, ...], text: str
) -> None:
    done = run(folder, configuration, *arguments)
    assert done.exit_code == 2
    assert text in " ".join(done.stderr.split())
