"""`uss watch` on the real engine: changes arrive by themselves, and what goes wrong is outlived."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import leaking_files, leaks
from tests.sync.harness import Project, Sandbox, login, password, uid, vault
from tests.sync.watching import watching
from uss.sandbox.faults import Fault, FaultKind

CANARY = "canary-of-the-watch"


def set_password(value: str, number: int = 1) -> Any:
    """An edit of the vault: a record's new password."""

    def edit(records: dict[str, Any]) -> None:
        records[uid(number)]["fields"][1]["value"] = [value]

    return edit


@pytest.fixture
def one_record(sandbox: Sandbox) -> None:
    """A vault with one record."""
    sandbox.write_vault(vault(login(uid(1), "First", CANARY)))


@pytest.mark.usefixtures("one_record")
def test_a_change_arrives_and_an_unchanged_vault_starts_nothing(project: Project, sandbox: Sandbox) -> None:
    with watching(project) as watch:
        watch.says("`pulumi up` ended well")
        assert project.secrets() == {"First": password(CANARY)}
        assert watch.metric("uss_watch_oldest_unsynced_change_age_seconds") == 0
        before = watch.runs()
        sandbox.control.reset_calls()
        watch.looks(3)
        assert watch.runs() == before
        assert sandbox.calls() == {}
        sandbox.edit(set_password(f"{CANARY}-2"))
        watch.says("`pulumi up` ended well", times=2)
        assert project.secrets() == {"First": password(f"{CANARY}-2")}
        assert watch.metric("uss_watch_runs_total", command="up", result="ok") == 2
        assert watch.get("/healthz") == (200, "ok\n")
        text = watch.text + watch.get("/metrics")[1]
        assert watch.ends() == 0
    assert "  value      " in text
    assert leaks(text, CANARY) == {}
    assert leaking_files(project.folder / "w", CANARY) == {}


@pytest.mark.usefixtures("one_record")
def test_once_is_for_cron(project: Project, sandbox: Sandbox) -> None:
    state = str(project.folder / "w")
    first = project.uss("watch", "--once", "--state-dir", state)
    assert (first.code, project.secrets()) == (0, {"First": password(CANARY)}), first.output
    second = project.uss("watch", "--once", "--state-dir", state)
    assert (second.code, second.output) == (0, "")
    sandbox.control.add_fault(Fault("keeper", "get_secret", FaultKind.DENIED))
    third = project.uss("watch", "--once", STATE_DIRECTORY=state)
    assert third.code == 1
    assert "Keeper refused the application" in third


@pytest.mark.usefixtures("one_record")
def test_a_held_configuration_is_reported_once_for_each_change_and_never_applied(
    project: Project, sandbox: Sandbox
) -> None:
    project.configure({"dryRun": True})
    with watching(project) as watch:
        watch.says("Held, and not applied: aws.")
        assert "to apply exactly this: USS_APPROVE=aws=" in watch.text
        assert watch.metric("uss_watch_held_changes", configuration="aws") == 1
        before = watch.runs()
        watch.looks(3)
        assert watch.runs() == before
        sandbox.edit(set_password("another"))
        watch.says("Held, and not applied: aws.", times=2)
        assert project.secrets() == {}
        assert watch.runs().count("up") == 1
        digest = watch.text.rpartition("USS_APPROVE=")[2].split()[0]
        project.up_well(USS_APPROVE=digest)
        assert project.secrets() == {"First": password("another")}
        assert watch.ends() == 0


@pytest.mark.usefixtures("one_record")
def test_an_approval_in_the_environment_is_not_for_the_watch(project: Project) -> None:
    project.configure({"dryRun": True})
    preview = project.uss("plan").answer
    project.environment["USS_APPROVE"] = preview.rpartition("USS_APPROVE=")[2].split()[0]
    run = project.uss("watch", "--once", "--state-dir", str(project.folder / "w"))
    assert run.code == 0, run.output
    assert "Held, and not applied" in run
    assert project.secrets() == {}


def test_sigterm_in_the_middle_of_an_update_ends_it_cleanly(project: Project, sandbox: Sandbox) -> None:
    count = 12
    sandbox.write_vault(vault(*(login(uid(n), f"Secret {n}", CANARY) for n in range(count))))
    project.environment["PULUMI_PARALLEL"] = "1"
    sandbox.control.add_fault(Fault("aws", "secretsmanager:CreateSecret", FaultKind.SLOW, seconds=1))
    with watching(project) as watch, closing(sandbox.aws()) as client:

        def created() -> int:
            pages = client.get_paginator("list_secrets").paginate()
            names = [entry["Name"] for page in pages for entry in page["SecretList"]]
            return len([name for name in names if name.startswith(project.prefix)])

        watch.waits_for(lambda: created() > 0)
        assert watch.ends() == 0
        assert "Stopped in the middle of a run" in watch.text
        assert 0 < created() < count
    sandbox.control.clear_faults()
    with watching(project) as watch:
        watch.says("`pulumi up` ended well")
        assert len(project.secrets()) == count
        assert watch.ends() == 0


