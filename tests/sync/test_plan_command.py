"""`uss plan` on the real engine: what happens to which record and why, in the three forms, and no value."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from tests.leaks import leaks
from tests.sync.harness import Project, Sandbox, login, password, uid, vault
from uss.sandbox.faults import Fault, FaultKind

CANARY = "canary-of-the-plan"


def data(project: Project, *arguments: str, code: int = 0) -> Any:
    """The plan as data."""
    run = project.uss("plan", "--json", *arguments)
    assert run.code == code, run.output
    assert leaks(run.output, CANARY) == {}
    return json.loads(run.answer)


def changes(plan: Any, configuration: int = 0) -> dict[str, str]:
    """What happens, by record."""
    return {line["record"]: line["change"] for line in plan["configurations"][configuration]["records"]}


def test_each_record_is_told_with_its_change_and_why(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(*(login(uid(n), f"Secret {n}", f"{CANARY}-{n}") for n in range(1, 6))))
    first = data(project, "--detailed-exitcode", code=2)
    assert changes(first) == {uid(n): "create" for n in range(1, 6)}
    assert first["configurations"][0]["counts"] == {"create": 5}
    project.up_well()
    assert data(project, "--detailed-exitcode")["resources"].keys() == {"same"}

    def edit(records: dict[str, Any]) -> None:
        records[uid(1)]["fields"][1]["value"] = [f"{CANARY}-new"]
        records[uid(2)]["title"] = "Renamed"
        records[uid(3)]["title"] = "not: legal"
        del records[uid(4)]
        records[uid(6)] = login(uid(6), "Sixth | <b>@all</b>", CANARY)
        records[uid(7)] = login(uid(7), "Seventh", CANARY)

    sandbox.edit(edit)
    plan = data(project, "--detailed-exitcode", code=2)
    told = {uid(1): "value", uid(2): "rename", uid(3): "refused", uid(4): "delete", uid(5): "unchanged"}
    assert changes(plan) == told | {uid(6): "refused", uid(7): "create"}
    lines = {line["record"]: line for line in plan["configurations"][0]["records"]}
    assert lines[uid(2)]["why"] == f"the record was retitled: until now it is {project.prefix}Secret-2"
    assert "Its secret stays as it is." in lines[uid(3)]["why"]
    assert "Retitle the record" in lines[uid(3)]["mend"]
    assert plan["resources"]["create"] > 0

    text = project.uss("plan")
    assert text.code == 0
    assert f'  value      {project.prefix}Secret-1  (record "Secret 1", {uid(1)}): the record\'s value changed' in text
    comment = project.uss("plan", "--markdown").answer
    assert comment.startswith("### Secrets sync: stack <code>test</code>\n\n**4 to change**, 2 refused.\n")
    assert "@all" not in comment
    assert leaks(text.output + comment, CANARY) == {}


def test_a_held_configuration_tells_what_approves_it(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "First", CANARY)))
    project.configure({"dryRun": True})
    (part,) = data(project, "--detailed-exitcode", code=2)["configurations"]
    assert (part["mode"], part["approved"]) == ("hold", False)
    approvals = project.folder / "approvals"
    assert f"to apply exactly this: {part['approval']} pulumi up" in project.uss("plan", "--approvals", str(approvals))
    approved = approvals.read_text(encoding="utf-8")
    assert part["approval"] == f"USS_APPROVE={approved}"
    assert project.uss("plan", "--json", USS_APPROVE=approved).answer.count('"approved": true') == 1
    project.up_well(USS_APPROVE=approved)
    assert data(project, "--detailed-exitcode", "--approvals", str(approvals))["configurations"][0]["approval"] == ""
    assert approvals.read_text(encoding="utf-8") == ""


def test_a_stopped_run_prints_its_plan_and_why(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(*(login(uid(n), f"Secret {n}", CANARY) for n in range(12))))
    project.up_well()
    sandbox.write_vault(vault(login(uid(0), "Secret 0", CANARY)))
    plan = data(project, code=1)
    assert "would delete 11 of 12" in plan["stopped"]
    assert plan["configurations"][0]["counts"] == {"unchanged": 1, "delete": 11}
    approvals = project.folder / "approvals"
    run = project.uss("plan", "--markdown", "--approvals", str(approvals))
    assert run.code == 1
    assert "> **Stopped:** " in run.answer
    project.up_well(USS_APPROVE=approvals.read_text(encoding="utf-8"))
    assert project.secrets() == {"Secret-0": password(CANARY)}


def test_a_failure_before_any_plan_is_told(project: Project, sandbox: Sandbox) -> None:
    sandbox.control.add_fault(Fault("keeper", "get_secret", FaultKind.DENIED))
    plan = data(project, code=1)
    assert plan["configurations"] == []
    assert "Keeper" in plan["stopped"]


def test_what_was_changed_in_the_cloud_is_told_with_refresh(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "First", CANARY)))
    project.up_well()
    with closing(sandbox.aws()) as client:
        client.untag_resource(SecretId=f"{project.prefix}First", TagKeys=["source"])
    assert changes(data(project)) == {uid(1): "unchanged"}
    plan = data(project, "--refresh", "--detailed-exitcode", code=2)
    (line,) = plan["configurations"][0]["records"]
    assert line["change"] == "drift"
    assert "update of Secret" in line["why"]


def test_the_stack_that_the_user_has_selected_stays_selected(project: Project, tmp_path: Any) -> None:
    project.stack = "other"
    project.init()
    project.configure()
    selected = project._run("stack", "--show-name")
    project.stack = "test"
    assert data(project)["stack"] == "test"
    assert selected.answer.strip() == "other"
    assert project._run("stack", "--show-name").answer.strip() == "other"


@pytest.mark.parametrize("variable", ["PATH", "PULUMI_BACKEND_URL"])
def test_an_engine_that_cannot_be_reached_is_told(project: Project, variable: str, tmp_path: Any) -> None:
    run = project.uss("plan", **{variable: f"file://{tmp_path}/nowhere"})
    assert run.code == 1
    assert "Traceback" not in run
    assert ("`pulumi` is not on the PATH" if variable == "PATH" else "The stack test cannot be reached.") in run
