"""How long something takes, and how much memory the Pulumi program took meanwhile."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

_PROGRAM = "pulumi-language-python-exec"
_INTERVAL = 0.25


@dataclass
class Samples:
    """What several runs of one thing took."""

    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    """The most memory that the Pulumi program held in any of them, in units of 1024 * 1024 bytes."""

    @property
    def median(self) -> float:
        """The median in seconds."""
        return statistics.median(self.seconds)


def measure(samples: Samples, work: Callable[[], object]) -> None:
    """Do it once, and add what it took."""
    with _peak() as peak:
        started = time.perf_counter()
        work()
        samples.seconds.append(time.perf_counter() - started)
    samples.megabytes = max(samples.megabytes, peak[0])


def in_turns(runs: int, works: Sequence[Callable[[], object]]) -> list[Samples]:
    """Do each several times, by turns: what else the machine does meets all of them."""
    samples = [Samples() for _ in works]
    for _ in range(runs):
        for sample, work in zip(samples, works, strict=True):
            measure(sample, work)
    return samples


@contextmanager
def _peak() -> Iterator[list[float]]:
    """The list gets the most that the program held by the end of the block."""
    seen = [0.0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_INTERVAL):
            seen[0] = max(seen[0], *map(_memory, psutil.Process().children(recursive=True)), 0.0)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _memory(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        if any(_PROGRAM in part for part in process.cmdline()):
            return process.memory_info().rss / 1024**2
    return 0.0