@pytest.mark.usefixtures("one_record")
def test_keeper_and_a_cloud_that_are_away_are_outlived(project: Project, sandbox: Sandbox) -> None:
    with watching(project) as watch:
        watch.says("`pulumi up` ended well")
        sandbox.control.add_fault(Fault("keeper", "get_secret", FaultKind.DENIED))
        watch.says("Still: Keeper refused the application")
        assert watch.text.count("Failed (1 in a row): Keeper refused the application") == 1
        assert watch.get("/healthz") == (200, "ok\n")
        assert watch.metric("uss_watch_failures_in_a_row") >= 2
        sandbox.control.clear_faults()
        sandbox.control.add_fault(Fault("aws", "secretsmanager:PutSecretValue", FaultKind.DENIED))
        sandbox.edit(set_password(f"{CANARY}-2"))
        watch.says("Failed", times=3)
        watch.waits_for(lambda: watch.metric("uss_watch_oldest_unsynced_change_age_seconds") > 0)
        sandbox.control.clear_faults()
        watch.says("All is well again")
        assert project.secrets() == {"First": password(f"{CANARY}-2")}
        assert watch.metric("uss_watch_failures_in_a_row") == 0
        assert leaks(watch.text, CANARY) == {}
        assert watch.ends() == 0


def test_a_change_that_came_half_way_and_was_undone_is_undone_in_the_cloud_too(
    project: Project, sandbox: Sandbox
) -> None:
    records = [login(uid(1), "First", "p1"), login(uid(2), "Second", "p2")]
    sandbox.write_vault(vault(*records))
    state = str(project.folder / "w")
    assert project.uss("watch", "--once", "--state-dir", state).code == 0
    sandbox.edit(set_password("q1"))
    sandbox.edit(lambda listed: listed.update({uid(3): login(uid(3), "Third", "p3")}))
    sandbox.control.add_fault(Fault("aws", "secretsmanager:CreateSecret", FaultKind.DENIED))
    assert project.uss("watch", "--once", "--state-dir", state).code == 1
    sandbox.control.clear_faults()
    sandbox.write_vault(vault(*records))
    assert project.uss("watch", "--once", "--state-dir", state).code == 0
    assert project.secrets() == {"First": password("p1"), "Second": password("p2")}


def test_a_stop_for_safety_is_told_and_ends_when_the_vault_is_as_it_was(project: Project, sandbox: Sandbox) -> None:
    whole = vault(*(login(uid(n), f"Secret {n}", CANARY) for n in range(12)))
    sandbox.write_vault(whole)
    with watching(project) as watch:
        watch.says("`pulumi up` ended well")
        sandbox.write_vault(vault(login(uid(0), "Secret 0", CANARY)))
        watch.says("would delete 11 of 12")
        watch.says("Still: ")
        assert watch.text.count("would delete 11 of 12") <= 2
        assert watch.metric("uss_watch_runs_total", result="stopped") >= 2
        sandbox.write_vault(whole)
        watch.says("All is well again")
        assert watch.ends() == 0
    assert len(project.secrets()) == 12


@pytest.mark.usefixtures("one_record")
def test_a_second_watch_leaves_the_stack_to_the_first(project: Project) -> None:
    with watching(project) as watch:
        watch.says("`pulumi up` ended well")
        state = str(project.folder / "w")
        for arguments, code in ((["--once"], 0), ([], 1)):
            run = project.uss("watch", *arguments, "--state-dir", state)
            assert run.code == code
            assert "Another `uss watch` has the stack test" in run
        assert watch.ends() == 0


@pytest.mark.usefixtures("one_record")
def test_a_watch_that_was_killed_goes_on_where_it_was(project: Project, sandbox: Sandbox) -> None:
    with watching(project) as watch:
        watch.says("`pulumi up` ended well")
        os.killpg(watch.process.pid, signal.SIGKILL)
        watch.process.wait(10)
    with watching(project) as watch:
        watch.looks(2)
        assert watch.runs().count("up") == 1
        assert watch.ends(signal.SIGINT) == 0


@pytest.mark.usefixtures("one_record")
def test_another_backend_has_everything_yet_to_do(project: Project, tmp_path: Path) -> None:
    state = str(project.folder / "w")
    assert project.uss("watch", "--once", "--state-dir", state).code == 0
    other = tmp_path / "other"
    other.mkdir()
    project.environment["PULUMI_BACKEND_URL"] = other.as_uri()
    project.init()
    run = project.uss("watch", "--once", "--state-dir", state)
    assert "`pulumi up` ended" in run, run.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--listen", "here"], "give an address and a port"),
        (["--listen", "203.0.113.1:1"], "cannot be listened on"),
        (["--interval", "0"], "0 is not in the range"),
        (["--state-dir", "/proc/nowhere"], "The state directory /proc/nowhere cannot be used"),
    ],
)
def test_a_wrong_option_is_told(project: Project, arguments: list[str], told: str) -> None:
    run = project.uss("watch", *arguments, STATE_DIRECTORY=str(project.folder / "w"))
    assert run.code != 0
    assert told in run
    assert "Traceback" not in run
