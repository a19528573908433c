"""One body of tests for every cloud: the life of a secret, by the real engine, read back by the vendor's own client."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any

import pytest

from tests.leaks import leaks
from tests.sync.clouds import CLOUDS, CloudUnderTest, configure
from tests.sync.every_type import expected, records
from tests.sync.harness import Project, Sandbox, login, password, uid
from uss.sandbox.faults import Fault, FaultKind

pytestmark = pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)


def test_create_then_nothing_to_do(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First One", "p1"), login(uid(2), "Second", "p2")))
    preview = ready.preview()
    assert "2 secrets: 2 to create" in preview
    assert cloud.calls(sandbox) == set()
    ready.up_well()
    assert cloud.values(ready) == {"First-One": password("p1"), "Second": password("p2")}
    sandbox.control.reset_calls()
    assert ready.preview("--expect-no-changes").code == 0
    ready.up_well("--expect-no-changes")
    assert cloud.calls(sandbox) == set()


def test_sixty_records_of_every_type_land_as_the_rules_say(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    sandbox.write_vault(cloud.vault(*records()))
    ready.up_well()
    # What one cloud's limits refuse still reaches the others.
    fits = {name: value for name, value in expected().items() if len(value.encode()) <= cloud.limit}
    assert len(expected()) - len(fits) == (2 if cloud.name == "azure" else 0)
    assert cloud.values(ready) == fits


def test_a_changed_value_is_never_unreadable(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1")))
    ready.up_well()
    seen: set[str] = set()
    faults: list[Exception] = []
    done = Event()

    def read() -> None:
        while not done.is_set():
            try:
                seen.update(cloud.values(ready).values())
            except Exception as error:  # noqa: BLE001 - a reader that meets anything but a value is what the test looks for
                faults.append(error)

    reader = Thread(target=read)
    reader.start()
    try:
        sandbox.edit(lambda found: found[uid(1)]["fields"][1].update(value=["p2"]))
        ready.up_well()
    finally:
        done.set()
        reader.join()
    assert faults == []
    assert seen <= {password("p1"), password("p2")}
    assert cloud.values(ready) == {"First": password("p2")}


def test_a_tag_changes_without_the_value(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1")))
    ready.up_well()
    configure(ready, cloud, tags={"team": "a"})
    assert "1 with new tags" in ready.preview()
    ready.up_well()
    marks = cloud.marks(ready, "First")
    assert marks["team"] == "a"
    assert (marks["managed-by"], marks["keeper-record-uid"]) == ("keeper-uss", uid(1))
    assert (marks["pulumi-project"], marks["pulumi-stack"]) == ("uss", "test")
    assert cloud.values(ready) == {"First": password("p1")}


def test_a_retitled_record_moves_to_its_new_name(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "Before", "p1")))
    ready.up_well()
    sandbox.edit(lambda found: found[uid(1)].update(title="After"))
    assert f"rename {ready.prefix}Before to {ready.prefix}After" in ready.preview()
    ready.up_well()
    assert cloud.values(ready) == {"After": password("p1")}
    assert ready.preview("--expect-no-changes").code == 0


def test_a_removed_record_is_deleted_and_the_preview_says_what_becomes_of_it(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "Stays", "p1"), login(uid(2), "Goes", "p2")))
    ready.up_well()
    sandbox.edit(lambda found: found.pop(uid(2)))
    preview = ready.preview()
    assert f"delete {ready.prefix}Goes (record {uid(2)} has left): " in preview
    assert cloud.deletion in preview
    ready.up_well()
    assert cloud.values(ready) == {"Stays": password("p1")}


def test_a_record_made_anew_takes_the_secret_over(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1")))
    ready.up_well()
    sandbox.write_vault(cloud.vault(login(uid(2), "First", "p2")))
    sandbox.control.reset_calls()
    assert f"take over {ready.prefix}First" in ready.up_well()
    # Azure has one operation for both, creation and change.
    assert cloud.name == "azure" or cloud.create not in sandbox.control.calls()[cloud.name]
    assert cloud.values(ready) == {"First": password("p2")}
    assert cloud.marks(ready, "First")["keeper-record-uid"] == uid(2)
    assert ready.preview("--expect-no-changes").code == 0


def test_a_deleted_name_can_be_had_again(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    # By default AWS keeps a deleted secret's name for 30 days.
    keys: dict[str, Any] = {"recoveryWindowInDays": 0} if cloud.name == "aws" else {}
    configure(ready, cloud, **keys)
    sandbox.write_vault(cloud.vault(login(uid(1), "Stays", "p1"), login(uid(2), "Reused", "p2")))
    ready.up_well()
    sandbox.edit(lambda found: found.pop(uid(2)))
    ready.up_well()
    assert cloud.values(ready) == {"Stays": password("p1")}
    sandbox.edit(lambda found: found.update({uid(3): login(uid(3), "Reused", "p3")}))
    ready.up_well()
    assert cloud.values(ready) == {"Stays": password("p1"), "Reused": password("p3")}
    assert cloud.marks(ready, "Reused")["keeper-record-uid"] == uid(3)
    assert ready.preview("--expect-no-changes").code == 0


def test_a_foreign_secret_is_told_in_the_preview_and_never_overwritten(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "Taken", "p1"), login(uid(2), "Free", "p2")))
    cloud.put_foreign(ready, "Taken", "somebody else's")
    told = f'({uid(1)}) is not synced: conflict: {cloud.title} holds a secret "{ready.prefix}Taken" already'
    assert told in ready.preview()
    assert told in ready.up_well()
    assert cloud.values(ready) == {"Taken": "somebody else's", "Free": password("p2")}
    ready.destroy()
    assert cloud.values(ready) == {"Taken": "somebody else's"}


def test_a_name_taken_after_the_look_is_not_overwritten_either(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "Taken", "p1")))
    cloud.put_foreign(ready, "Taken", "somebody else's")
    sandbox.control.add_fault(Fault(cloud.name, cloud.lookup, FaultKind.DENIED, times=1))
    run = ready.up()
    assert "may not look at 1 name of secrets to create" in run, run.output
    assert run.code != 0
    assert cloud.taken in run
    assert cloud.values(ready) == {"Taken": "somebody else's"}


def test_what_a_cloud_does_not_take_is_refused_and_the_rest_goes_on(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    sandbox.write_vault(
        cloud.vault(
            login(uid(1), "Good", "p1"),
            login(uid(2), cloud.illegal_title, "p2"),
            login(uid(3), "Large", "x" * cloud.limit),
        )
    )
    run = ready.up_well()
    assert f"({uid(2)}) is not synced: illegal name" in run
    assert f"({uid(3)}) is not synced: too large" in run
    assert cloud.values(ready) == {"Good": password("p1")}


def test_a_wrong_identity_writes_nothing(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1"), trusted=False))
    run = ready.up()
    assert run.code != 0
    assert cloud.wrong_identity in run
    assert cloud.name == "azure" or cloud.configuration()["syncIdentity"] in run
    assert cloud.values(ready) == {}


def test_an_identity_that_was_lost_shows_before_anything_is_deleted(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    records = [login(uid(n), f"Record {n}", "p") for n in range(3)]
    sandbox.write_vault(cloud.vault(*records))
    ready.up_well()
    sandbox.write_vault(cloud.vault(*records[:2], trusted=False))
    run = ready.preview()
    assert run.code != 0
    assert cloud.wrong_identity in run
    configure(ready, cloud, checkIdentity=False)
    sandbox.control.reset_calls()
    ready.preview()
    assert not cloud.calls(sandbox) - {"oauth2.Token", "iamcredentials.GenerateAccessToken"}


def test_throttled_calls_are_tried_again(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1")))
    sandbox.control.add_fault(Fault(cloud.name, cloud.create, FaultKind.THROTTLED, times=2))
    ready.up_well()
    assert cloud.values(ready) == {"First": password("p1")}


def test_held_and_disabled_configurations_change_nothing(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1")))
    ready.up_well()
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p2"), login(uid(2), "Second", "p3")))
    sandbox.control.reset_calls()
    for keys in ({"dryRun": True}, {"enabled": False}):
        configure(ready, cloud, **keys)
        ready.up_well()
    assert cloud.calls(sandbox) == set()
    assert cloud.values(ready) == {"First": password("p1")}


def test_no_value_is_left_in_state_or_on_the_screen(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "canary-one")))
    # What `--debug` shows of GCP is told in docs/security.md, and held by test_logs.py.
    loud = () if cloud.name == "gcp" else ("--debug",)
    screens = [ready.preview("--diff").output, ready.up_well(*loud).output]
    sandbox.edit(lambda found: found[uid(1)]["fields"][1].update(value=["canary-two"]))
    screens += [ready.preview("--diff").output, ready.up_well("--diff").output, ready.exported()]
    assert [found for screen in screens if (found := leaks(screen, "canary", "BEGIN PRIVATE KEY"))] == []
