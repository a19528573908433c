"""Held and disabled configurations, retained secrets, and the ways into several regions."""

from __future__ import annotations

import json

from tests.sync.harness import Project, Sandbox, login, pam_record, uid, vault
from uss.sandbox.faults import Fault, FaultKind


def test_a_held_configuration_is_shown_and_not_applied(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "First", "p1")))
    project.configure({"name": "held"}, {"name": "free", "namePrefix": project.prefix + "free-"})
    project.up_well()
    outputs = project.outputs()["held"]
    sandbox.write_vault(vault(login(uid(2), "Second", "p2"), login(uid(3), "First", "p3")))
    project.configure({"name": "held", "dryRun": True}, {"name": "free", "namePrefix": project.prefix + "free-"})
    preview = project.preview()
    assert f"create {project.prefix}Second" in preview
    assert "dryRun is true: `pulumi up` applies none of this" in preview
    up = project.up_well()
    assert "held: held, nothing was applied" in up
    secrets = project.secrets()
    assert secrets.keys() == {"First", "free-First", "free-Second"}
    assert json.loads(secrets["First"])["password"] == "p1"
    assert json.loads(secrets["free-First"])["password"] == "p3"
    assert project.outputs()["held"] == outputs
    project.configure({"name": "held"}, {"name": "free", "namePrefix": project.prefix + "free-"})
    project.up_well()
    assert project.secrets().keys() == {"First", "Second", "free-First", "free-Second"}


def test_a_held_configuration_creates_nothing_on_its_first_run(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "First", "p1")))
    project.configure({"dryRun": True})
    assert "1 to create" in project.preview()
    sandbox.control.reset_calls()
    project.up_well()
    assert sandbox.calls() == {}
    assert project.secrets() == {}


def test_a_disabled_configuration_is_left_as_it_is(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "First", "p1")))
    project.up_well()
    outputs = project.outputs()
    sandbox.write_vault(vault())
    project.configure({"enabled": False, "folders": ["Gone"]})
    sandbox.control.reset_calls()
    run = project.up_well("--expect-no-changes")
    assert "aws: disabled, 1 secret left as they are" in run
    assert "keeper" not in sandbox.control.calls()
    assert sandbox.calls() == {}
    assert project.secrets().keys() == {"First"}
    assert project.outputs() == outputs


def test_retained_secrets_outlive_their_records(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Stays", "p1"), login(uid(2), "Leaves", "p2")))
    project.up_well()
    sandbox.edit(lambda records: records.pop(uid(2)))
    project.configure({"onDelete": "retain"})
    for _ in range(2):
        project.up_well()
        assert project.secrets().keys() == {"Stays", "Leaves"}
    assert project.secrets(deleted=True) == {}
    assert uid(2) not in project.exported()


def test_independent_copies_live_in_each_region(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1")))
    project.configure({"regionMode": "independent"})
    project.up_well()
    record = project.outputs()["aws"]["records"][uid(1)]
    assert ":us-east-1:" in record["arn"]
    assert ":eu-west-1:" in record["copies"]["eu-west-1"]["arn"]
    sandbox.edit(lambda records: records[uid(1)]["fields"][1].update(value=["p2"]))
    project.up_well()
    for region in ("us-east-1", "eu-west-1"):
        assert json.loads(project.secrets(region)["Record"])["password"] == "p2"
    sandbox.edit(lambda records: records[uid(1)].update(title="Retitled"))
    project.up_well()
    for region in ("us-east-1", "eu-west-1"):
        assert project.secrets(region).keys() == {"Retitled"}
    assert project.preview("--expect-no-changes").code == 0


def test_replicas_become_independent_copies_without_a_gap_in_the_primary_region(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1")))
    project.up_well()
    arn = project.outputs()["aws"]["records"][uid(1)]["arn"]
    project.configure({"regionMode": "independent"})
    project.up_well()
    assert project.outputs()["aws"]["records"][uid(1)]["arn"] == arn
    for region in ("us-east-1", "eu-west-1"):
        assert project.secrets(region).keys() == {"Record"}


def test_a_region_more_and_a_region_less(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1"), pam=pam_record(**{"Region Names": "us-east-1"})))
    project.up_well()
    assert project.secrets("eu-west-1") == {}
    project.configure({"regions": ["us-east-1", "eu-west-1", "eu-central-1"]})
    project.up_well()
    assert project.secrets("eu-west-1") == project.secrets("eu-central-1") == project.secrets()
    project.configure({"regions": ["us-east-1", "eu-central-1"]})
    project.up_well()
    assert project.secrets("eu-west-1") == {}
    assert project.secrets("eu-central-1") == project.secrets()


def test_a_replica_that_failed_makes_the_update_fail_in_clear_words(project: Project, sandbox: Sandbox) -> None:
    client = sandbox.aws("eu-west-1")
    client.create_secret(Name=project.prefix + "Record", SecretString="somebody else's")
    client.close()
    sandbox.write_vault(vault(login(uid(1), "Record", "p1"), login(uid(2), "Other", "p2")))
    run = project.up()
    assert run.code != 0
    assert len(run.errors) == 1, run.output
    assert f'The secret "{project.prefix}Record" of record {uid(1)} is in its primary region' in run.errors[0]
    assert "eu-west-1" in run.errors[0]
    assert project.secrets("eu-west-1")["Record"] == "somebody else's"
    assert project.secrets().keys() == {"Record", "Other"}
    assert "Other" in project.secrets("eu-west-1")


def test_retained_secrets_outlive_their_configuration_also_where_the_update_fails(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.write_vault(vault(login(uid(1), "First", "p1")))
    going = {"name": "going", "onDelete": "retain"}
    stays = {"name": "stays", "namePrefix": project.prefix + "s-"}
    project.configure(going, stays)
    project.up_well()
    sandbox.edit(lambda records: records.update({uid(2): login(uid(2), "Second", "p2")}))
    project.configure(stays)
    sandbox.control.add_fault(Fault("aws", "secretsmanager:CreateSecret", FaultKind.DENIED))
    assert project.up().code != 0
    sandbox.control.clear_faults()
    project.up_well()
    assert project.secrets().keys() == {"First", "s-First", "s-Second"}
    assert project.preview("--expect-no-changes").code == 0
    project.up_well()
    assert project.outputs().keys() == {"stays"}
