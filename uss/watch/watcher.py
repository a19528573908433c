"""The watch itself: look, and where something changed, run Pulumi."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from typing import Any, Protocol

from uss.automation.runs import Run
from uss.errors import UssError
from uss.planning.plan import Mode
from uss.report.document import PlanDocument
from uss.report.text import lines
from uss.watch.journal import Journal, JournalFile
from uss.watch.reading import Reading
from uss.watch.schedule import Schedule
from uss.watch.telemetry import Telemetry


class Reads(Protocol):
    """What the watch needs of a `Reader`."""

    def read(self) -> Reading:
        """Look at the stack file and the vault once."""


class Runs(Protocol):
    """What the watch needs of a `Runner`."""

    def preview(self) -> Run:
        """Run `pulumi preview`."""

    def up(self) -> Run:
        """Run `pulumi up`."""

    def interrupt(self) -> None:
        """Ask a run to end."""


class Watcher:
    """Watches one stack. All that it has to say goes to `say`, a line or a few at a time."""

    def __init__(
        self, reader: Reads, journal_file: JournalFile, runs: Runs, telemetry: Telemetry, say: Callable[[str], None]
    ) -> None:
        self._reader = reader
        self._file = journal_file
        self._runs = runs
        self._telemetry = telemetry
        self._say = say
        self._journal = journal_file.load()
        self._problem = ""
        self._shown: dict[str, list[str]] = {}
        self._failures = 0
        self._stopping = False
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        telemetry.remembered(self._journal)

    def stop(self, *, interrupt: bool) -> None:
        """Let the loop end, on request also in the middle of an update. For a signal's handler."""
        self._stopping = True
        os.write(self._waker, b".")
        if interrupt:
            self._runs.interrupt()

    def watch(self, schedule: Schedule) -> None:
        """Look, wait, and look again until `stop` is called."""
        while not self._stopping:
            well = self.look()
            seconds = schedule.wait(self._failures)
            if not well and not self._stopping:
                self._say(f"The next try is in {seconds:.0f} s.")
            if not self._stopping:
                select.select([self._woken], [], [], seconds)

    def look(self) -> bool:
        """Look once, and run what is to be run. Returns whether all is well."""
        self._telemetry.beat()
        try:
            self._step(self._read())
        except UssError as error:
            self._failed(str(error))
        self._telemetry.went(self._failures)
        return not self._failures

    def _read(self) -> Reading:
        started, result = time.monotonic(), "failed"
        try:
            reading = self._reader.read()
            result = "unchanged" if reading.digest == self._journal.applied else "changed"
        finally:
            self._telemetry.looked(result, time.monotonic() - started)
        return reading

    def _step(self, reading: Reading) -> None:
        """An update first: what it applies is waited for, and what is held is not."""
        if reading.digest != self._journal.applied and not self._apply(reading):
            return
        news = any(self._journal.reported.get(name) != digest for name, digest in reading.held.items())
        if news and not self._stopping and not self._report(reading):
            return
        self._succeeded()

    def _apply(self, reading: Reading) -> bool:
        """Run an update. While it runs, and where it fails, nothing counts as applied: part of it may have been."""
        self._remember(applied="", pending_since=self._journal.pending_since or time.time())
        run = self._run("up")
        if run.ok:
            self._remember(applied=reading.digest, pending_since=None)
        return run.ok

    def _report(self, reading: Reading) -> bool:
        run = self._run("preview")
        if run.ok:
            if run.document and (held := [part.name for part in run.document.held_configurations]):
                told = ", ".join(held)
                self._say(f"Held, and not applied: {told}. Approve the plan that is shown, or set dryRun to false.")
            self._remember(reported=reading.held)
        return run.ok

    def _run(self, command: str) -> Run:
        self._telemetry.working()
        started = time.monotonic()
        run = self._runs.up() if command == "up" else self._runs.preview()
        seconds = time.monotonic() - started
        self._telemetry.beat()
        self._telemetry.ran(command, _result(run), seconds)
        if run.document:
            self._telemetry.planned(run.document)
            self._show(command, run.document)
        if run.ok:
            counts = ", ".join(f"{count} {operation}" for operation, count in sorted(run.resources.items()))
            self._say(f"`pulumi {command}` ended well after {seconds:.0f} s. Resources: {counts or 'none'}.")
        else:
            self._failed(run.problem)
        return run

    def _show(self, command: str, document: PlanDocument) -> None:
        """The plan of what the run is for, unless it was shown last time: a failing update has the same again."""
        parts = [part for part in document.configurations if (part.mode == Mode.HOLD) is (command == "preview")]
        shown = lines(document.model_copy(update={"configurations": tuple(parts)}))
        if shown and shown != self._shown.get(command):
            self._say("\n".join(shown))
        self._shown[command] = shown

    def _failed(self, problem: str) -> None:
        if self._stopping:
            self._say("Stopped in the middle of a run; the next watch goes on from there.")
            return
        self._failures += 1
        text = problem if problem != self._problem else f"Still: {problem.partition('. ')[0]}."
        self._say(f"Failed ({self._failures} in a row): {text}")
        self._problem = problem

    def _succeeded(self) -> None:
        if self._failures:
            self._say(f"All is well again, after {self._failures} failures.")
        self._failures, self._problem = 0, ""
        # In memory alone: an unchanged vault is no reason to write to the disk each minute.
        self._journal = self._journal.model_copy(update={"succeeded": time.time()})
        self._telemetry.remembered(self._journal)

    def _remember(self, **news: Any) -> None:
        self._journal = Journal.model_validate(self._journal.model_copy(update=news).model_dump())
        self._file.save(self._journal)
        self._telemetry.remembered(self._journal)


def _result(run: Run) -> str:
    if run.busy:
        return "busy"
    if run.document and run.document.stopped:
        return "stopped"
    return "ok" if run.ok else "failed"
