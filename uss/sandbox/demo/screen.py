"""What the demo shows: headings, plain words, commands with their output, and one table."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from uss.sandbox.demo.readback import Landed

_GRACE_SECONDS = 30
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
        process = subprocess.Popen(  # noqa: S603 - the demo's own commands
            [*command, "--color", color, "--non-interactive"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                for line in process.stdout or ():
                    if not _NOISE.search(line):
                        self._console.out("  │ " + line.rstrip("\n"), highlight=False)
            except KeyboardInterrupt:
                # The engine got the same signal: it ends what is under way.
                _end(process)
                raise
        if process.returncode != 0:
            raise CommandFailedError(f"`{shlex.join(command)}` ended with code {process.returncode}.")

    def table(self, landed: Iterable[Landed]) -> None:
        """Show what landed, without values."""
        table = Table(box=SIMPLE_HEAD)
        for title in ("Record", "Name in AWS", "Region", "Version", "Content type"):
            table.add_column(title, overflow="fold")
        for secret in landed:
            table.add_row(secret.title, secret.name, secret.region, secret.version[:8], secret.content_type)
        self._console.print(table)


def _end(process: subprocess.Popen[str]) -> None:
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
