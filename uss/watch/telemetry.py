"""What the watch tells a Prometheus server and a health check. Names of configurations are in it, and no record's."""

from __future__ import annotations

import time
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

from uss.planning.plan import Mode
from uss.report.document import ConfigurationDocument, PlanDocument
from uss.watch.journal import Journal

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
_GRACE = 900.0
"""Seconds over the longest wait after which the loop counts as stuck: more than reading the vault can take."""


class Telemetry:
    """The metrics of one stack's watch, and whether its loop still goes round."""

    def __init__(self, stack: str, longest_wait: float) -> None:
        """`longest_wait` is the most seconds that the loop waits between two looks."""
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Info("uss_watch", "What is watched, and by which version.", registry=registry).info(
            {"stack": stack, "version": version("uss")}
        )
        self._looks = Counter("uss_watch_looks", "Looks at Keeper.", ["result"], registry=registry)
        self._look_seconds = Histogram(
            "uss_watch_look_seconds", "How long looks took.", buckets=_SECONDS, registry=registry
        )
        self._runs = Counter("uss_watch_runs", "Runs of Pulumi.", ["command", "result"], registry=registry)
        self._run_seconds = Histogram(
            "uss_watch_run_seconds", "How long runs took.", ["command"], buckets=_SECONDS, registry=registry
        )
        self._failures = Gauge("uss_watch_failures_in_a_row", "Failures since all was well.", registry=registry)
        self._success = Gauge(
            "uss_watch_last_success_timestamp_seconds",
            "When the cloud was last found or brought in step with Keeper.",
            registry=registry,
        )
        self._records = Gauge(
            "uss_watch_records", "Records of the last run.", ["configuration", "change"], registry=registry
        )
        self._held = Gauge("uss_watch_held_changes", "Changes that dryRun holds.", ["configuration"], registry=registry)
        self._pending_since: float | None = None
        age = "Seconds since the oldest change was seen that is not applied; 0: none."
        Gauge("uss_watch_oldest_unsynced_change_age_seconds", age, registry=registry).set_function(self._age)
        self._stuck_after = longest_wait + _GRACE
        self._beat: float | None = time.monotonic()

    def looked(self, result: str, seconds: float) -> None:
        """Count a look."""
        self._looks.labels(result).inc()
        self._look_seconds.observe(seconds)

    def ran(self, command: str, result: str, seconds: float) -> None:
        """Count a run of Pulumi."""
        self._runs.labels(command, result).inc()
        self._run_seconds.labels(command).observe(seconds)

    def planned(self, document: PlanDocument) -> None:
        """Take over what the last run had to do; a configuration that is no longer there is forgotten."""
        self._records.clear()
        self._held.clear()
        for part in document.configurations:
            for change, count in part.counts.items():
                self._records.labels(part.name, change).set(count)
            self._held.labels(part.name).set(_held(part))

    def remembered(self, journal: Journal) -> None:
        """Take over what the journal says."""
        self._pending_since = journal.pending_since
        self._success.set(journal.succeeded or 0)

    def went(self, failures: int) -> None:
        """Take over how many failures there were in a row."""
        self._failures.set(failures)

    def working(self) -> None:
        """An update begins, which may take as long as it takes."""
        self._beat = None

    def beat(self) -> None:
        """The loop goes round."""
        self._beat = time.monotonic()

    def alive(self) -> bool:
        """Whether the loop goes round. Keeper or a cloud may be away for as long as they are: that is no reason to
        restart the watch.
        """
        beat = self._beat
        return beat is None or time.monotonic() - beat < self._stuck_after

    def _age(self) -> float:
        return max(time.time() - self._pending_since, 0) if self._pending_since else 0


def _held(part: ConfigurationDocument) -> int:
    return len(part.changes) if part.mode == Mode.HOLD else 0
