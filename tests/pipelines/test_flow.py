"""The pipelines' own steps, run in order against the sandbox: from a pull request to secrets in the cloud."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import leaking_files, leaks
from tests.pipelines.runners import RUNNERS, STACK, Azure, Done, GitHub, GitLab, Runner, document
from tests.pipelines.standin import TOKEN, StandIn
from tests.pipelines.tokens import Issuer
from tests.sync.harness import OTHER_FOLDER, Project, Sandbox, login, password, uid, vault

CANARY = "canary-of-the-pipelines"


@pytest.fixture(params=RUNNERS, ids=lambda kind: kind.name)
def runner(
    request: pytest.FixtureRequest, sandbox: Sandbox, stand_in: StandIn, tmp_path: Path
) -> Iterator[tuple[Runner, Project]]:
    """A checkout with the stack file of a stack that has a synced and a held configuration, and a platform."""
    checkout, temporary = tmp_path / "checkout", tmp_path / "temporary"
    checkout.mkdir()
    temporary.mkdir()
    kind: type[Runner] = request.param
    project = Project(sandbox, checkout, f"{kind.name}/", STACK)
    project.configure(
        {"name": "live"},
        {"name": "careful", "folders": [OTHER_FOLDER], "dryRun": True, "namePrefix": f"{kind.name}/careful/"},
    )
    environment = dict(project.environment)
    given = {name: environment.pop(name) for name in ("KSM_CONFIG", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE")}
    ready = kind(checkout, environment, {**given, **stand_in.variables(kind.name)}, temporary, Issuer(kind.issuer_url))
    ready.check_out()
    yield ready, project
    assert_no_value_is_left(ready, temporary)
    ready.assert_tokens_are_private()


def assert_no_value_is_left(runner: Runner, temporary: Path) -> None:
    """Neither in the checkout nor in the job's temporary folder; the state is encrypted."""
    folders = [temporary, runner.checkout]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and ".venv" not in file.parts]
    assert files
    assert [found for file in files if (found := leaking_files(file, CANARY))] == []


def well(done: Done) -> Done:
    """A job that must end well; nothing that it says holds a value."""
    assert done.code == 0, done.output
    return quiet(done)


def quiet(done: Done) -> Done:
    """A job whose output and summary hold no value and not the token for comments; `Runner` looks for the others."""
    for text in (done.output, done.summary):
        assert leaks(text, CANARY, TOKEN) == {}
    return done


def held_record(value: str) -> Any:
    """A record of the folder that the held configuration links."""
    return login(uid(2), "Second", value, OTHER_FOLDER)


def test_from_a_pull_request_to_the_cloud(runner: tuple[Runner, Project], sandbox: Sandbox, stand_in: StandIn) -> None:
    platform, project = runner
    first = login(uid(1), "First", f"{CANARY}-1")
    sandbox.write_vault(vault(first, held_record(f"{CANARY}-2")))

    # A pull request: the plan is a comment, and nothing is written.
    well(platform.plan())
    (comment,) = stand_in.comments[platform.name]
    assert "First" in comment.body
    assert "Second" in comment.body
    assert "there is no secret of this record yet" in comment.body
    assert leaks(comment.body, CANARY) == {}
    assert project.secrets() == {}

    # The merge: what is live is synced, what is held waits.
    merged = well(platform.sync(scheduled=False))
    assert project.secrets() == {"First": password(f"{CANARY}-1")}
    assert merged.approvals.startswith("careful=")

    # What was approved has changed since: it is refused.
    sandbox.write_vault(vault(first, held_record(f"{CANARY}-3")))
    refused = quiet(platform.apply(merged))
    assert refused.code != 0
    assert "USS_APPROVE approves the plan" in refused.output
    assert project.secrets().keys() == {"First"}

    # The schedule: a change in Keeper arrives, and the new plan is approved.
    changed = login(uid(1), "First", f"{CANARY}-4")
    sandbox.write_vault(vault(changed, held_record(f"{CANARY}-3")))
    scheduled = well(platform.sync(scheduled=True))
    assert project.secrets() == {"First": password(f"{CANARY}-4")}
    assert scheduled.approvals not in ("", merged.approvals)
    well(platform.apply(scheduled))
    assert project.secrets()["careful/Second"] == password(f"{CANARY}-3")

    # A guard: the folder reads empty. The job fails, and what an approval would let pass waits for one.
    sandbox.write_vault(vault(held_record(f"{CANARY}-3")))
    stopped = quiet(platform.sync(scheduled=True))
    assert stopped.code != 0
    assert "its folders read empty" in stopped.output
    assert project.secrets().keys() == {"First", "careful/Second"}
    well(platform.apply(stopped))
    assert project.secrets().keys() == {"careful/Second"}
    assert well(platform.sync(scheduled=False)).approvals == ""

    assert set(platform.ran) == STEPS[type(platform)]


STEPS: dict[type[Runner], set[str]] = {
    GitHub: {
        *(f"{job}: Set up" for job in ("plan", "sync", "apply")),
        "plan: Plan",
        "sync: Sync",
        "sync: What waits",
        "approve: Approved",
        "apply: Sync what was approved",
    },
    GitLab: {f"{job}: {part}" for job in ("plan", "sync", "apply") for part in ("before_script", "script")},
    Azure: {
        *(f"{job}: {step}" for job in ("plan", "sync", "waits", "apply") for step in ("Set up", "Sign in")),
        "plan: Plan",
        "sync: Sync",
        "waits: What waits",
        "approve: Approved",
        "apply: Sync what was approved",
    },
}


def test_every_script_of_the_pipelines_is_among_those_that_are_run() -> None:
    github = document(GitHub.file)
    named = {
        f"{name}: {step['name']}" for name, job in github["jobs"].items() for step in job["steps"] if "run" in step
    }
    assert named == STEPS[GitHub]
    uses = {
        step["uses"].partition("@")[0] for job in github["jobs"].values() for step in job["steps"] if "uses" in step
    }
    assert uses == GitHub.unrunnable.keys()
