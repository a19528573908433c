"""Drift: what the engine changes although the plan does not."""

from __future__ import annotations

from tests.builders import held, plan, record
from uss.automation.drift import with_drift
from uss.automation.runs import Operation
from uss.clouds.aws import SECRET, VERSION
from uss.report.document import PlanDocument


def document(*operations: Operation) -> PlanDocument:
    records = [record("R1", "one"), record("R2", "two"), record("R3", "bad: title")]
    return with_drift(PlanDocument.of(plan(records, [held("R1", "one"), held("R2", "two", "old")])), operations)


def test_a_record_that_the_plan_leaves_and_the_engine_changes_has_drifted() -> None:
    lines = document(
        Operation("aws/R1", SECRET, "update", ("tags", "description")), Operation("aws/R1@eu-west-1", VERSION, "create")
    )
    (line,) = (line for line in lines.configurations[0].records if line.record == "R1")
    assert line.change == "drift"
    assert line.why.endswith(": create of SecretVersion; update of Secret (tags, description)")


def test_what_the_plan_changes_keeps_its_own_reason() -> None:
    changed = document(Operation("aws/R2", VERSION, "replace"))
    assert changed == document()


def test_resources_that_are_no_records_are_nobodys_drift() -> None:
    assert document(Operation("aws", "pulumi:providers:aws", "update"), Operation("other/R1", SECRET, "update")) == (
        document()
    )
