"""The watch's decisions, with a vault and runs that follow a script; tests/sync/test_watch.py has the real ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from uss.automation.runs import Run
from uss.errors import VaultUnavailableError
from uss.report.document import ConfigurationDocument, PlanDocument, RecordLine
from uss.watch.journal import JournalFile
from uss.watch.reading import Reading
from uss.watch.schedule import Schedule
from uss.watch.telemetry import Telemetry
from uss.watch.watcher import Watcher

OK = Run(ok=True, resources={"create": 1})
BAD = Run(ok=False, problem="The cloud said no. Ask again.")


@dataclass
class Scripted:
    """A vault and an engine: what they answer next, and what was asked of the engine."""

    reading: Reading | Exception
    answers: dict[str, Run] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    interrupted: int = 0

    def read(self) -> Reading:
        """The vault as the script has it."""
        if isinstance(self.reading, Exception):
            raise self.reading
        return self.reading

    def up(self) -> Run:
        """An update."""
        self.asked.append("up")
        return self.answers.get("up", OK)

    def preview(self) -> Run:
        """A preview."""
        self.asked.append("preview")
        return self.answers.get("preview", OK)

    def interrupt(self) -> None:
        """An interrupt."""
        self.interrupted += 1

    def news(self) -> list[str]:
        """What was asked since the last time."""
        asked, self.asked = self.asked, []
        return asked


@pytest.fixture
def script() -> Scripted:
    """One vault."""
    return Scripted(Reading("a", {}))


@pytest.fixture
def said() -> list[str]:
    """What the watch says."""
    return []


@pytest.fixture
def telemetry() -> Telemetry:
    """Its metrics."""
    return Telemetry("test", 60)


@pytest.fixture
def watcher(script: Scripted, said: list[str], telemetry: Telemetry, tmp_path: Path) -> Iterator[Watcher]:
    """A watch that has done nothing yet."""
    yield watcher_of(script, said, telemetry, tmp_path)


def watcher_of(script: Scripted, said: list[str], telemetry: Telemetry, tmp_path: Path) -> Watcher:
    """A watch, with the journal in the folder."""
    return Watcher(script, JournalFile(tmp_path, "uss", "test", "b"), script, telemetry, said.append)


def gauge(telemetry: Telemetry, name: str, **labels: str) -> float:
    """A metric."""
    return telemetry.registry.get_sample_value(name, labels) or 0


def test_an_update_runs_once_for_each_change(watcher: Watcher, script: Scripted) -> None:
    assert [watcher.look(), watcher.look()] == [True, True]
    assert script.news() == ["up"]
    script.reading = Reading("b", {})
    watcher.look()
    watcher.look()
    assert script.news() == ["up"]


def test_what_was_applied_is_remembered_over_a_restart(
    watcher: Watcher, script: Scripted, said: list[str], telemetry: Telemetry, tmp_path: Path
) -> None:
    watcher.look()
    script.news()
    assert watcher_of(script, said, telemetry, tmp_path).look()
    assert script.news() == []


def test_after_a_failed_update_nothing_counts_as_applied(
    watcher: Watcher, script: Scripted, said: list[str], telemetry: Telemetry, tmp_path: Path
) -> None:
    watcher.look()
    script.reading, script.answers["up"] = Reading("b", {}), BAD
    assert not watcher.look()
    script.reading, script.answers = Reading("a", {}), {}
    script.news()
    assert watcher_of(script, said, telemetry, tmp_path).look()
    assert script.news() == ["up"]


def test_a_held_configuration_is_previewed_once_for_each_change(watcher: Watcher, script: Scripted) -> None:
    script.reading = Reading("a", {"held": "1"})
    watcher.look()
    watcher.look()
    assert script.news() == ["up", "preview"]
    script.reading = Reading("a", {"held": "2"})
    watcher.look()
    watcher.look()
    assert script.news() == ["preview"]


def test_a_preview_that_failed_is_run_again(watcher: Watcher, script: Scripted) -> None:
    script.reading, script.answers["preview"] = Reading("a", {"held": "1"}), BAD
    assert not watcher.look()
    del script.answers["preview"]
    script.news()
    assert watcher.look()
    assert script.news() == ["preview"]


def test_a_problem_is_told_whole_once_and_then_in_short(watcher: Watcher, script: Scripted, said: list[str]) -> None:
    script.answers["up"] = BAD
    for _ in range(3):
        watcher.look()
    assert said == [
        "Failed (1 in a row): The cloud said no. Ask again.",
        "Failed (2 in a row): Still: The cloud said no.",
        "Failed (3 in a row): Still: The cloud said no.",
    ]
    script.reading = VaultUnavailableError("Keeper is away.")
    watcher.look()
    assert said[-1] == "Failed (4 in a row): Keeper is away."
    script.reading, script.answers = Reading("a", {}), {}
    watcher.look()
    assert said[-1] == "All is well again, after 4 failures."


def test_the_age_of_a_change_counts_from_when_it_was_first_seen(
    watcher: Watcher, script: Scripted, said: list[str], telemetry: Telemetry, tmp_path: Path
) -> None:
    script.answers["up"] = BAD
    watcher.look()
    time.sleep(0.05)
    again = watcher_of(script, said, telemetry, tmp_path)
    again.look()
    age = gauge(telemetry, "uss_watch_oldest_unsynced_change_age_seconds")
    assert 0.05 <= age < 10
    script.answers = {}
    again.look()
    assert gauge(telemetry, "uss_watch_oldest_unsynced_change_age_seconds") == 0


def test_runs_and_looks_are_counted_by_their_ends(watcher: Watcher, script: Scripted, telemetry: Telemetry) -> None:
    script.answers["up"] = Run(ok=False, busy=True, problem="busy")
    watcher.look()
    script.answers["up"] = Run(ok=False, document=PlanDocument(stopped="stop"), problem="stop")
    watcher.look()
    script.answers["up"] = BAD
    watcher.look()
    script.answers["up"] = OK
    watcher.look()
    watcher.look()
    for result in ("busy", "stopped", "failed", "ok"):
        assert gauge(telemetry, "uss_watch_runs_total", command="up", result=result) == 1
    assert gauge(telemetry, "uss_watch_looks_total", result="changed") == 4
    assert gauge(telemetry, "uss_watch_looks_total", result="unchanged") == 1
    assert gauge(telemetry, "uss_watch_last_success_timestamp_seconds") == pytest.approx(time.time(), abs=10)


def test_the_last_plan_is_counted_and_shown_once(
    watcher: Watcher, script: Scripted, said: list[str], telemetry: Telemetry
) -> None:
    records = (RecordLine(record="R1", title="First", change="refused", why="illegal name.", mend="Retitle it."),)
    part = ConfigurationDocument(name="aws", cloud="aws", mode="sync", records=records)
    script.answers["up"] = Run(ok=False, document=PlanDocument(configurations=(part,)), problem="The cloud said no.")
    watcher.look()
    watcher.look()
    assert gauge(telemetry, "uss_watch_records", configuration="aws", change="refused") == 1
    assert "\n".join(said).count('"First"') == 1


@pytest.mark.parametrize("digest", ["", "0123456789ab"])
def test_what_is_held_is_told_where_something_is_held(
    watcher: Watcher, script: Scripted, said: list[str], digest: str
) -> None:
    part = ConfigurationDocument(name="aws", cloud="aws", mode="hold", digest=digest)
    script.reading = Reading("a", {"aws": "1"})
    script.answers["preview"] = Run(ok=True, document=PlanDocument(configurations=(part,)))
    assert watcher.look()
    assert ("Held, and not applied: aws." in "\n".join(said)) is bool(digest)


def test_a_stop_wakes_the_watch_and_reaches_the_run(watcher: Watcher, script: Scripted) -> None:
    thread = threading.Thread(target=watcher.watch, args=(Schedule(3600),))
    thread.start()
    while not script.asked:
        time.sleep(0.01)
    watcher.stop(interrupt=True)
    thread.join(10)
    assert not thread.is_alive()
    assert script.interrupted == 1


def test_a_run_that_was_stopped_is_no_failure(
    watcher: Watcher, script: Scripted, said: list[str], telemetry: Telemetry
) -> None:
    script.answers["up"] = BAD
    watcher.stop(interrupt=False)
    watcher.look()
    assert said == ["Stopped in the middle of a run; the next watch goes on from there."]
    assert gauge(telemetry, "uss_watch_failures_in_a_row") == 0
