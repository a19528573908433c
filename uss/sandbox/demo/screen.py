"""What the demo shows: headings, plain words, commands with their output, and one table."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from uss.sandbox.demo.readback import Landed

_CLOUDS = {"aws": "AWS", "azure": "Azure", "gcp": "GCP"}
_GRACE_SECONDS = 30
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_WIDTH = 100
# Where the engine has no terminal it writes a line for each step and each message, then sums all of it up.
_NOISE = re.compile(r"^\s*$|^@ |pulumi:pulumi:Stack uss-|ing( replacement| original)? \(0s\)| replaced \(")


class CommandFailedError(Exception):
    """A command that the demo shows ended with another code than it must."""


class Screen:
    """Writes to the terminal; commands run in one folder with one environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        terminal = Console(highlight=False, soft_wrap=True)
        self._console = terminal if terminal.is_terminal else Console(highlight=False, soft_wrap=True, width=_WIDTH)
        self._folder = folder
        self._environment = environment

    def heading(self, text: str) -> None:
        """Start a part."""
        self._console.print(f"\n[bold]== {text}[/bold]")

    def say(self, *lines: str) -> None:
        """Write plain lines."""
        for line in lines:
            self._console.print(line, markup=False)

    def run(self, *command: str) -> None:
        """Show a command and its output as it comes; raise `CommandFailedError` unless it ends with 0."""
        self._console.print(f"[cyan]$ {shlex.join(command)}[/cyan]")
        color = "always" if self._console.is_terminal else "never"
        with self._running([*command, "--color", color, "--non-interactive"]) as process:
            for line in process.stdout or ():
                if not _NOISE.search(line):
                    self._console.out("  │ " + line.rstrip("\n"), highlight=False)
        if process.returncode != 0:
            raise CommandFailedError(f"`{shlex.join(command)}` ended with code {process.returncode}.")

    @contextmanager
    def _running(self, command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
        """Run a command in a session of its own, so that a signal reaches it through the demo, once. It has ended when
        this has.
        """
        # Signals wait until the process is known: one that came in between would leave it behind, running.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        process = subprocess.Popen(  # noqa: S603 - the demo's own commands
            command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_take_signals,
        )
        with process:
            try:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                yield process
            except KeyboardInterrupt:
                _end(process)
                raise

    def table(self, landed: Mapping[str, Sequence[Landed]]) -> None:
        """Show what landed, by stack: a row for each record, a column for each cloud, without values."""
        table = Table(box=SIMPLE_HEAD)
        for title in ("Stack", "Name", *_CLOUDS.values()):
            table.add_column(title, overflow="fold")
        for stack, secrets in landed.items():
            for name in sorted({secret.name for secret in secrets}):
                rows = [secret for secret in secrets if secret.name == name]
                cells = [_cell([row for row in rows if row.cloud == cloud]) for cloud in _CLOUDS]
                table.add_row(stack, name, *cells)
        self._console.print(table)


def _cell(copies: Sequence[Landed]) -> str:
    """The version, and in how many places it is."""
    versions = sorted({copy.version[:8] for copy in copies})
    places = f" ({len(copies)} regions)" if len(copies) > 1 else ""
    return f"{', '.join(versions)}{places}" if copies else "refused"


def _take_signals() -> None:
    """In the new process: an interrupt ends it, also where the demo was started with interrupts ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _end(process: subprocess.Popen[str]) -> None:
    """Let the engine end what is under way."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def output_of(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Run a command that the demo does not show, and return its output; raise `CommandFailedError`."""
    done = subprocess.run(  # noqa: S603 - the demo's own commands
        [*command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CommandFailedError(f"`{shlex.join(command)}` ended with code {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout
