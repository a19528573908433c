"""The main job: what is in the linked folders is in AWS, and a second run has nothing to do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from threading import Event, Thread

from tests.leaks import leaking_files, leaks
from tests.sync.harness import FOLDER, OTHER_FOLDER, SUBFOLDER, Project, Sandbox, login, uid, vault


def test_the_first_preview_shows_everything_and_changes_nothing(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Mail Relay", "p1"), login(uid(2), "Database", "p2")))
    run = project.preview()
    assert run.code == 0, run.output
    assert "aws: 2 secrets: 2 to create (plan " in run
    assert f'create {project.prefix}Mail-Relay (record "Mail Relay")' in run
    # For each name whether it is free, and not kept by a deleted secret; nothing is written.
    assert sandbox.calls() == {"secretsmanager:DescribeSecret": 2, "secretsmanager:GetSecretValue": 2}
    assert project.secrets() == {}


def test_a_second_run_changes_nothing_and_calls_no_secrets_manager(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Mail Relay", "p1"), login(uid(2), "Database", "p2")))
    project.up_well()
    sandbox.control.reset_calls()
    preview = project.preview("--expect-no-changes")
    assert preview.code == 0, preview.output
    assert "aws: 2 secrets: 2 unchanged" in preview
    again = project.up_well("--expect-no-changes")
    assert sandbox.calls() == {}, again.output
    assert sandbox.control.calls()["keeper"] == {"get_folders": 2, "get_secret": 2}


def test_outputs_tell_of_each_record_without_values(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Mail Relay", "canary-password")))
    project.up_well()
    output = project.outputs()["aws"]
    assert output["counts"] == {"synced": 1, "refused": 0, "kept": 0}
    record = output["records"][uid(1)]
    client = sandbox.aws()
    described = client.describe_secret(SecretId=project.prefix + "Mail-Relay")
    client.close()
    assert record == {
        "title": "Mail Relay",
        "name": project.prefix + "Mail-Relay",
        "contentType": "application/json",
        "revision": record["revision"],
        "arn": described["ARN"],
        "version": next(iter(described["VersionIdsToStages"])),
        "regions": ["us-east-1", "eu-west-1"],
    }
    assert leaks(json.dumps(output), "canary-password") == {}


def test_ownership_and_content_type_are_in_the_tags_and_a_new_tag_leaves_the_value_alone(
    project: Project, sandbox: Sandbox
) -> None:
    plain = {"type": "secret", "label": "value", "value": ["s3cret"]}
    sandbox.write_vault(vault({"uid": uid(1), "folder": FOLDER, "type": "login", "title": "Key", "custom": [plain]}))
    project.configure({"tags": {"team": "payments"}})
    project.up_well()
    client = sandbox.aws()
    tags = client.describe_secret(SecretId=project.prefix + "Key")["Tags"]
    client.close()
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "content-type": "text/plain",
        "keeper-record-uid": uid(1),
        "managed-by": "keeper-uss",
        "pulumi-project": "uss",
        "pulumi-stack": "test",
        "source": "keeper",
        "team": "payments",
    }
    assert project.secrets() == {"Key": "s3cret"}
    project.configure({"tags": {"team": "platform"}})
    sandbox.control.reset_calls()
    up = project.up_well()
    assert f'new tags for {project.prefix}Key (record "Key")' in up
    assert "secretsmanager:PutSecretValue" not in sandbox.calls()


def test_one_changed_field_replaces_one_version(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(*(login(uid(number), f"Record {number}", f"p{number}") for number in range(1, 5))))
    project.up_well()
    sandbox.edit(lambda records: records[uid(2)]["fields"][1].update(value=["canary-new"]))
    preview = project.preview()
    assert f'new value for {project.prefix}Record-2 (record "Record 2")' in preview
    assert "+-1 to replace" in preview and "9 unchanged" in preview
    sandbox.control.reset_calls()
    up = project.up_well()
    calls = sandbox.calls()
    assert calls["secretsmanager:PutSecretValue"] == 1
    assert not calls.keys() & {
        "secretsmanager:CreateSecret",
        "secretsmanager:DeleteSecret",
        "secretsmanager:TagResource",
    }
    for region in ("us-east-1", "eu-west-1"):
        assert json.loads(project.secrets(region)["Record-2"])["password"] == "canary-new"
    assert leaks(preview.output + up.output, "canary-new") == {}


def test_a_retitled_record_is_readable_under_one_of_its_names_at_every_moment(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.write_vault(vault(login(uid(1), "Old Title", "p1")))
    project.up_well()
    gaps: list[float] = []
    done = Event()

    def read() -> None:
        client = sandbox.aws()
        while not done.is_set():
            names = []
            for name in ("New-Title", "Old-Title", "New-Title"):
                try:
                    client.get_secret_value(SecretId=project.prefix + name)
                    names.append(name)
                    break
                except client.exceptions.ClientError:
                    continue
            if not names:
                gaps.append(time.monotonic())
        client.close()

    reader = Thread(target=read)
    reader.start()
    try:
        sandbox.edit(lambda records: records[uid(1)].update(title="New Title"))
        up = project.up_well()
    finally:
        done.set()
        reader.join()
    assert gaps == []
    assert f"rename {project.prefix}Old-Title to {project.prefix}New-Title" in up
    assert project.secrets().keys() == {"New-Title"}
    assert project.secrets(deleted=True).keys() == {"Old-Title"}


def test_a_removed_record_is_deleted_with_the_recovery_window(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Stays", "p1"), login(uid(2), "Goes", "p2")))
    project.configure({"recoveryWindowInDays": 7})
    project.up_well()
    sandbox.edit(lambda records: records.pop(uid(2)))
    preview = project.preview()
    assert f"delete {project.prefix}Goes (record {uid(2)} has left)" in preview
    project.up_well()
    assert project.secrets().keys() == {"Stays"}
    assert project.secrets(deleted=True).keys() == {"Goes"}
    assert project.secrets("eu-west-1").keys() == {"Stays"}


def test_a_record_made_anew_under_its_title_takes_the_secret_over(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Database", "p1")))
    project.up_well()
    arn = project.outputs()["aws"]["records"][uid(1)]["arn"]
    sandbox.write_vault(vault(login(uid(2), "Database", "p2")))
    up = project.up_well()
    assert f"take over {project.prefix}Database" in up
    record = project.outputs()["aws"]["records"][uid(2)]
    assert record["arn"] == arn
    assert json.loads(project.secrets()["Database"])["password"] == "p2"
    assert project.secrets(deleted=True) == {}
    assert project.preview("--expect-no-changes").code == 0


def test_moving_between_linked_folders_changes_nothing_and_moving_out_deletes(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.write_vault(vault(login(uid(1), "Mover", "p1"), login(uid(2), "Stayer", "p2", folder=SUBFOLDER)))
    project.configure({"folders": [FOLDER, "Production/Payments"]})
    project.up_well()
    sandbox.edit(lambda records: records[uid(1)].update(folder=SUBFOLDER))
    assert project.preview("--expect-no-changes").code == 0
    sandbox.edit(lambda records: records[uid(1)].update(folder=OTHER_FOLDER))
    project.up_well()
    assert project.secrets().keys() == {"Stayer"}


def test_a_record_in_two_linked_folders_is_one_secret(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Shared", "p1", folder=[FOLDER, SUBFOLDER])))
    project.configure({"folders": [FOLDER, SUBFOLDER]})
    run = project.up_well()
    assert "aws: 1 secret: 1 to create" in run
    assert project.secrets().keys() == {"Shared"}


def test_subfolders_count_only_when_asked(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Top", "p1"), login(uid(2), "Below", "p2", folder=SUBFOLDER)))
    project.up_well()
    assert project.secrets().keys() == {"Top"}
    project.configure({"includeSubfolders": True, "folders": ["Production"]})
    project.up_well()
    assert project.secrets().keys() == {"Top", "Below"}


def test_a_record_in_two_configurations_is_two_secrets(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Shared", "p1")))
    project.configure({"name": "first"}, {"name": "second", "namePrefix": project.prefix + "second-"})
    project.up_well()
    assert project.secrets().keys() == {"Shared", "second-Shared"}
    assert {name: list(output["records"]) for name, output in project.outputs().items()} == {
        "first": [uid(1)],
        "second": [uid(1)],
    }


def test_no_value_is_in_anything_that_a_run_leaves_behind(project: Project, sandbox: Sandbox, tmp_path: Path) -> None:
    canaries = ["canary-first-7c1e", "canary-second-9d2f", "canary-too-large-5b3a", "canary-of-the-pam-secret-key"]
    sandbox.write_vault(
        vault(login(uid(1), "Small", canaries[0]), login(uid(2), "Large", canaries[2] + "x" * 70_000)),
    )
    screens = [project.preview("--diff").output, project.up_well("--diff").output]
    sandbox.edit(lambda records: records[uid(1)]["fields"][1].update(value=[canaries[1]]))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # What other ways to make Pulumi talk show is in docs/security.md, and tests/sync/test_logs.py holds it to that.
    screens += [
        project.preview("--diff", "--debug", TMPDIR=str(temporary)).output,
        project.up_well("--debug", TMPDIR=str(temporary)).output,
        project.preview("--json").output,
        project.exported(),
        json.dumps(project.outputs()),
        sandbox.folder.joinpath("sandbox", "sandbox.log").read_text(encoding="utf-8"),
    ]
    assert [found for screen in screens if (found := leaks(screen, *canaries))] == []
    assert leaking_files(tmp_path, *canaries) == {}
