"""Keeper's `ksm` command line against the sandbox's vault, as a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.keeper.kit import AT_DEEP, AT_INNER, AT_ROOT, DEEP, DIRECT, INNER, OTHER, SHARED, stored_record
from uss.sandbox.keeper import KeeperServer
from uss.sandbox.keeper.ksm import run_ksm

# The command line and its dependencies use what Python and click are about to give up.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

RUN = "import sys; from uss.sandbox.keeper.ksm import run_ksm; sys.exit(run_ksm(sys.argv[1:]))"


@pytest.fixture
def environment(server: KeeperServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that a person has set, with a home directory that shows what is left in it."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("KSM_CONFIG", json.dumps(server.client_config()))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    return dict(os.environ)


def ksm(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    directory = environment["HOME"]
    command = [sys.executable, "-c", RUN, *arguments]
    return subprocess.run(command, env=environment, cwd=directory, capture_output=True, text=True, timeout=60)


def output(environment: dict[str, str], *arguments: str) -> str:
    done = ksm(environment, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_secrets_are_listed_got_and_read_by_notation(environment: dict[str, str]) -> None:
    listed = json.loads(output(environment, "secret", "list", "--json"))
    assert {record["uid"] for record in listed} == {DIRECT, AT_ROOT, AT_INNER, AT_DEEP}
    got = json.loads(output(environment, "secret", "get", AT_ROOT, "--json", "--unmask"))
    assert (got["fields"][1]["type"], got["fields"][1]["value"]) == ("password", ["pass"])
    assert output(environment, "secret", "notation", f"keeper://{AT_ROOT}/field/password").strip() == "pass"


def test_a_folder_is_listed_with_what_lies_under_it(environment: dict[str, str]) -> None:
    listed = json.loads(output(environment, "secret", "list", "--json", "--folder", INNER, "--recursive"))
    assert {record["uid"] for record in listed} == {AT_INNER, AT_DEEP}
    folders = json.loads(output(environment, "folder", "list", "--json"))
    assert [(f["uid"], f["parent_uid"], f["title"]) for f in folders] == [
        (SHARED, "", "Production"),
        (OTHER, "", "Other"),
        (INNER, SHARED, "inner"),
        (DEEP, INNER, "deep"),
    ]


def test_a_record_is_added_updated_and_deleted(environment: dict[str, str], vault_path: Path) -> None:
    folder = ("--storage-folder-uid", DEEP)
    added = output(environment, "secret", "add", "field", *folder, "--rt", "login", "--title", "By ksm", "password=one")
    uid = added.strip()
    assert stored_record(vault_path, uid)["folder"] == DEEP
    output(environment, "secret", "update", "--uid", uid, "--field", "password=two")
    assert output(environment, "secret", "notation", f"{uid}/field/password").strip() == "two"
    deleted = json.loads(output(environment, "secret", "delete", "--json", "-u", uid, "-u", "AAAAAAAAAAAAAAAAAAAAAA"))
    assert [entry["responseCode"] for entry in deleted] == ["ok", "n/a"]


def test_a_file_is_uploaded_downloaded_and_deleted(environment: dict[str, str], tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(bytes(range(256)))
    target = tmp_path / "target.bin"
    output(environment, "secret", "upload", "--uid", DIRECT, "--file", str(source))
    output(environment, "secret", "download", "-u", DIRECT, "--name", "source.bin", "--file-output", str(target))
    assert target.read_bytes() == source.read_bytes()


def test_a_folder_is_added_renamed_and_deleted(environment: dict[str, str]) -> None:
    uid = output(environment, "folder", "add", "--parent-folder", INNER, "--title", "by ksm").strip()
    output(environment, "folder", "update", "--folder", uid, "--title", "renamed")
    listed = json.loads(output(environment, "folder", "list", "--json"))
    assert {f["uid"]: (f["parent_uid"], f["title"]) for f in listed}[uid] == (INNER, "renamed")
    (deleted,) = json.loads(output(environment, "folder", "delete", "--json", uid))
    assert deleted["responseCode"] == "ok"


def test_a_command_is_run_with_secrets_and_without_the_launchers_own_settings(environment: dict[str, str]) -> None:
    show = "import os; print(os.environ['SECRET'], os.environ.get('HTTPS_PROXY'), os.environ.get('XDG_CACHE_HOME'))"
    given = {**environment, "SECRET": f"keeper://{AT_ROOT}/field/password"}
    given.pop("HTTPS_PROXY", None)
    assert output(given, "exec", "--", sys.executable, "-c", show).strip() == "pass None None"


def test_no_package_index_is_asked(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0)
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        given = {**environment, "HTTPS_PROXY": address, "https_proxy": address, "no_proxy": "localhost,127.0.0.1"}
        output(given, "version")
        output(given, "secret", "list")
        with pytest.raises(BlockingIOError):
            proxy.accept()
    assert list(Path(environment["HOME"]).iterdir()) == []


# Below, the launcher runs in this process: importing the command line takes longer than all else.


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("arguments", [(), ("--help",), ("help",)])
def test_help_is_shown_without_a_vault(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KSM_CONFIG", "{}")
    assert run_ksm(arguments) == 0
    assert "Keeper Secrets Manager CLI" in capsys.readouterr().out


@pytest.mark.usefixtures("environment")
def test_a_commands_help_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_ksm(["secret", "--help"]) == 0
    assert "Usage: ksm secret" in capsys.readouterr().out


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("secret", "get", "AAAAAAAAAAAAAAAAAAAAAA"), 1, "Cannot find requested record"),
        (("nothing-like-it",), 2, "No such command 'nothing-like-it'"),
        (("secret", "list", "--nonsense"), 2, "No such option"),
        (("--cache", "secret", "list"), 2, "--cache is not supported"),
        (("shell",), 2, "shell is not supported"),
    ],
)
def test_a_failure_is_told_with_its_exit_code(
    arguments: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_ksm(arguments) == code
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_a_vault_that_cannot_be_reached_is_told(server: KeeperServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.stop()
    assert run_ksm(["folder", "list"]) == 1
    assert "Error loading folders" in capsys.readouterr().err


def test_without_a_configuration_the_launcher_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KSM_CONFIG", raising=False)
    assert run_ksm(["secret", "list"]) == 2
    assert "KSM_CONFIG is not set" in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_the_environment_is_as_before_afterwards() -> None:
    before = dict(os.environ)
    run_ksm(["--help"])
    assert dict(os.environ) == before
