"""Plans settled with what clouds hold: recoveries, conflicts, and that nobody else's secret is ever touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import OWNERSHIP, configuration, held, only, plan, record
from uss.clouds.aws import SECRET, VERSION
from uss.clouds.interface import Findings, FoundSecret, KeyVault, Marked, Obstacle, Ownership
from uss.keeper import Field
from uss.planning.plan import Change, Reason
from uss.planning.settle import settle, without_known
from uss.report.diagnostics import warnings

OURS = OWNERSHIP.tags("R1", "text/plain")
IDS = {(SECRET, ""): "arn", (VERSION, ""): "arn|1"}


def found(*tags: Mapping[str, str]) -> Findings:
    """What the cloud holds for the record R1."""
    return Findings({"R1": FoundSecret(tags, IDS)})


def test_what_is_this_stacks_own_is_recovered() -> None:
    part = settle(only(plan([record("R1"), record("R2", "Other")])), found(OURS), OWNERSHIP, {})
    first, second = part.secrets
    assert (first.change, second.change) == (Change.RECOVER, Change.CREATE)
    assert (first.imported(SECRET), first.imported(VERSION), second.imported(SECRET)) == ("arn", "arn|1", None)
    assert part.refusals == ()


@pytest.mark.parametrize("entry", ["R1", "Record"])
@pytest.mark.parametrize("tags", [{}, {"team": "a"}, OURS | {"keeper-record-uid": "R9"}])
def test_what_is_nobodys_is_adopted_where_the_configuration_says_so(entry: str, tags: Mapping[str, str]) -> None:
    part = settle(only(plan([record("R1")], (), configuration(adopt=[entry]))), found(tags), OWNERSHIP, {})
    assert [secret.change for secret in part.secrets] == [Change.ADOPT]


def test_an_entry_of_adopt_takes_a_records_first_secret_and_no_other_one() -> None:
    """Whoever may edit a record could otherwise turn it to any secret that nobody's mark protects."""
    retitled = only(plan([record("R1", "After")], [held("R1", "Before")], configuration(adopt=["R1", "After"])))
    assert [secret.change for secret in retitled.secrets] == [Change.RENAME]
    part = settle(retitled, found({}), OWNERSHIP, {})
    assert (part.secrets, [refusal.reason for refusal in part.refusals]) == ((), [Reason.CONFLICT])
    named = record("R1", "Listed", Field("text", "uss:name", ("root",)), Field("password", "", ("p",)))
    part = settle(only(plan([named], (), configuration(adopt=["Listed"]))), found({}), OWNERSHIP, {})
    assert [refusal.reason for refusal in part.refusals] == [Reason.CONFLICT]
    part = settle(only(plan([named], (), configuration(adopt=["R1"]))), found({}), OWNERSHIP, {})
    assert [secret.change for secret in part.secrets] == [Change.ADOPT]


@pytest.mark.parametrize(
    "mark", ["managed-by", "ManagedBy", "Managed-By", "terraform", "managed_by", "aws:x", "goog-terraform-provisioned"]
)
def test_a_tools_mark_is_never_adopted(mark: str) -> None:
    part = settle(only(plan([record("R1")], (), configuration(adopt=["R1"]))), found({mark: "true"}), OWNERSHIP, {})
    assert (part.secrets, [refusal.reason for refusal in part.refusals]) == ((), [Reason.CONFLICT])


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({}, "which this stack did not create"),
        ({"managed-by": "terraform"}, 'which another tool manages: it is marked "managed-by": "terraform"'),
        ({"aws:cloudformation:stack-name": "x"}, 'marked "aws:cloudformation:stack-name": "x"'),
        (OURS | {"pulumi-stack": "prod"}, 'which the stack "prod" of project "uss" manages, for record "R1"'),
        (OURS | {"pulumi-project": "other"}, 'which the stack "test" of project "other" manages'),
        (OURS | {"keeper-record-uid": "R9"}, 'for record "R9"'),
        (OURS | {"managed-by": "\x1b[31m"}, 'marked "managed-by": "\\x1b[31m"'),
    ],
)
def test_what_is_anybody_elses_is_a_conflict(tags: Mapping[str, str], told: str) -> None:
    part = settle(only(plan([record("R1"), record("R2", "Other")])), found(tags), OWNERSHIP, {})
    assert [secret.record_uid for secret in part.secrets] == ["R2"]
    (refusal,) = part.refusals
    assert (refusal.reason, refusal.record_uid) == (Reason.CONFLICT, "R1")
    assert refusal.found.startswith('AWS Secrets Manager holds a secret "Record" already, which ')
    assert told in refusal.found


