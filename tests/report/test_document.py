"""The plan as data: what happens to which record and why, and no value."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import configuration, held, plan, record
from tests.leaks import leaks
from uss.keeper import Field
from uss.planning.plan import Plan
from uss.report.document import (
    REMOVED,
    VARIABLE,
    ConfigurationDocument,
    PlanDocument,
    hand_over,
    hand_over_stop,
    taken_over,
)

CANARY = "canary-of-the-document"


def mixed() -> Plan:
    records = [
        record("R1", "New One", Field("password", "", (CANARY,))),
        record("R2", "changed", Field("password", "", (CANARY,)), attachments=("a.txt",)),
        record("R3", "after"),
        record("R4", "again"),
        record("R5", "same"),
        record("R6", "bad: title"),
    ]
    state = [
        held("R2", "changed", "old"),
        held("R3", "before"),
        held("R0", "again"),
        held("R5", "same"),
        held("R6", "good"),
        held("R9", "gone"),
        held("RX", "left", owner="old"),
    ]
    return plan(records, state)


def test_every_record_has_its_change_and_why() -> None:
    aws, old = PlanDocument.of(mixed()).configurations
    told = {line.record: (line.change, line.name, line.why.partition(";")[0]) for line in aws.records}
    assert told.pop("R6")[:2] == ("refused", "")
    assert told == {
        "R1": ("create", "New-One", "there is no secret of this record yet"),
        "R2": ("value", "changed", "the record's value changed"),
        "R3": ("rename", "after", "the record was retitled: until now it is before"),
        "R4": ("take over", "again", "the record replaces R0, which has left"),
        "R5": ("unchanged", "same", ""),
        "R9": ("delete", "gone", "the record has left"),
    }
    assert aws.warnings == ('not synced: attachments of "changed": "a.txt"',)
    assert (old.mode, old.counts, old.cloud) == (REMOVED, {"delete": 1}, None)


def test_a_refused_record_tells_the_mend_and_that_its_secret_stays() -> None:
    (line,) = PlanDocument.of(mixed()).configurations[0].refused
    assert "illegal name" in line.why
    assert line.why.endswith("Its secret stays as it is.")
    assert line.mend.startswith("Retitle the record")


def test_nothing_is_to_be_done_with_what_is_unchanged_refused_or_kept() -> None:
    records = [record("R5", "same"), record("R6", "bad: title")]
    quiet = plan(
        records,
        [held("R5", "same"), held("R7", "off", owner="off")],
        configuration(),
        configuration(name="off", enabled=False),
    )
    document = PlanDocument.of(quiet)
    assert not document.changes
    assert document.configurations[1].counts == {"kept": 1}
    assert PlanDocument.of(mixed()).changes


def test_what_is_let_go_of_is_no_deletion() -> None:
    (old,) = PlanDocument.of(plan([], [held("R1", "x", owner="old")], retaining=["old"])).configurations[1:]
    assert old.counts == {"release": 1}


def test_it_holds_no_value() -> None:
    assert leaks(PlanDocument.of(mixed()).model_dump_json(), CANARY) == {}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "plan.json"
    path.touch()
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def test_what_is_handed_over_arrives_whole_with_titles_that_are_no_text(file: Path) -> None:
    planned = plan([record("R1", "lone \ud800 surrogate <{%fg 1%}>")])
    document = PlanDocument.of(planned)
    hand_over(planned)
    assert taken_over(file) == document
    hand_over_stop("a guard \ud800", approvable=True)
    stopped = taken_over(file)
    assert stopped is not None
    assert (stopped.configurations, stopped.stopped) == (document.configurations, "a guard \\ud800")


def test_a_run_that_stops_before_its_plan_hands_over_why(file: Path) -> None:
    assert taken_over(file) is None
    hand_over_stop("Keeper is away", approvable=False)
    assert taken_over(file) == PlanDocument(stopped="Keeper is away")


def test_an_approval_of_a_stopped_plan_is_of_all_of_it_and_only_where_one_helps() -> None:
    parts = (
        ConfigurationDocument(name="a", cloud="aws", mode="sync", digest="1"),
        ConfigurationDocument(name="b", cloud="aws", mode="hold", digest="2"),
        ConfigurationDocument(name="c", cloud="aws", mode="hold"),
    )
    document = PlanDocument(configurations=parts)
    assert document.approvals == "b=2"
    assert document.model_copy(update={"stopped": "Keeper is away"}).approvals == ""
    assert document.model_copy(update={"stopped": "many", "approvable": True}).approvals == "a=1,b=2"


def test_nothing_is_written_unless_it_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    hand_over(plan([]))
    hand_over_stop("x", approvable=False)
    assert list(tmp_path.iterdir()) == []
