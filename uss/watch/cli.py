"""`uss watch`: the sync by itself, at an interval or once for cron."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
import platformdirs

from uss.automation.runs import Runner
from uss.planning.approval import VARIABLE
from uss.watch.endpoint import serving
from uss.watch.journal import JournalFile
from uss.watch.reading import Reader
from uss.watch.schedule import Schedule
from uss.watch.telemetry import Telemetry
from uss.watch.watcher import Watcher
from uss.workplace.stackfile import find_stack_file
from uss.workplace.terminal import plain_errors, stack_option

_SHORTEST = 1.0


class _Address(click.ParamType[tuple[str, int]]):
    name = "address:port"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """An IPv6 address stands in brackets; no address means this machine only."""
        if isinstance(value, tuple):
            return value
        host, colon, port = value.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            self.fail(f"found {value!r}; give an address and a port, as in 0.0.0.0:9464.", param, ctx)
        return host.strip("[]") or "127.0.0.1", int(port)


@click.command("watch")
@stack_option
@click.option(
    "--interval",
    type=click.FloatRange(min=_SHORTEST),
    default=60.0,
    show_default=True,
    help="Seconds between two looks at Keeper.",
)
@click.option("--once", is_flag=True, help="Look once and end, for cron: with 1 when that failed.")
@click.option("--listen", type=_Address(), help="Serve /metrics and /healthz there, as in 0.0.0.0:9464.")
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="STATE_DIRECTORY",
    help="Where it remembers what was applied; none: $STATE_DIRECTORY, or the user's own folder for state.",
)
def watch_command(
    stack: str | None, interval: float, once: bool, listen: tuple[str, int] | None, state_dir: Path | None
) -> None:
    """Look at Keeper at an interval, and run `pulumi up` when something changed.

    Configurations with `dryRun: true` are previewed and reported once for each change, and never applied. SIGTERM ends
    it, in the middle of an update too.
    """
    with plain_errors():
        stack_file = find_stack_file(stack)
        # An approval is for one run that a person started.
        runner = Runner(stack_file.reference, Path.cwd(), {VARIABLE: ""})
        backend = runner.backend()
        directory = state_dir or platformdirs.user_state_path("uss")
        journal_file = JournalFile(directory, stack_file.project, stack_file.reference, backend)
        schedule = Schedule(interval)
        telemetry = Telemetry(stack_file.reference, schedule.longest())
        with ExitStack() as held:
            if not held.enter_context(journal_file.locked()):
                _say(f"Another `uss watch` has the stack {stack_file.reference}: it does the work.")
                raise click.exceptions.Exit(0 if once else 1)
            watcher = Watcher(Reader(stack_file, backend, _say), journal_file, runner, telemetry, _say)
            held.enter_context(_stopped_by_signals(watcher))
            if listen:
                held.enter_context(serving(telemetry, *listen))
            if once:
                raise click.exceptions.Exit(0 if watcher.look() else 1)
            _say(f"Watching the stack {stack_file.reference}, each {interval:g} s.")
            watcher.watch(schedule)
            _say("Stopped.")


@contextmanager
def _stopped_by_signals(watcher: Watcher) -> Iterator[None]:
    """SIGTERM reaches this process alone, and is passed on to the engine; Ctrl-C reaches the engine by itself, and a
    second interrupt would end it at once.
    """
    handlers = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: watcher.stop(interrupt=True)),
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: watcher.stop(interrupt=False)),
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    """A moment in UTC before each line, so that a log can be searched for either."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    click.echo("".join(f"{now} {line}\n" for line in text.splitlines()), nl=False)
