"""A sandbox's life: start, end, and what is left, whatever ends it."""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.sandbox.commands import Commands, parse_exports


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    commands = Commands(tmp_path)
    commands.write_vault()
    try:
        yield commands
    finally:
        commands.run("stop")


def ports(exports: dict[str, str]) -> list[int]:
    plugins = [int(plugin.split(":")[1]) for plugin in exports["PULUMI_DEBUG_PROVIDERS"].split(",")]
    return [*plugins, int(str(urlsplit(exports["AWS_ENDPOINT_URL"]).port))]


def assert_closed(numbers: list[int]) -> None:
    for number in numbers:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", number), timeout=5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_sandbox_in_the_foreground_runs_until_it_gets_a_signal(commands: Commands, number: signal.Signals) -> None:
    with commands.popen("start", "--vault", "vault.yaml") as process:
        try:
            assert process.stdout
            lines = [process.stdout.readline()]
            while not lines[-1].startswith("export PATH="):
                lines.append(process.stdout.readline())
                assert lines[-1]
            exports = parse_exports("".join(lines))
            for port in ports(exports):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")
    assert_closed(ports(exports))
    assert os.listdir(commands.directory) == ["pulumi"]


def test_a_sandbox_in_the_background_leaves_only_pulumis_folder_when_it_is_stopped(commands: Commands) -> None:
    started = commands.run("start", "--vault", "vault.yaml", "--background")
    assert (started.returncode, started.stderr) == (0, "")
    exports = parse_exports(started.stdout)
    assert stat.S_IMODE(commands.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((commands.directory / "sandbox.json").stat().st_mode) == 0o600

    pid = commands.state()["pid"]
    again = commands.run("start", "--vault", "vault.yaml", "--background")
    assert (again.returncode, again.stdout) == (1, "")
    assert f"process {pid}" in again.stderr
    assert "uss sandbox stop" in again.stderr

    stopped = commands.run("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "Sandbox stopped.\n")
    assert_closed(ports(exports))
    assert os.listdir(commands.directory) == ["pulumi"]

    once_more = commands.run("stop")
    assert once_more.returncode == 0
    assert "No sandbox runs in" in once_more.stdout


def test_a_killed_sandbox_takes_its_plugins_along_and_the_next_one_starts_over_its_remains(commands: Commands) -> None:
    exports = parse_exports(commands.run("start", "--vault", "vault.yaml", "--background").stdout)
    state = commands.state()
    plugins = os.pidfd_open(state["providerPid"])
    try:
        os.kill(state["pid"], signal.SIGKILL)
        assert select.select([plugins], [], [], 60)[0] == [plugins]
    finally:
        os.close(plugins)
    assert_closed(ports(exports))
    dump = commands.run("dump")
    assert dump.returncode == 1
    assert "does not answer" in dump.stderr

    assert commands.run("start", "--vault", "vault.yaml", "--background").returncode == 0
    assert commands.state()["pid"] != state["pid"]


def test_what_a_killed_sandbox_left_is_removed_by_stop(commands: Commands) -> None:
    commands.directory.mkdir()
    for name in ("sandbox.json", "sandbox.lock", "sandbox.log", "sandbox-ca-bundle.pem"):
        (commands.directory / name).write_text("{}")
    assert "No sandbox runs in" in commands.run("stop").stdout
    assert not commands.directory.exists()


@pytest.mark.parametrize("where", [(), ("--background",)])
def test_a_vault_file_that_cannot_be_used_is_refused_before_anything_starts(
    commands: Commands, where: tuple[str, ...]
) -> None:
    commands.write_vault({"records": [{"title": "without a UID"}]})
    failed = commands.run("start", "--vault", "vault.yaml", *where)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "vault.yaml: records.0.uid" in failed.stderr
    assert not commands.directory.exists()


def test_other_things_in_the_folder_are_left_alone(commands: Commands) -> None:
    started = commands.run("start", "--vault", "vault.yaml", "--dir", ".", "--background")
    assert started.returncode == 0, started.stderr
    stopped = commands.run("stop", "--dir", ".")
    assert stopped.returncode == 0, stopped.stderr
    assert sorted(os.listdir(commands.folder)) == ["pulumi", "vault.yaml"]


@pytest.mark.parametrize(
    ("module", "words"),
    [("grpc", "The stand-in provider plugins ended with code 1"), ("moto", "ended before it was ready. The end of")],
)
def test_a_broken_installation_is_reported_by_a_start_in_the_background(
    commands: Commands, module: str, words: str
) -> None:
    broken = commands.folder / "broken"
    broken.mkdir()
    (broken / f"{module}.py").write_text("raise ImportError('this installation is broken')")
    commands.environment = {**commands.environment, "PYTHONPATH": str(broken)}
    failed = commands.run("start", "--vault", "vault.yaml", "--background")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert words in failed.stderr
    assert "this installation is broken" in (commands.directory / "sandbox.log").read_text()
    assert os.listdir(commands.directory) == ["sandbox.log"]
