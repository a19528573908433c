"""The plan in lines for a terminal."""

from __future__ import annotations

from tests.builders import configuration, held, plan, record
from uss.planning.approval import approve, with_digests
from uss.report.document import PlanDocument
from uss.report.text import lines

KEY = b"key"


def test_changes_are_listed_by_kind_and_what_stays_is_counted() -> None:
    records = [record("R1", "New One"), record("R2", "same"), record("R3", "bad: title"), record("R4", "a new one")]
    text = lines(PlanDocument.of(plan(records, [held("R2", "same"), held("R9", "gone")])))
    assert text[0] == "aws (aws): 2 create, 1 delete, 1 refused, 1 unchanged"
    assert [line.split()[:2] for line in text[1:]] == [
        ["create", "New-One"],
        ["create", "a-new-one"],
        ["delete", "gone"],
        ["refused", "record"],
    ]


def test_what_a_run_does_with_the_plan_is_said() -> None:
    held_plan = with_digests(plan([record()], [], configuration(dry_run=True)), KEY)
    digest = held_plan.configurations[0].digest
    text = lines(PlanDocument.of(held_plan))
    assert "Held, because dryRun is true" in text[1]
    assert text[-1] == f"  to apply exactly this: USS_APPROVE=aws={digest} pulumi up"
    idle = plan([record()], [held("R1", "Orders")], configuration(dry_run=True))
    assert "nothing is to be done" in lines(PlanDocument.of(idle))[1]
    text = lines(PlanDocument.of(approve(held_plan, {"aws": digest})))
    assert "Approved" in text[1]
    assert "to apply exactly this" not in text[-1]
    text = lines(PlanDocument.of(plan([], [held("R1", "x", owner="old")], configuration(name="off", enabled=False))))
    assert text[:2] == ["off: no records", "  Disabled: everything stays as it is."]
    assert text[3] == "  No longer in the stack file."


def test_titles_cannot_break_a_line() -> None:
    text = lines(PlanDocument.of(plan([record("R1", "a\nb")])))
    assert any("a\\nb" in line for line in text)
    assert not any("\n" in line for line in text)
