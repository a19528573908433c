"""The demo: the real engine syncs a local vault to a local AWS, twice, and AWS's own client reads it back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from uss.sandbox.control import SandboxClient
from uss.sandbox.demo import edits
from uss.sandbox.demo.readback import deleted_names, read_back
from uss.sandbox.demo.screen import Screen, output_of
from uss.sandbox.jsonyaml import load
from uss.sandbox.layout import Layout, SandboxError
from uss.sandbox.process import start_in_background, stop

STACK = "demo"
CONFIGURATION = "production-aws"
_HERE = Path(__file__).parent
_EXAMPLE = "Pulumi.example-aws.yaml"
_QUIET = ("--suppress-outputs", "--suppress-progress")
_MADE = "# Made by the demo from the example beside it, and removed when the demo ends.\n"


def run_demo(project: Path) -> None:
    """Run the demo in the project's folder and clean up, also when it is interrupted.

    Raises `MismatchError` when AWS does not hold what it must, `CommandFailedError`, or `SandboxError`.
    """
    started = time.monotonic()
    with _sandbox() as (environment, vault, control), _stack_file(project):
        screen = Screen(project, environment)
        screen.heading("A Keeper vault and an AWS, on this machine")
        screen.say(
            "The vault speaks Keeper Secrets Manager's protocol; the AWS is moto's server. Both hold made-up content.",
            f"The vault's folder “Production” is linked to {CONFIGURATION} in stacks/{_EXAMPLE}.",
        )
        output_of(["pulumi", "stack", "init", STACK], project, environment)
        expected = load((_HERE / "expected.yaml").read_text(encoding="utf-8"))
        _first_sync(screen, expected["first"], environment, project)
        _change(screen, vault)
        _second_sync(screen, expected["second"], environment, project)
        _nothing_left(screen, control)
        screen.say("", f"Done in {time.monotonic() - started:.0f} s; all of it was read back from AWS and compared.")


def _first_sync(screen: Screen, expected: Mapping[str, str], environment: Mapping[str, str], project: Path) -> None:
    screen.heading("What would a sync do? `pulumi preview` is the dry run")
    screen.run("pulumi", "preview", *_QUIET)
    screen.heading("Sync: `pulumi up`")
    screen.run("pulumi", "up", "--yes", "--skip-preview", *_QUIET)
    screen.heading("What landed in AWS, read back with AWS's own client")
    screen.table(read_back(expected, _outputs(project, environment), environment))
    screen.say(
        "“Legacy FTP (old)” was refused: AWS takes no parentheses in a name, and names are never mangled.",
        "The attachment of “Mail Relay” stays in Keeper.",
    )


def _change(screen: Screen, vault: Path) -> None:
    screen.heading("Meanwhile, in the vault")
    edits.edit(vault)
    screen.say(*(f"  - {told}" for told in edits.TOLD))


def _second_sync(screen: Screen, expected: Mapping[str, str], environment: Mapping[str, str], project: Path) -> None:
    screen.heading("Preview and sync again")
    screen.run("pulumi", "preview", *_QUIET)
    screen.run("pulumi", "up", "--yes", "--skip-preview", *_QUIET)
    screen.heading("What is in AWS now")
    screen.table(read_back(expected, _outputs(project, environment), environment))
    gone = ", ".join(deleted_names(environment))
    screen.say(f"Deleted, and to be had back for 30 days: {gone}")


def _nothing_left(screen: Screen, control: SandboxClient) -> None:
    screen.heading("And once more: nothing is left to do")
    control.reset_calls()
    screen.run("pulumi", "preview", "--expect-no-changes", *_QUIET)
    calls = [name for name in control.calls().get("aws", {}) if name.startswith("secretsmanager:")]
    if calls:
        raise SandboxError(f"A preview without a change called Secrets Manager: {', '.join(calls)}.")
    screen.say("No change, and not one call to Secrets Manager.")


def _outputs(project: Path, environment: Mapping[str, str]) -> Any:
    text = output_of(["pulumi", "stack", "output", "--json", "--stack", STACK], project, environment)
    return json.loads(text)["configurations"][CONFIGURATION]


@contextmanager
def _sandbox() -> Iterator[tuple[dict[str, str], Path, SandboxClient]]:
    """A sandbox in a temporary folder, with its own copy of the demo's vault. Gone afterwards, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="uss-demo-"))
    layout = Layout(folder / "sandbox")
    vault = folder / "vault.yaml"
    with _terminated_as_interrupted():
        try:
            shutil.copy(_HERE / "vault.yaml", vault)
            exports = start_in_background(vault, layout)
            yield {**os.environ, **exports}, vault, SandboxClient(layout)
        finally:
            stop(layout)
            shutil.rmtree(folder)


@contextmanager
def _stack_file(project: Path) -> Iterator[None]:
    """The demo's stack file, made from the committed example; it is removed afterwards."""
    path = project / "stacks" / f"Pulumi.{STACK}.yaml"
    if not (project / "Pulumi.yaml").exists():
        raise SandboxError(f"{project} has no Pulumi.yaml: run the demo in the project's own folder.")
    if path.exists() and not path.read_text(encoding="utf-8").startswith(_MADE.rstrip()):
        raise SandboxError(f"{path} is there and not of the demo's making: move it away, then run the demo again.")
    path.write_text(_MADE + path.with_name(_EXAMPLE).read_text(encoding="utf-8"), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let a TERM signal clean up as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
