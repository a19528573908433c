"""What is measured: each scene makes its own sandbox and returns figures."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, chdir
from functools import partial
from unittest.mock import patch

from bench.figures import Figure, figure
from bench.measuring import Samples, in_turns, measure
from bench.rivals import (
    EMPTY,
    FLOOR,
    OURS,
    PLAIN,
    cloud,
    delay,
    ksm_sync,
    project,
    synced,
    until_readable,
    well,
    without_engine_log,
)
from bench.vaults import changed, title, value, vault_of
from tests.sync.harness import ONE_CHECKPOINT, PARALLEL_DIFFS, Project, Sandbox

RECORDS = 1000
SLOW = 0.04
"""Seconds that a cloud's call takes longer, in the scenes with a delay."""
RUNS = 3
_PLAIN, _FLOOR, _KSM = "the plain loop", "bare registrations", "`ksm sync`"


def startup() -> list[Figure]:
    """`pulumi preview` where nothing is to be declared."""
    with cloud(0) as sandbox:
        ours, empty = project(OURS, sandbox), project(EMPTY, sandbox)
        ours.write_configurations([])
        mine, other = in_turns(5, [lambda: well(ours.preview()), lambda: well(empty.preview())])
    what, against = "`pulumi preview` of an empty configuration", "an empty Pulumi program"
    return [figure("start", what, mine.median, against, other.median, reach=1.2, runs=5)]


def reading() -> list[Figure]:
    """Reading the vault, and a look of `uss watch`, against the SDK's own call."""
    from bench.looks import both, look, read, sdk

    figures = []
    with cloud(RECORDS) as sandbox:
        ours = project(OURS, sandbox)
        with chdir(ours.folder), patch.dict(os.environ, ours.environment):
            bare, with_folders, mine, watching = in_turns(15, [sdk(), both(), read(), look()])
    secrets, folders_too = "`get_secrets`", "`get_secrets` and `get_folders`"
    for name, what, samples, against, other, reach in (
        ("read", "reading the vault", mine, secrets, bare, 1.1),
        ("read_both", "reading the vault", mine, folders_too, with_folders, None),
        ("look", "a look of `uss watch` at an unchanged vault", watching, secrets, bare, 1.2),
        ("look_both", "a look of `uss watch` at an unchanged vault", watching, folders_too, with_folders, None),
    ):
        text = f"{what}, {RECORDS:,} records"
        figures.append(figure(name, text, samples.median, against, other.median, reach=reach, runs=15))
    return figures


def previews() -> list[Figure]:
    """`pulumi preview` with no change, and one changed record."""
    figures = []
    for records in (100, RECORDS):
        with cloud(records) as sandbox:
            stacks = [synced(project(kind, sandbox)) for kind in (OURS, PLAIN, FLOOR)]
            mine, compared = _previews(stacks, f"preview_{records}", f"{records:,} records", records == RECORDS)
            figures += compared
            if records == RECORDS:
                what = f"{records:,} records, diffs in parallel"
                figures += _previews(stacks, f"preview_{records}_parallel", what, True, **PARALLEL_DIFFS)[1]
                with without_engine_log(sandbox):
                    what = f"{records:,} records, without the engine's log"
                    figures += _previews(stacks, f"preview_{records}_unlogged", what, True)[1]
            change = _changes(sandbox, stacks[0], records)
            what = f"one changed record of {records:,}, from Keeper to readable in AWS"
            asked = 1.2 if records == RECORDS else None
            figures.append(
                figure(f"change_{records}", what, change.median, "its preview", mine.median, reach=asked, runs=RUNS)
            )
    return figures


def _previews(
    stacks: Sequence[Project], name: str, where: str, asked: bool, **environment: str
) -> tuple[Samples, list[Figure]]:
    """Those of the sync, and how they compare with the others'."""
    mine, plain, floor = in_turns(RUNS, [partial(_preview, stack, **environment) for stack in stacks])
    what = f"`pulumi preview` with no change, {where}"
    return mine, [
        figure(f"{name}_{other}", what, mine.median, words, samples.median, reach=reach if asked else None, runs=RUNS)
        for other, words, samples, reach in (("plain", _PLAIN, plain, 0.5), ("floor", _FLOOR, floor, 1.3))
    ]


def first_ups() -> list[Figure]:
    """The first `pulumi up`, with the engine's default checkpoints and with one at the end."""
    runs = 2
    with cloud(RECORDS) as sandbox:
        fast, plain_fast = in_turns(RUNS, [_up(OURS, sandbox, ONE_CHECKPOINT), _up(PLAIN, sandbox, ONE_CHECKPOINT)])
        mine, plain = in_turns(runs, [_up(OURS, sandbox, {}), _up(PLAIN, sandbox, {})])
    what = f"first `pulumi up`, {RECORDS:,} records"
    return [
        figure("up", what, mine.median, _PLAIN, plain.median, reach=0.85, runs=runs),
        figure("up_fast", f"{what}, one checkpoint", fast.median, _PLAIN, plain.median, reach=0.3, runs=runs),
        figure(
            "up_both_fast",
            f"{what}, one checkpoint",
            fast.median,
            f"{_PLAIN}, too",
            plain_fast.median,
            reach=None,
            runs=RUNS,
        ),
    ]


