"""The demo: the real engine syncs a local vault to three local clouds, and the vendors' own clients read it back."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from uss.sandbox.control import SandboxClient
from uss.sandbox.demo import edits
from uss.sandbox.demo.readback import SIDE, Landed, compare
from uss.sandbox.demo.readers import READERS, deleted_in_aws
from uss.sandbox.demo.screen import Screen, output_of
from uss.sandbox.demo.stackfiles import SIDE_STACKS, STACK, stack_files
from uss.sandbox.jsonyaml import load
from uss.sandbox.layout import Layout, SandboxError
from uss.sandbox.process import start_in_background, stop

_HERE = Path(__file__).parent
_QUIET = ("--suppress-outputs", "--suppress-progress")
_WRITES = re.compile("create|update|put|delete|add|enable|disable|destroy|tag|recover|purge", re.IGNORECASE)
"""In the names of operations."""


@dataclass(frozen=True)
class _Demo:
    """What a running demo works with."""

    screen: Screen
    project: Path
    environment: Mapping[str, str]
    control: SandboxClient
    expected: Mapping[str, Any]

    def landed(self, stack: str, moment: str, prefix: str = "") -> list[Landed]:
        """Read back what a stack has in the clouds; raise `MismatchError` unless it is what must be there."""
        text = output_of(["pulumi", "stack", "output", "--json", "--stack", stack], self.project, self.environment)
        landed: list[Landed] = []
        for output in json.loads(text)["configurations"].values():
            cloud = output["type"]
            refused = () if cloud == "aws" else self.expected["awsOnly"]
            wanted = {name: value for name, value in self.expected[moment].items() if name not in refused}
            landed += compare(wanted, output, READERS[cloud](self.environment), prefix)
        return landed


def run_demo(project: Path) -> None:
    """Run the demo in the project's folder and clean up, also when it is interrupted.

    Raises `MismatchError` when a cloud does not hold what it must, `CommandFailedError`, or `SandboxError`.
    """
    started = time.monotonic()
    expected = load((_HERE / "expected.yaml").read_text(encoding="utf-8"))
    with _sandbox() as (environment, vault, control), stack_files(project):
        screen = Screen(project, environment)
        demo = _Demo(screen, project, environment, control, expected)
        screen.heading("A Keeper vault, an AWS, an Azure and a GCP, on this machine")
        screen.say(
            "The vault speaks Keeper Secrets Manager's protocol; the clouds answer the vendors' own clients.",
            "All content is made up. stacks/Pulumi.example-all.yaml links the folder “Production” to three clouds.",
        )
        for stack in (STACK, *SIDE_STACKS):
            output_of(["pulumi", "stack", "init", stack, "--no-select"], project, environment)
        _first_sync(demo)
        _change(demo, vault)
        _second_sync(demo)
        _nothing_left(demo)
        _side_by_side(demo)
        screen.say("", f"Done in {time.monotonic() - started:.0f} s; all of it was read back and compared.")


def _first_sync(demo: _Demo) -> None:
    demo.screen.heading("What would a sync do? `pulumi preview` is the dry run")
    demo.screen.run("pulumi", "preview", "--stack", STACK, *_QUIET)
    demo.screen.heading("Sync: `pulumi up`")
    demo.screen.run("pulumi", "up", "--stack", STACK, "--yes", "--skip-preview", *_QUIET)
    demo.landed(STACK, "first")
    demo.screen.say(
        "Read back with the clouds' own clients: each value is the one that its record has.",
        "“Legacy FTP (old)” was refused, because names are never mangled; “payments/stripe-key” reached AWS, and Azure",
        "and GCP take no slash. The attachment of “Mail Relay” stays in Keeper.",
    )


def _change(demo: _Demo, vault: Path) -> None:
    demo.screen.heading("Meanwhile, in the vault")
    edits.edit(vault)
    demo.screen.say(*(f"  - {told}" for told in edits.TOLD))


def _second_sync(demo: _Demo) -> None:
    demo.screen.heading("Preview and sync again")
    demo.screen.run("pulumi", "preview", "--stack", STACK, *_QUIET)
    demo.screen.run("pulumi", "up", "--stack", STACK, "--yes", "--skip-preview", *_QUIET)
    demo.landed(STACK, "second")
    gone = ", ".join(deleted_in_aws(demo.environment))
    demo.screen.say(f"Read back and compared. Deleted in AWS, and to be had back for 30 days: {gone}")


def _nothing_left(demo: _Demo) -> None:
    demo.screen.heading("And once more: nothing is left to do")
    demo.control.reset_calls()
    demo.screen.run("pulumi", "preview", "--stack", STACK, "--expect-no-changes", *_QUIET)
    calls = demo.control.calls()
    writes = [name for cloud in READERS for name in calls.get(cloud, {}) if _WRITES.search(name)]
    if writes:
        raise SandboxError(f"A preview without a change wrote: {', '.join(writes)}.")
    demo.screen.say("No change, and not one call that writes, to any of the clouds.")


def _side_by_side(demo: _Demo) -> None:
    demo.screen.heading("The same as three stacks, one for each PAM Configuration")
    for stack in SIDE_STACKS:
        demo.screen.run("pulumi", "up", "--stack", stack, "--yes", "--skip-preview", *_QUIET)
    demo.screen.heading("What is in the clouds now, read back with their own clients")
    side = [landed for stack in SIDE_STACKS for landed in demo.landed(stack, "second", SIDE)]
    demo.screen.table({STACK: demo.landed(STACK, "second"), "three stacks": side})


@contextmanager
def _sandbox() -> Iterator[tuple[dict[str, str], Path, SandboxClient]]:
    """A sandbox in a temporary folder, with its own copy of the demo's vault. Gone afterwards, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="uss-demo-"))
    layout = Layout(folder / "sandbox")
    vault = folder / "vault.yaml"
    with _terminated_as_interrupted():
        try:
            shutil.copy(_HERE / "vault.yaml", vault)
            edits.put_service_account_key(vault)
            exports = start_in_background(vault, layout)
            yield {**os.environ, **exports}, vault, SandboxClient(layout)
        finally:
            stop(layout)
            shutil.rmtree(folder)


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
