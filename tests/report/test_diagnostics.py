"""Reports: counts, reasons and names for people, and no value."""

from __future__ import annotations

import json

import pytest

from tests.builders import OWNERSHIP, SOURCE, configuration, held, only, plan, record
from tests.leaks import leaks
from uss.clouds.interface import Findings, FoundSecret, KeyVault
from uss.keeper import Field, Record
from uss.planning.plan import Plan
from uss.planning.settle import settle
from uss.report import diagnostics


def test_the_summary_tells_what_happens_to_which_record() -> None:
    records = [
        record("R1", "New One"),
        record("R2", "changed"),
        record("R3", "after"),
        record("R4", "again"),
        record("R5", "same", attachments=("a.txt", "b\n.txt")),
        record("R6", "bad: title"),
    ]
    state = [
        held("R2", "changed", "old"),
        held("R3", "before"),
        held("R0", "again"),
        held("R5", "same"),
        held("R9", "gone"),
    ]
    assert diagnostics.summary(plan(records, state)).splitlines() == [
        "aws: 5 secrets: 1 to create, 1 to rename, 1 to take over, 1 with a new value, 1 unchanged, 1 to delete, "
        "1 refused",
        '  create New-One (record "New One")',
        '  new value for changed (record "changed")',
        '  rename before to after (record "after" was retitled)',
        '  take over again (record "again"): the record replaces R0, which has left',
        "  delete gone (record R9 has left): AWS can restore it for 30 days",
        '  not synced: attachments of "same": "a.txt", "b\\n.txt"',
    ]


def test_what_readers_lose_beside_the_change_is_told() -> None:
    records = [record("R1", "a"), record("R2", "changed")]
    state = [held("R1", "p-a"), held("R2", "changed", "old", replicas=["eu-west-1"])]
    lines = diagnostics.summary(plan(records, state)).splitlines()
    assert lines[1:] == [
        '  rename p-a to a (record "a" has another `namePrefix`)',
        '  new value for changed (record "changed"): the record\'s value changed; it is taken out of eu-west-1',
    ]


def test_held_disabled_and_removed_configurations_say_so() -> None:
    text = diagnostics.summary(
        plan(
            [record()],
            [held("R8", "x", owner="off"), held("R9", "y", owner="gone")],
            configuration(name="held", dry_run=True),
            configuration(name="off", enabled=False),
        )
    )
    assert "held: 1 secret: 1 to create\n  dryRun is true: `pulumi up` applies none of this\n" in text
    assert "off: disabled, 1 secret left as they are" in text
    assert "gone: no longer in stacks/Pulumi.test.yaml\n  delete y (record R9)" in text
    kept = diagnostics.summary(plan([], [held("R9", "y", owner="gone")], retaining=["gone"]))
    assert "  let go of y (record R9)" in kept


def test_a_long_list_of_changes_is_cut() -> None:
    lines = diagnostics.summary(plan([record(f"R{number:04}", f"t{number}") for number in range(500)])).splitlines()
    assert lines[0] == "aws: 500 secrets: 500 to create"
    assert lines[-1] == "  and 300 more"
    assert len(lines) == 202


def test_a_refusal_tells_title_reason_and_mend_and_whether_the_secret_stays() -> None:
    part = only(plan([record("R1", "bad:\x1b title"), record("R2", "")], [held("R1", "a")]))
    first, second = diagnostics.warnings(part)
    assert first.startswith(
        "aws: record \"bad:\\x1b title\" (R1) is not synced: illegal name: the name would hold U+001B, ':' (U+003A). "
        "Its secret stays as it is. Retitle the record"
    )
    assert "Its secret stays" not in second


def test_the_output_has_counts_names_and_reasons_and_no_value() -> None:
    records = [record("R1", "a", Field("secret", "value", ("canary",)), attachments=("f",)), record("R2", "")]
    part = only(plan(records))
    output = diagnostics.output(part, {"R1": {"arn": "arn:x", "version": "v1"}})
    assert output["counts"] == {"synced": 1, "refused": 1, "kept": 0}
    assert output["records"]["R1"] == {
        "title": "a",
        "name": "a",
        "contentType": "text/plain",
        "revision": 1,
        "arn": "arn:x",
        "version": "v1",
    }
    assert output["refused"]["R2"]["reason"] == "illegal name"
    assert output["attachmentsNotSynced"] == {"R1": ["f"]}
    assert leaks(repr(output), "canary") == {}