def delayed() -> list[Figure]:
    """Against `ksm sync`, where each call of the cloud takes 40 ms longer."""
    with cloud(RECORDS) as sandbox, delay(sandbox, SLOW):
        fast, kept = in_turns(1, [_up(OURS, sandbox, ONE_CHECKPOINT), lambda: ksm_sync(sandbox, "ksm/", dry_run=False)])
        ours = synced(project(OURS, sandbox))
        preview, dry = in_turns(RUNS, [partial(_preview, ours), lambda: ksm_sync(sandbox, "ksm/", dry_run=True)])
        with without_engine_log(sandbox):
            (unlogged,) = in_turns(RUNS, [partial(_preview, ours)])
    where = f"{RECORDS:,} records, 40 ms a call"
    dry_run = f"{_KSM} `--dry-run`"
    return [
        figure(
            "preview_ksm",
            f"`pulumi preview` with no change, {where}",
            preview.median,
            dry_run,
            dry.median,
            reach=0.3,
            runs=RUNS,
        ),
        figure(
            "preview_ksm_unlogged",
            f"`pulumi preview` with no change, {where}, without the engine's log",
            unlogged.median,
            dry_run,
            dry.median,
            reach=0.3,
            runs=RUNS,
        ),
        figure(
            "up_ksm", f"first `pulumi up`, {where}, one checkpoint", fast.median, _KSM, kept.median, reach=0.5, runs=1
        ),
    ]


def growth() -> list[Figure]:
    """5,000 records against 1,000: time, and the program's memory."""
    sizes = {}
    for records in (RECORDS, 5 * RECORDS):
        up, preview = Samples(), Samples()
        with cloud(records) as sandbox:
            ours = project(OURS, sandbox)
            measure(up, partial(synced, ours))
            for _ in range(2):
                measure(preview, partial(_preview, ours))
        sizes[records] = (up, preview)
    (up, preview), (large_up, large_preview) = sizes.values()
    memory = max(large_up.megabytes, large_preview.megabytes)
    small = f"{RECORDS:,} records"
    large = f"{5 * RECORDS:,} records"
    return [
        figure(
            "growth_preview",
            f"`pulumi preview` with no change, {large}",
            large_preview.median,
            small,
            preview.median,
            reach=5.5,
            runs=2,
        ),
        figure(
            "growth_up",
            f"first `pulumi up`, {large}, one checkpoint",
            large_up.median,
            small,
            up.median,
            reach=5.5,
            runs=1,
        ),
        figure(
            "memory", f"the program's most memory, {large}", memory, "a bound", 400.0, reach=1.0, runs=3, unit="MiB"
        ),
    ]


def estate() -> list[Figure]:
    """First syncs of 20 stacks of 500 records, as many at a time as there are cores, against one after the other."""
    stacks, each = 20, 500
    alone, together = Samples(), Samples()
    with ExitStack() as running:
        # An account each, as an estate has them: the stand-in for AWS goes through all its secrets at every call.
        first, *ours = [project(OURS, running.enter_context(cloud(each))) for _ in range(1 + stacks)]
        measure(alone, partial(synced, first))

        def all_of_them() -> None:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(synced, ours))

        measure(together, all_of_them)
    what = f"first `pulumi up` of {stacks} stacks of {each} records, one checkpoint"
    return [figure("estate", what, together.median, "one after the other", stacks * alone.median, reach=None, runs=1)]


def _preview(stack: Project, **environment: str) -> None:
    run = well(stack.preview(**environment))
    if "to create" in run or "to update" in run:
        raise SystemExit(f"There was a change to preview:\n{run.output[-2000:]}")


def _up(kind: str, sandbox: Sandbox, environment: Mapping[str, str]) -> Callable[[], Project]:
    """Prepared outside the measurement: the stacks of all runs."""
    fresh = [project(kind, sandbox) for _ in range(RUNS)]
    return lambda: synced(fresh.pop(), environment)


def _changes(sandbox: Sandbox, stack: Project, records: int) -> Samples:
    samples = Samples()
    content = vault_of(records)
    for number in range(RUNS):
        edition = f"edition {number}"
        content = changed(content, number, edition)
        sandbox.write_vault(content)
        runs: list[subprocess.Popen[bytes]] = []
        measure(samples, partial(_change, runs, stack, number, edition))
        if runs[0].wait():
            raise SystemExit("A measured run failed after its change was readable.")
    return samples


def _change(runs: list[subprocess.Popen[bytes]], stack: Project, number: int, edition: str) -> None:
    runs.append(until_readable(stack, title(number), value(number, edition)))


SCENES = {
    scene.__name__.replace("_", "-"): scene
    for scene in (startup, reading, previews, delayed, growth, first_ups, estate)
}
