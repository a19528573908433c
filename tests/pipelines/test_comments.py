"""`uss comment` against the three platforms' APIs: one comment a stack, kept up to date, and only ever its own."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.leaks import leaks
from tests.pipelines.standin import STRANGER, TOKEN, StandIn
from tests.sync.harness import USS, Run

PLATFORMS = ("github", "gitlab", "azure")
MARKER = "<!-- uss plan production -->\n"
everywhere = pytest.mark.parametrize("platform", PLATFORMS)


def comment(variables: dict[str, str], text: str = "the plan", stack: str = "production") -> Run:
    """Run the command as a job does, whose variables are these alone."""
    environment = {"PATH": os.environ["PATH"]} | variables
    done = subprocess.run(
        [USS, "comment", "--stack", stack],
        input=text,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert leaks(done.stdout + done.stderr, TOKEN) == {}
    assert "Traceback" not in done.stderr
    return Run(done.returncode, done.stdout + done.stderr, done.stdout)


def bodies(stand_in: StandIn, platform: str) -> list[str]:
    """The comments on the pull request."""
    return [entry.body for entry in stand_in.comments[platform]]


@everywhere
def test_the_first_plan_is_a_new_comment_and_the_next_one_takes_its_place(stand_in: StandIn, platform: str) -> None:
    variables = stand_in.variables(platform)
    assert "was written" in comment(variables, "first: ü, `code` | <b>")
    assert bodies(stand_in, platform) == [f"{MARKER}first: ü, `code` | <b>"]
    assert "was updated" in comment(variables, "second")
    (entry,) = stand_in.comments[platform]
    assert (entry.body, entry.before) == (f"{MARKER}second", [f"{MARKER}first: ü, `code` | <b>"])


@everywhere
def test_a_plan_that_is_the_same_again_changes_nothing(stand_in: StandIn, platform: str) -> None:
    for _ in range(2):
        assert comment(stand_in.variables(platform)).code == 0
    assert stand_in.comments[platform][0].before == []


@everywhere
def test_each_stack_has_a_comment_of_its_own_also_behind_many_others(stand_in: StandIn, platform: str) -> None:
    for number in range(7):
        stand_in.add(platform, f"comment {number}", STRANGER)
    for stack in ("production", "staging", "production", "staging"):
        assert comment(stand_in.variables(platform), stack=stack).code == 0
    assert bodies(stand_in, platform)[7:] == [f"{MARKER}the plan", "<!-- uss plan staging -->\nthe plan"]


@pytest.mark.parametrize("platform", ["github", "gitlab"])
def test_a_marker_in_somebody_elses_comment_counts_for_nothing(stand_in: StandIn, platform: str) -> None:
    stand_in.add(platform, f"{MARKER}a false plan", STRANGER)
    assert comment(stand_in.variables(platform)).code == 0
    assert bodies(stand_in, platform) == [f"{MARKER}a false plan", f"{MARKER}the plan"]


def test_on_azure_repos_a_marker_in_somebody_elses_comment_is_told(stand_in: StandIn) -> None:
    stand_in.add("azure", f"{MARKER}a false plan", STRANGER)
    run = comment(stand_in.variables("azure"))
    assert run.code == 1
    assert "/threads/11/comments/1 was answered with the status 403" in run


def test_a_deleted_comment_is_written_anew(stand_in: StandIn) -> None:
    stand_in.add("azure", f"{MARKER}old").deleted = True
    assert "was written" in comment(stand_in.variables("azure"))


@everywhere
def test_a_job_that_has_no_plan_says_so(stand_in: StandIn, platform: str) -> None:
    assert comment(stand_in.variables(platform), " \n").code == 0
    assert "There is no plan" in bodies(stand_in, platform)[0]


@everywhere
def test_a_refused_token_is_told_with_the_right_that_it_needs(stand_in: StandIn, platform: str) -> None:
    variables = stand_in.variables(platform)
    token = {"github": "GITHUB_TOKEN", "gitlab": "USS_COMMENT_TOKEN", "azure": "SYSTEM_ACCESSTOKEN"}[platform]
    for run in (comment(variables | {token: "another"}), comment(variables | {token: ""})):
        assert run.code == 1
        assert token in run
        assert "must be allowed" in run
    stand_in.denied = True
    assert "was answered with the status 403" in comment(variables)
    assert bodies(stand_in, platform) == []


@everywhere
def test_a_netrc_does_not_take_the_tokens_place(stand_in: StandIn, platform: str, tmp_path: os.PathLike[str]) -> None:
    netrc = os.path.join(tmp_path, ".netrc")
    with open(netrc, "w", encoding="utf-8") as file:
        file.write("machine 127.0.0.1 login someone password else\n")
    assert comment(stand_in.variables(platform) | {"HOME": str(tmp_path), "NETRC": netrc}).code == 0


def test_a_platform_that_is_away_is_told(stand_in: StandIn) -> None:
    run = comment(stand_in.variables("github") | {"GITHUB_API_URL": "http://127.0.0.1:9"})
    assert run.code == 1
    assert "GitHub could not be reached for the comment (ConnectionError)" in run


def test_outside_of_a_pull_requests_job_it_says_what_it_is_for(stand_in: StandIn) -> None:
    assert "This is no job of GitHub Actions, GitLab CI or Azure Pipelines" in comment({})
    assert "not for a pull request" in comment(stand_in.variables("github") | {"GITHUB_REF": "refs/heads/main"})
    gitlab = {name: value for name, value in stand_in.variables("gitlab").items() if not name.endswith("IID")}
    assert "CI_MERGE_REQUEST_IID is not set" in comment(gitlab)
    assert stand_in.asked == [] or stand_in.asked == ["GET /gitlab/api/v4/user"]
