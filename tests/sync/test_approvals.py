"""What waits for an approval, and that an approval is for the plan that was seen and for nothing else."""

from __future__ import annotations

import re

import pytest

from tests.leaks import leaks
from tests.sync.clouds import CLOUDS, AzureUnderTest, CloudUnderTest, GcpUnderTest
from tests.sync.harness import Project, Run, Sandbox, login, uid, vault

PREFIX = "tapprovals-"
APPROVAL = re.compile(r"USS_APPROVE=([\w.-]+=[0-9a-f]{12})")


def approval(run: Run) -> str:
    """The approval that a run asks for."""
    found = set(APPROVAL.findall(run.output))
    assert len(found) == 1, run.output
    return str(found.pop())


def configure(ready: Project, cloud: CloudUnderTest, **keys: object) -> None:
    """Write the stack file."""
    ready.prefix = PREFIX
    ready.configure(cloud.configuration() | {"namePrefix": PREFIX} | keys)


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_a_held_plan_is_applied_once_it_is_approved(project: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    configure(project, cloud, dryRun=True)
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1")))
    given = approval(project.preview())
    held = project.up_well()
    assert "held, nothing was applied, because dryRun is true" in held
    assert cloud.values(project) == {}
    project.up_well(USS_APPROVE=given)
    assert cloud.values(project).keys() == {"First"}
    # The plan is done: held again, and its approval is of no use any more.
    assert project.up_well().code == 0
    spent = project.up(USS_APPROVE=given)
    assert spent.code != 0
    assert "has nothing to do now" in spent.errors[0]


def test_a_plan_that_changed_since_is_refused(project: Project, sandbox: Sandbox) -> None:
    project.configure({"dryRun": True})
    sandbox.write_vault(vault(login(uid(1), "First", "p1")))
    given = approval(project.preview())
    sandbox.edit(lambda records: records[uid(1)]["fields"][1].update(value=["canary-p2"]))
    run = project.up(USS_APPROVE=given)
    assert run.code != 0
    assert len(run.errors) == 1
    assert f"USS_APPROVE approves the plan {given.partition('=')[2]}" in run.errors[0]
    assert leaks(run.output, "canary") == {}
    assert project.secrets() == {}


def test_many_deletions_an_empty_folder_and_a_removed_configuration_pass_with_an_approval(
    project: Project, sandbox: Sandbox
) -> None:
    records = [login(uid(number), f"R {number}", "p") for number in range(12)]
    sandbox.write_vault(vault(*records))
    project.up_well()
    sandbox.write_vault(vault(*records[:5]))
    stopped = project.up()
    assert stopped.code != 0
    assert len(project.secrets()) == 12
    project.up_well(USS_APPROVE=approval(stopped))
    assert len(project.secrets()) == 5
    sandbox.write_vault(vault())
    project.up_well(USS_APPROVE=approval(project.preview()))
    assert project.secrets() == {}


def test_secrets_that_would_move_wait_for_an_approval(project: Project, sandbox: Sandbox) -> None:
    cloud = GcpUnderTest()
    configure(project, cloud)
    content = cloud.vault(login(uid(1), "First", "p1"))
    content["clouds"]["gcp"]["projects"] = ["other-project"]
    sandbox.write_vault(content)
    project.up_well()
    project.configure(cloud.configuration() | {"namePrefix": PREFIX, "project": "other-project"})
    stopped = project.up()
    assert stopped.code != 0
    assert "from the GCP project payments-prod to the GCP project other-project" in stopped.errors[0]
    assert cloud.values(project).keys() == {"First"}
    project.up_well(USS_APPROVE=approval(stopped))
    assert cloud.values(project) == {}
    assert f"{project.prefix}First" in sandbox.control.dump()["gcp"]["other-project"]
    assert project.preview("--expect-no-changes").code == 0


def test_another_key_vault_waits_too_and_the_old_one_stays(project: Project, sandbox: Sandbox) -> None:
    cloud = AzureUnderTest()
    configure(project, cloud)
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1")))
    project.up_well()
    configure(project, cloud, vaultName="kv-other-for-moving")
    stopped = project.preview()
    assert stopped.code != 0
    assert "to the key vault kv-other-for-moving of the subscription" in stopped.errors[0]
    project.up_well(USS_APPROVE=approval(stopped))
    held = sandbox.control.dump()["azure"]["kv-other-for-moving"]
    assert [entry["deleted"] for entry in held.values()] == [False]
    assert cloud.values(project) == {}
    assert project.preview("--expect-no-changes").code == 0
