"""What the documentation tells people to do, done."""

from __future__ import annotations

import json
import re

from tests.sync.harness import KEY_ID, ROLE, ROOT, Project, Sandbox, login, password, uid, vault


def documented_actions() -> list[str]:
    """The actions of the permission policy in docs/aws.md."""
    text = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    return re.findall(r'"(secretsmanager:\w+)"', text)


def test_the_documented_permissions_are_enough_for_the_whole_life_of_a_secret(
    project: Project, sandbox: Sandbox
) -> None:
    roles = [{"arn": ROLE, "trusts": [KEY_ID], "allows": documented_actions()}]
    records = [login(uid(1), "First", "p1"), login(uid(2), "Second", "p2")]
    sandbox.write_vault(vault(*records, roles=roles))
    project.configure({"regions": ["us-east-1"]})
    project.up_well()
    sandbox.edit(lambda found: found[uid(1)]["fields"][1].update(value=["p3"]))
    project.configure({"tags": {"team": "a"}})
    project.up_well()
    sandbox.edit(lambda found: (found[uid(1)].update(title="Retitled"), found.pop(uid(2))))
    project.configure({"regions": ["us-east-1", "eu-central-1"]})
    project.up_well()
    assert project.up("--refresh").code == 0
    assert project.secrets().keys() == project.secrets("eu-central-1").keys() == {"Retitled"}
    assert json.loads(project.secrets()["Retitled"])["password"] == "p3"


def test_a_name_that_waits_for_its_deletion_says_so(project: Project, sandbox: Sandbox) -> None:
    """It is told in the preview, the rest goes on, and restoring it brings it back into the sync."""
    sandbox.write_vault(vault(login(uid(1), "Stays", "p1"), login(uid(2), "Reused", "p2")))
    project.up_well()
    sandbox.edit(lambda records: records.pop(uid(2)))
    project.up_well()
    sandbox.edit(
        lambda records: records.update({uid(3): login(uid(3), "Reused", "p3"), uid(4): login(uid(4), "New", "p4")})
    )
    told = f'AWS keeps a deleted secret "{project.prefix}Reused" in us-east-1 until its recovery window ends'
    assert told in project.preview()
    assert told in project.up_well()
    assert project.secrets().keys() == {"Stays", "New"}
    client = sandbox.aws()
    client.restore_secret(SecretId=project.prefix + "Reused")
    client.close()
    assert f'manages, for record "{uid(2)}"' in project.preview()
    project.configure({"adopt": [uid(3)]})
    project.up_well()
    assert project.secrets()["Reused"] == password("p3")


def test_a_configuration_that_was_removed_can_be_deleted_as_the_guard_says(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(*(login(uid(number), f"Record {number}", "p") for number in range(1, 12))))
    project.configure({"name": "old"}, {"name": "new", "namePrefix": project.prefix + "new-"})
    project.up_well()
    project.configure({"name": "new", "namePrefix": project.prefix + "new-"})
    run = project.up()
    assert run.code != 0
    approval = re.search(r"USS_APPROVE=(old=[0-9a-f]{12}) pulumi up", run.errors[0])
    assert approval
    assert len(project.secrets()) == 22
    project.up_well(USS_APPROVE=approval[1])
    assert len(project.secrets()) == 11
    assert all(name.startswith("new-") for name in project.secrets())
