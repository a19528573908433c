"""What goes wrong: one clear message each, and nothing written, deleted or overwritten."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.leaks import leaks
from tests.sync.harness import (
    FOLDER,
    KEY_ID,
    PAM,
    ROLE,
    SUBFOLDER,
    Project,
    Sandbox,
    login,
    pam_record,
    password,
    uid,
    vault,
)
from uss.sandbox.faults import Fault, FaultKind

STACK_FILE = "stacks/Pulumi.test.yaml"


def assert_refused(project: Project, *texts: str) -> None:
    """`pulumi up` fails with one error that says all of the texts, and AWS holds nothing of the project."""
    run = project.up()
    assert run.code != 0, run.output
    assert len(run.errors) == 1, run.output
    for text in texts:
        assert text in run.errors[0]
    assert "Traceback" not in run
    assert project.secrets() == {}


@pytest.mark.parametrize(
    ("configuration", "texts"),
    [
        ({"folders": ["Produktion"]}, ["folders[0]", '"Produktion"', 'among them: "Production"']),
        ({"folders": []}, ["uss:configurations[0].folders", "found []"]),
        ({"region": ["us-east-1"]}, ["uss:configurations[0].region", "Did you mean `regions`?"]),
        ({"dryRun": "yes"}, ["uss:configurations[0].dryRun", 'found "yes"', "Use true or false"]),
        ({"regions": ["mars"]}, ["`regions`", '"mars"', "us-east-1"]),
        ({"pamConfiguration": "nowhere"}, ["`pamConfiguration`", '"nowhere"', "Share the PAM Configuration"]),
        ({"pamConfiguration": uid(1)}, ["`pamConfiguration`", '"Record"', '"login"', "pamAwsConfiguration"]),
        ({"type": "gcp"}, ["`type`", "found gcp", "aws"]),
        ({"pamConfiguration": None}, ["`type`", "Use aws, azure or gcp"]),
        ({"syncIdentity": "arn:aws:iam::123456789012:user/me"}, ["`syncIdentity`", "role's ARN"]),
        ({"tags": {"managed-by": "me"}}, ["`tags`", '"managed-by"', "sync itself"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_broken_configuration_is_answered_with_file_key_and_mend(
    project: Project, sandbox: Sandbox, configuration: dict[str, Any], texts: list[str]
) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1")))
    project.configure(configuration)
    assert_refused(project, STACK_FILE, *texts)
    assert sandbox.calls("")["secretsmanager:ListSecrets"] >= 1  # only the test's own look
    assert not any(name.startswith("sts:") for name in sandbox.calls(""))


def test_without_identity_and_keys_the_run_is_refused_until_ambient_credentials_are_asked_for(
    project: Project, sandbox: Sandbox
) -> None:
    keyless = pam_record(**{"Access Key Id": "", "Access Secret Key": ""})
    sandbox.write_vault(vault(login(uid(1), "Record", "p1"), pam=keyless))
    project.configure({"syncIdentity": None})
    assert_refused(project, "`syncIdentity`", "ambientCredentials: true")
    project.configure({"syncIdentity": None, "ambientCredentials": True})
    project.up_well()
    assert project.secrets().keys() == {"Record"}


def test_the_pam_configuration_keys_alone_are_enough(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1")))
    project.configure({"syncIdentity": None})
    project.up_well()
    assert project.secrets().keys() == {"Record"}
    assert "sts:AssumeRole" not in sandbox.calls("")


def test_the_machines_own_identity_assumes_the_role_when_the_pam_configuration_has_no_keys(
    project: Project, sandbox: Sandbox
) -> None:
    keyless = pam_record(**{"Access Key Id": "", "Access Secret Key": ""})
    ambient = sandbox.environment["AWS_ACCESS_KEY_ID"]
    roles = [{"arn": ROLE, "trusts": [ambient], "allows": ["secretsmanager:*"]}]
    sandbox.write_vault(vault(login(uid(1), "Record", "p1"), pam=keyless, roles=roles))
    project.up_well()
    assert project.secrets().keys() == {"Record"}


@pytest.mark.parametrize(
    "roles",
    [
        pytest.param([], id="a role that does not exist"),
        pytest.param(
            [{"arn": ROLE, "trusts": ["arn:aws:iam::123456789012:user/somebody-else"]}],
            id="a role that does not trust the keys",
        ),
    ],
)
def test_a_wrong_role_is_refused_by_its_name(project: Project, sandbox: Sandbox, roles: list[Any]) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1"), roles=roles))
    run = project.up()
    assert run.code != 0
    assert ROLE in run
    assert "is not authorized to perform: sts:AssumeRole" in run
    assert project.secrets() == {}


def test_an_external_id_is_given_to_a_role_that_asks_for_it(project: Project, sandbox: Sandbox) -> None:
    role = {"arn": ROLE, "trusts": [KEY_ID], "allows": ["secretsmanager:*"], "externalId": "acme-7"}
    sandbox.write_vault(vault(login(uid(1), "First", "p1"), roles=[role]))
    project.configure({"externalId": "acme-8"})
    refused = project.up()
    assert refused.code != 0
    assert "is not authorized to perform: sts:AssumeRole" in refused
    project.configure({"externalId": "acme-7"})
    project.up_well()
    assert project.secrets() == {"First": password("p1")}


def test_a_role_without_a_permission_is_told_by_the_action(project: Project, sandbox: Sandbox) -> None:
    roles = [{"arn": ROLE, "trusts": ["*"], "allows": ["secretsmanager:Describe*", "secretsmanager:Get*"]}]
    sandbox.write_vault(vault(login(uid(1), "Record", "p1"), roles=roles))
    run = project.up()
    assert run.code != 0
    assert "secretsmanager:CreateSecret" in run
    assert project.prefix + "Record" in run
    assert project.secrets() == {}


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("keeper", "get_secret", FaultKind.DENIED), "Keeper refused the application"),
        (Fault("keeper", "get_folders", FaultKind.DENIED), "Keeper refused the application"),
        (Fault("keeper", "get_secret", FaultKind.THROTTLED, seconds=0.05), "Keeper throttles this application"),
        (Fault("keeper", "get_secret", FaultKind.ERROR), "it answered with HTTP status 500"),
        (Fault("keeper", "get_secret", FaultKind.DROPPED), "Keeper could not be reached: ConnectionError"),
        (Fault("keeper", "get_folders", FaultKind.GARBLED), "Keeper's answer could not be read"),
        (Fault("keeper", "get_secret", FaultKind.GARBLED), "Keeper's answer could not be read"),
    ],
    ids=lambda value: f"{value.operation}-{value.kind}" if isinstance(value, Fault) else "",
)
def test_an_unreadable_vault_stops_the_run_and_deletes_nothing(
    project: Project, sandbox: Sandbox, fault: Fault, text: str
) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1")))
    project.up_well()
    sandbox.control.reset_calls()
    sandbox.control.add_fault(fault)
    run = project.up()
    assert run.code != 0
    assert len(run.errors) == 1 and text in run.errors[0], run.output
    assert "Nothing was changed" in run
    assert sandbox.calls() == {}
    assert project.secrets().keys() == {"Record"}


def test_a_record_that_cannot_be_decrypted_stops_the_run(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Good", "p1"), login(uid(2), "Bad", "p2")))
    project.up_well()
    sandbox.edit(lambda records: records[uid(2)].update(undecryptable=True))
    run = project.up()
    assert run.code != 0
    assert "could not be decrypted" in run.errors[0]
    assert project.secrets().keys() == {"Good", "Bad"}


def test_another_applications_key_stops_the_run(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1")))
    project.up_well()
    access = json.loads(base64.b64decode(project.environment["KSM_CONFIG"]))
    access["appKey"] = base64.b64encode(bytes(32)).decode()
    run = project.up(KSM_CONFIG=json.dumps(access))
    assert run.code != 0
    assert len(run.errors) == 1
    assert "Nothing was changed" in run.errors[0]
    assert leaks(run.output, access["appKey"]) == {}
    assert project.secrets().keys() == {"Record"}


def test_half_of_the_folders_stop_the_run(project: Project, sandbox: Sandbox) -> None:
    """One of two linked folders is no longer shared with the application."""
    extra = "FOLDER-extra-000000001"
    first, second = login(uid(1), "First", "p1"), login(uid(2), "Second", "p2", folder=extra)
    whole = vault(first, second)
    whole["folders"].append({"uid": extra, "name": "Extra"})
    sandbox.write_vault(whole)
    project.configure({"folders": [FOLDER, extra]})
    project.up_well()
    sandbox.write_vault(vault(first))
    run = project.up()
    assert run.code != 0
    assert "key `folders[1]`: the application sees no folder" in run.errors[0]
    assert project.secrets().keys() == {"First", "Second"}


def test_a_slow_vault_is_waited_for(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1")))
    sandbox.control.add_fault(Fault("keeper", "get_secret", FaultKind.SLOW, seconds=3))
    project.up_well()
    assert project.secrets().keys() == {"Record"}


def test_a_throttled_vault_is_waited_for(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1")))
    sandbox.control.add_fault(Fault("keeper", "get_secret", FaultKind.THROTTLED, times=2, seconds=0.05))
    project.up_well()
    assert project.secrets().keys() == {"Record"}


def test_throttled_and_failing_aws_calls_are_tried_again(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p1")))
    sandbox.control.add_fault(Fault("aws", "secretsmanager:CreateSecret", FaultKind.THROTTLED, times=1))
    sandbox.control.add_fault(Fault("aws", "secretsmanager:PutSecretValue", FaultKind.ERROR, times=1))
    project.up_well()
    assert project.secrets().keys() == {"Record"}


def test_records_that_cannot_be_synced_are_refused_and_the_others_go_on(project: Project, sandbox: Sandbox) -> None:
    twin = login(uid(5), "Twin", "p5", folder=SUBFOLDER)
    sandbox.write_vault(
        vault(
            login(uid(1), "Good", "p1"),
            login(uid(2), "Bad: Title", "p2"),
            login(uid(3), "Too Large", "x" * 65_536),
            login(uid(4), "Twin", "p4"),
            twin,
            {"uid": uid(6), "folder": FOLDER, "type": "login", "title": "Empty"},
            {**pam_record(), "uid": uid(7), "folder": FOLDER},
        )
    )
    project.configure({"includeSubfolders": True})
    preview = project.preview()
    assert preview.code == 0
    for text in (
        f"record \"Bad: Title\" ({uid(2)}) is not synced: illegal name: the name would hold ':' (U+003A).",
        f'record "Too Large" ({uid(3)}) is not synced: too large: the value has 65,565 bytes',
        f'record "Twin" ({uid(4)}) is not synced: name clash: the same name as "Twin" ({uid(5)}',
        f'record "Twin" ({uid(5)}) is not synced: name clash: the same name as "Twin" ({uid(4)}',
        f'record "Empty" ({uid(6)}) is not synced: empty',
        f'record "AWS" ({uid(7)}) is not synced: sync credentials',
    ):
        assert text in preview
    project.up_well()
    assert project.secrets().keys() == {"Good"}
    refused = project.outputs()["aws"]["refused"]
    assert {number: refused[uid(number)]["reason"] for number in range(2, 8)} == {
        2: "illegal name",
        3: "too large",
        4: "name clash",
        5: "name clash",
        6: "empty",
        7: "sync credentials",
    }
    assert all(entry["found"] and entry["mend"] for entry in refused.values())


def test_a_record_that_was_synced_and_is_refused_now_keeps_its_secret(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Good", "p1"), login(uid(2), "Other", "p2")))
    project.up_well()
    before = project.secrets()
    sandbox.edit(lambda records: records[uid(1)].update(title="Bad: Title"))
    sandbox.control.reset_calls()
    run = project.up_well()
    assert "Its secret stays as it is." in run
    assert sandbox.calls() == {}
    assert project.secrets() == before
    sandbox.control.reset_calls()
    sandbox.edit(lambda records: records[uid(1)].update(title="Good"))
    project.up_well("--expect-no-changes")
    assert sandbox.calls() == {}
    assert uid(1) in project.outputs()["aws"]["records"]


def test_an_existing_secret_of_the_same_name_is_never_overwritten(project: Project, sandbox: Sandbox) -> None:
    client = sandbox.aws()
    client.create_secret(Name=project.prefix + "Taken", SecretString="somebody else's")
    client.close()
    sandbox.write_vault(vault(login(uid(1), "Taken", "p1"), login(uid(2), "Free", "p2")))
    run = project.up_well()
    assert f"({uid(1)}) is not synced: conflict" in run
    assert project.prefix + "Taken" in run
    client = sandbox.aws()
    assert client.get_secret_value(SecretId=project.prefix + "Taken")["SecretString"] == "somebody else's"
    client.delete_secret(SecretId=project.prefix + "Taken", ForceDeleteWithoutRecovery=True)
    client.close()
    project.up_well()
    assert project.secrets().keys() == {"Taken", "Free"}


def test_deletes_over_the_limit_stop_the_run(project: Project, sandbox: Sandbox) -> None:
    records = [login(uid(number), f"Record {number}", "p") for number in range(1, 13)]
    sandbox.write_vault(vault(*records))
    project.up_well()
    sandbox.write_vault(vault(*records[:9]))
    run = project.up()
    assert run.code != 0
    assert len(run.errors) == 1
    assert "would delete 3 of 12 secrets" in run.errors[0]
    assert "limits.maxDeletePercent is 20" in run.errors[0]
    assert len(project.secrets()) == 12
    project.configure({"limits": {"maxDeletePercent": 25}})
    project.up_well()
    assert len(project.secrets()) == 9


def test_folders_that_suddenly_read_empty_stop_the_run(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p")))
    project.up_well()
    sandbox.write_vault(vault())
    run = project.up()
    assert run.code != 0
    assert "its folders read empty" in run.errors[0]
    assert project.secrets().keys() == {"Record"}


def test_keeper_access_in_clear_in_the_stack_file_is_refused(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p")))
    text = project.stack_file.read_text(encoding="utf-8")
    project.stack_file.write_text(
        text.replace("config:\n", "config:\n  uss:ksmConfig: canary-in-clear\n"), encoding="utf-8"
    )
    run = project.up(KSM_CONFIG="-")
    assert run.code != 0
    assert "uss:ksmConfig stands there in clear" in run.errors[0]
    assert leaks(run.output, "canary-in-clear") == {}


def test_a_pam_configuration_with_half_of_its_keys_is_refused(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "Record", "p"), pam=pam_record(**{"Access Secret Key": ""})))
    assert_refused(project, "`pamConfiguration`", "has an Access Key Id and no Access Secret Key")
    assert PAM