CANARY = "canary-5f2c"
VALUES = [
    Field("secret", "value", (CANARY,)),
    Field("host", "", ({"hostName": CANARY, "port": CANARY},)),
    Field("secret", "value", (CANARY + "\ud800",)),
    Field("secret", "value", (CANARY * 6_000,)),
    Field("secret", "value", (CANARY, float("nan"))),
]


@pytest.mark.parametrize("value", VALUES, ids=["plain", "json", "surrogate", "large", "not a number"])
@pytest.mark.parametrize("title", ["fine", "bad: title", ""])
@pytest.mark.parametrize("kind", ["login", "pamAwsConfiguration"])
def test_nothing_that_is_told_holds_a_value(value: Field, title: str, kind: str) -> None:
    entries = [record("R1", title, value, kind=kind, notes=CANARY), record("R2", title, value)]
    state = [held("R1", "fine", CANARY), held("R9", "gone", CANARY), held("R8", "x", CANARY, owner="removed")]
    planned = plan(entries, state)
    part = only(planned)
    output = diagnostics.output(part, {secret.record_uid: {} for secret in part.secrets})
    told = [diagnostics.summary(planned), *diagnostics.warnings(part), json.dumps(output), repr(planned)]
    assert leaks("".join(told), CANARY) == {}


@pytest.mark.parametrize("title", ["\ud800", "a\udfffb", "\x00", "\u202e", "日本"])
def test_whatever_the_title_the_engine_can_carry_the_output_and_a_terminal_the_lines(title: str) -> None:
    entry: Record = record("R1", title)
    planned = plan([entry, record("R2", "fine", attachments=(title,))])
    part = only(planned)
    json.dumps(diagnostics.output(part, {"R2": {}}), ensure_ascii=False).encode()
    assert all(line.isprintable() for line in (*diagnostics.summary(planned).splitlines(), *diagnostics.warnings(part)))


def test_a_title_that_can_be_carried_is_in_the_output_as_it_is() -> None:
    part = only(plan([record("R1", "日本: Größe\n")]))
    assert diagnostics.output(part, {})["refused"]["R1"]["title"] == "日本: Größe\n"


def test_the_output_counts_what_is_kept_and_names_the_mode() -> None:
    part = only(plan([record("R1", "")], [held("R1", "a")], configuration(dry_run=True, on_delete="retain")))
    output = diagnostics.output(part, {})
    assert output["counts"] == {"synced": 0, "refused": 1, "kept": 1}
    assert (output["type"], output["mode"], output["onDelete"]) == ("aws", "hold", "retain")


def test_the_output_of_a_disabled_configuration_tells_its_mode() -> None:
    output = diagnostics.output(only(plan([], [held("R1", "a")], configuration(enabled=False))), {})
    assert (output["type"], output["mode"], output["counts"]["kept"]) == (None, "disabled", 1)


def test_a_configuration_without_records_says_so() -> None:
    assert diagnostics.summary(plan([])) == "aws: 0 secrets"


def test_other_tags_are_told_as_such() -> None:
    text = diagnostics.summary(plan([record("R1", "a")], [held("R1", "a")], configuration(tags={"team": "x"})))
    assert text.splitlines() == ["aws: 1 secret: 1 with new tags", '  new tags for a (record "a")']


def test_recoveries_key_vaults_and_names_that_could_not_be_seen_are_told() -> None:
    part = only(plan([record("R1", "One"), record("R2", "Two")]))
    tags = OWNERSHIP.tags("R1", "text/plain")
    findings = Findings({"R1": FoundSecret((tags,), {})}, denied=("Two",), refusal='"no"', key_vault=KeyVault.MISSING)
    settled = settle(part, findings, OWNERSHIP, {})
    text = diagnostics.summary(Plan(SOURCE, (settled,)))
    assert "aws: 2 secrets: 1 to create, 1 to recover\n" in text
    assert '  recover One (record "One"): it is this stack\'s own, and the state had lost it' in text
    assert "is not there yet: it will be made" in text
    (warning,) = diagnostics.warnings(settled)
    assert 'may not look at 1 name of secrets to create ("Two")' in warning
    assert warning.endswith('nothing is overwritten. The cloud says: "no"')


def test_an_entry_of_adopt_that_is_no_linked_record_is_told() -> None:
    part = only(plan([record("R1", "One")], (), configuration(adopt=["R1", "One", "Onne"])))
    (warning,) = diagnostics.warnings(part)
    assert '`adopt` lists "Onne", which is no record of the linked folders' in warning
