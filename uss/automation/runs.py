"""Runs of the Pulumi program for the commands: `pulumi preview` and `pulumi up` through Pulumi's Automation API.

What the program planned comes back as a `PlanDocument`, what the engine did as counts and operations. Nothing that the
engine printed is repeated but its errors, which hold no secret: the engine replaces those that it knows.
"""

from __future__ import annotations

import contextlib
import re
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
from pulumi import automation
from pulumi.automation.events import EngineEvent, OpType, StepEventMetadata

from uss.errors import EngineError
from uss.report.document import VARIABLE, PlanDocument, taken_over

_PROBLEM = 4000
"""Characters of a problem that are repeated."""
_STILL = (OpType.SAME, OpType.REFRESH, OpType.READ)
_COLOUR = re.compile(r"<\{%.*?%\}>")
_LAST_WORDS = ("update failed", "preview failed")


@dataclass(frozen=True)
class Operation:
    """What the engine does to a resource. `name` is the resource's logical name; `keys` are those that differ."""

    name: str
    type: str
    op: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """A run that ended. `problem` is for people to read, and empty where it is `ok`."""

    ok: bool
    busy: bool = False
    """Another update has the stack."""
    document: PlanDocument | None = None
    """None where the program did not come so far."""
    resources: Mapping[str, int] = field(default_factory=dict)
    """How many resources there are for each of the engine's operations."""
    operations: tuple[Operation, ...] = ()
    problem: str = ""

    @property
    def changes(self) -> bool:
        """Whether the engine changes any resource."""
        return bool(self.operations)


class _Workspace(automation.LocalWorkspace):
    """The project in its folder. Which stack the user has selected there stays as it is."""

    def select_stack(self, stack_name: str) -> None:
        self.pulumi_command.run(["stack", "--stack", stack_name], self.work_dir, self.env_vars)


class Runner:
    """Runs a stack of the project in a folder, one run at a time."""

    def __init__(self, stack: str, work_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        """Take the stack's name, the folder of `Pulumi.yaml`, and variables for the program beside those of this
        process. Raises `EngineError` where there is no `pulumi`, no such stack, or no way to its backend.
        """
        self._environment = dict(environment or {})
        try:
            self._workspace = _Workspace(work_dir=str(work_dir), env_vars=self._environment)
            self._stack = automation.Stack.select(stack, self._workspace)
        except FileNotFoundError as error:
            raise EngineError("`pulumi` is not on the PATH. Install it, or run `make engine`.") from error
        except automation.CommandError as error:
            raise EngineError(f"The stack {stack} cannot be reached. {_said(error)}") from error
        except automation.InvalidVersionError as error:
            raise EngineError(f"This `pulumi` is too old: {error}") from error

    def backend(self) -> str:
        """Return the address of the backend that has the stack's state; raise `EngineError` where it does not say."""
        try:
            return self._workspace.who_am_i().url or ""
        except automation.CommandError as error:
            raise EngineError(f"The backend cannot be reached. {_said(error)}") from error

    def preview(self, *, refresh: bool = False) -> Run:
        """Run `pulumi preview`; `refresh` asks the clouds first what became of each resource."""
        return self._run("preview", refresh)

    def up(self, *, refresh: bool = False) -> Run:
        """Run `pulumi up` without a preview before it."""
        return self._run("up", refresh)

    def interrupt(self) -> None:
        """Ask the engine that runs, if one does, to finish what is in flight and end; the second time, to end at once.

        For another thread, or a signal's handler: the run itself returns as one that failed.
        """
        for process in psutil.Process().children():
            # Gone since it was listed: nothing is left to interrupt.
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.name() == "pulumi":
                    process.send_signal(signal.SIGINT)

    def _run(self, command: str, refresh: bool) -> Run:
        seen = _Seen()
        with tempfile.NamedTemporaryFile(prefix="uss-plan-") as file:
            path = Path(file.name)
            self._workspace.env_vars = {**self._environment, VARIABLE: file.name}
            problem, busy = "", False
            try:
                run = partial(getattr(self._stack, command), on_event=seen.event, color="never", refresh=refresh)
                run() if command == "preview" else run(show_secrets=False)
            except automation.ConcurrentUpdateError as error:
                problem, busy = _said(error), True
            except automation.CommandError as error:
                problem = seen.problem() or _said(error)
            document = taken_over(path)
        if problem and not busy and document and document.stopped:
            problem = document.stopped
        return Run(not problem, busy, document, dict(seen.counts), tuple(seen.operations), problem[:_PROBLEM])


class _Seen:
    """What the engine's events told."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.operations: list[Operation] = []
        self._errors: list[str] = []

    def event(self, event: EngineEvent) -> None:
        if event.resource_pre_event:
            self._operation(event.resource_pre_event.metadata)
        elif event.summary_event:
            self.counts = {OpType(op).value: count for op, count in event.summary_event.resource_changes.items()}
        elif event.diagnostic_event and event.diagnostic_event.severity == "error":
            self._errors.append(_COLOUR.sub("", event.diagnostic_event.message).strip())

    def problem(self) -> str:
        """The errors in the engine's words, each once, without its own last word."""
        return "\n".join(dict.fromkeys(text for text in self._errors if text and text not in _LAST_WORDS))

    def _operation(self, step: StepEventMetadata) -> None:
        if step.op not in _STILL:
            keys = tuple(sorted(step.detailed_diff or step.diffs or ()))
            self.operations.append(Operation(step.urn.split("::", 3)[-1], step.type, step.op.value, keys))


def _said(error: automation.CommandError) -> str:
    """The last of what the command printed as its errors."""
    lines = [line.strip() for line in str(error).partition("stderr:")[2].splitlines()]
    return "\n".join([line for line in lines if line][-10:])