@pytest.mark.parametrize("tags", [(), (OURS,)])
def test_a_deleted_secret_that_keeps_its_name_is_told(tags: tuple[Mapping[str, str], ...]) -> None:
    deleted = FoundSecret(tags, {}, obstacle=Obstacle("AWS keeps it", "Restore it."))
    part = settle(only(plan([record("R1"), record("R2", "Other")])), Findings({"R1": deleted}), OWNERSHIP, {})
    assert [secret.record_uid for secret in part.secrets] == ["R2"]
    (refusal,) = part.refusals
    assert (refusal.reason, refusal.found, refusal.mend) == (Reason.NAME_IN_USE, "AWS keeps it", "Restore it.")


def test_orphans_are_what_no_plan_and_no_state_accounts_for() -> None:
    names = ["Record", "Gone", "Held", "Refused"]
    marked = tuple(Marked(name, f"R{number}", f"arn-{name}") for number, name in enumerate(names, 1))
    planned = only(plan([record("R1"), record("R4", "\n")]))
    part = settle(planned, Findings(marked=marked), OWNERSHIP, {"arn-Held": "aws"})
    (settled,) = without_known([part])
    assert [entry.name for entry in settled.orphans] == ["Gone"]
    (line,) = [line for line in warnings(settled) if "They stay" in line]
    assert "1 secret of this stack" in line
    assert '"Gone" (record "R2")' in line


@pytest.mark.parametrize("keys", [{"on_delete": "retain"}, {"enabled": False}])
def test_where_it_is_not_certain_no_orphan_is_named(keys: Mapping[str, object]) -> None:
    first, second = plan([], (), configuration(), configuration(name="other", **keys)).configurations
    orphan = (Marked("Gone", "R2", "arn"),)
    assert [part.orphans for part in without_known([replace(first, orphans=orphan), second])] == [(), ()]


def test_one_foreign_copy_is_enough_for_a_conflict() -> None:
    part = settle(only(plan([record("R1")])), found(OURS, {}), OWNERSHIP, {})
    assert part.secrets == ()


def test_a_retitled_record_whose_new_name_is_taken_keeps_its_secret() -> None:
    secret = held("R1", "Before")
    part = settle(only(plan([record("R1", "After")], [secret])), found({}), OWNERSHIP, {})
    assert part.kept == (secret,)
    assert (part.deletions, part.secrets) == ((), ())


def test_a_renaming_that_was_cut_off_stays_one() -> None:
    part = settle(only(plan([record("R1", "After")], [held("R1", "Before")])), found(OURS), OWNERSHIP, {})
    (secret,) = part.secrets
    assert (secret.change, secret.former_name, secret.imported(SECRET)) == (Change.RENAME, "Before", "arn")


def test_a_value_that_is_there_already_is_taken_without_a_question_of_ownership() -> None:
    part = settle(only(plan([record("R1")], [held("R1", "Record", "old")])), found(), OWNERSHIP, {})
    (secret,) = part.secrets
    assert (secret.change, secret.imported(VERSION)) == (Change.VALUE, "arn|1")


def test_what_could_not_be_seen_is_passed_on() -> None:
    part = settle(
        only(plan([record("R1")])),
        Findings(denied=("Record",), refusal="no", key_vault=KeyVault.MISSING),
        OWNERSHIP,
        {},
    )
    assert (part.denied, part.refusal, part.key_vault) == (("Record",), "no", KeyVault.MISSING)
    assert part.secrets[0].change is Change.CREATE


_TAGS = st.dictionaries(st.sampled_from(sorted(OURS)), st.sampled_from(["keeper-uss", "R1", "uss", "test", "x", ""]))


@given(tags=_TAGS)
def test_only_the_four_tags_of_this_record_in_this_stack_own(tags: dict[str, str]) -> None:
    owned = (
        tags.get("managed-by") == "keeper-uss"
        and tags.get("keeper-record-uid") == "R1"
        and tags.get("pulumi-project") == "uss"
        and tags.get("pulumi-stack") == "test"
    )
    assert Ownership("uss", "test").owns(tags, "R1") is owned
    part = settle(only(plan([record("R1")])), found(tags), OWNERSHIP, {})
    assert bool(part.secrets) is owned
    assert len(part.secrets) + len(part.refusals) == 1
    assert part.deletions == ()


@pytest.mark.parametrize("change", [{}, {"adopt": ["R1"]}])
def test_what_another_configuration_of_the_stack_has_is_not_lost_and_not_taken(change: dict[str, list[str]]) -> None:
    imports = {(SECRET, ""): "arn:one", (SECRET, "eu-west-1"): "arn:two@eu-west-1"}
    for held_id in ("arn:one", "arn:two"):
        findings = Findings({"R1": FoundSecret((OURS, OURS), imports)})
        part = only(plan([record("R1")], (), configuration(**change)))
        settled = settle(part, findings, OWNERSHIP, {held_id: "disabled"})
        assert settled.secrets == ()
        (refusal,) = settled.refusals
        assert refusal.reason is Reason.NAME_IN_USE
        assert 'the configuration "disabled" of this stack' in refusal.found
