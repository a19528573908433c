"""Guards: what stops a run before anything is declared."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import ARN, SOURCE, configuration, held, only, plan, record
from tests.leaks import leaks
from uss.config import Configuration
from uss.errors import GuardError
from uss.keeper import Field
from uss.planning import guards
from uss.planning.approval import with_digests
from uss.planning.plan import Change, Plan


def numbered(count: int, first: int = 0) -> list[str]:
    """UIDs of records."""
    return [f"R{number:03}" for number in range(first, first + count)]


@pytest.mark.parametrize(
    ("before", "gone", "limits", "stops"),
    [
        (9, 8, {}, False),
        (10, 2, {}, False),
        (10, 3, {}, True),
        (100, 10, {}, False),
        (100, 11, {}, True),
        (100, 11, {"maxDeletes": 11}, False),
        (100, 30, {"maxDeletes": 50}, True),
        (100, 30, {"maxDeletes": 50, "maxDeletePercent": 30}, False),
        (5, 1, {"maxDeletes": 0}, True),
        (5, 1, {"maxDeletePercent": 0}, False),
        (10, 1, {"maxDeletePercent": 0}, True),
        (11, 2, {"maxDeletePercent": 18}, True),
        (11, 2, {"maxDeletePercent": 19}, False),
        (50, 49, {"maxDeletes": 50, "maxDeletePercent": 100}, False),
    ],
)
def test_either_limit_exceeded_stops_and_the_percentage_counts_from_ten(
    before: int, gone: int, limits: dict[str, int], stops: bool
) -> None:
    uids = numbered(before)
    planned = plan(
        [record(uid, uid) for uid in uids[gone:]], [held(uid, uid) for uid in uids], configuration(limits=limits)
    )
    if not stops:
        guards.check(planned)
        return
    with pytest.raises(GuardError, match=f"would delete {gone} of {before} secrets") as caught:
        guards.check(planned)
    assert "Nothing was changed" in str(caught.value)
    assert "limits." in str(caught.value)
    assert '"R000"' in str(caught.value)


def test_a_configuration_that_reads_empty_stops() -> None:
    with pytest.raises(GuardError, match="its folders read empty") as caught:
        guards.check(plan([], [held("R1", "a")]))
    assert caught.value.approvable


def test_a_configuration_whose_records_are_all_refused_does_not_read_empty() -> None:
    guards.check(plan([record("R1", "bad: title")], [held("R1", "a"), held("R2", "b")]))


@pytest.mark.parametrize("keys", [{"dry_run": True}, {"enabled": False}])
def test_what_is_not_applied_is_not_guarded(keys: dict[str, bool]) -> None:
    guards.check(plan([], [held("R1", "a")], configuration(**keys)))


def test_a_removed_configuration_is_guarded() -> None:
    state = [held(uid, uid, owner="gone") for uid in numbered(11)]
    with pytest.raises(GuardError, match="is no longer there") as caught:
        guards.check(plan([record()], state))
    assert "give the new one `formerly: gone`" in str(caught.value)
    with pytest.raises(GuardError, match="would delete its 1 secrets"):
        guards.check(plan([record()], state[:1]))
    guards.check(plan([record()], state, retaining=["gone"]))


@given(st.integers(1, 40), st.data(), st.integers(0, 40), st.integers(0, 100))
@settings(max_examples=100, deadline=None)
def test_a_run_stops_exactly_when_a_limit_is_exceeded(
    before: int, data: st.DataObject, most: int, percent: int
) -> None:
    gone = data.draw(st.integers(0, before - 1))
    uids = numbered(before)
    limits = {"maxDeletes": most, "maxDeletePercent": percent}
    planned = plan(
        [record(uid, uid) for uid in uids[gone:]], [held(uid, uid) for uid in uids], configuration(limits=limits)
    )
    if gone > most or (before >= 10 and gone * 100 > percent * before):
        with pytest.raises(GuardError):
            guards.check(planned)
    else:
        guards.check(planned)


def test_every_limit_that_is_exceeded_is_told_and_the_names_of_the_first_five() -> None:
    uids = numbered(40)
    planned = plan([record(uid, uid) for uid in uids[20:]], [held(uid, uid, "canary") for uid in uids])
    with pytest.raises(GuardError) as caught:
        guards.check(planned)
    text = str(caught.value)
    assert text.startswith('stacks/Pulumi.test.yaml, configuration "aws": this run would delete 20 of 40 secrets')
    assert "limits.maxDeletes is 10 and limits.maxDeletePercent is 20" in text
    assert '"R000", "R001", "R002", "R003", "R004" and 15 more' in text
    assert leaks(text, "canary") == {}


def test_one_configuration_above_its_limits_stops_the_whole_run() -> None:
    uids = numbered(20)
    fine, other = configuration(name="fine"), configuration(name="other", name_prefix="p-", folders=["OTHER"])
    planned = plan(
        [record("A", "a"), record("B", "b", folders=["OTHER"])], [held(u, u, owner="other") for u in uids], fine, other
    )
    with pytest.raises(GuardError, match='configuration "other"'):
        guards.check(planned)


@pytest.mark.parametrize("retaining", [(), ("aws",)])
def test_a_configuration_that_retains_stops_too_once_its_secrets_would_be_let_go(retaining: tuple[str, ...]) -> None:
    planned = plan([], [held("R1", "a")], configuration(on_delete="retain"), retaining=retaining)
    if not retaining:
        guards.check(planned)
        return
    with pytest.raises(GuardError, match="read empty"):
        guards.check(planned)


def test_a_record_made_anew_costs_readers_nothing() -> None:
    guards.check(plan([record(f"N{uid}", uid) for uid in numbered(20)], [held(uid, uid) for uid in numbered(20)]))


def spread(*regions: str, **keys: object) -> Configuration:
    """A configuration of these regions."""
    return configuration(regions=list(regions), **keys)


UIDS = numbered(12)
REPLICATED = [held(uid, uid, replicas=["eu-west-1", "eu-central-1"]) for uid in UIDS]
COPIED = [held(uid, uid, copies=["eu-west-1"]) for uid in UIDS]


@pytest.mark.parametrize(
    ("planned", "told"),
    [
        (
            plan([record(uid, uid) for uid in UIDS], [held(uid, uid) for uid in UIDS], configuration(name_prefix="q-")),
            '12 renamed, because `namePrefix` is now "q-"',
        ),
        (
            plan(
                [record(uid, uid) for uid in UIDS], [held(uid, f"p-{uid}") for uid in UIDS], titles={u: u for u in UIDS}
            ),
            '12 renamed, because `namePrefix` is now ""',
        ),
        (
            plan(
                [record(uid, f"db-{uid}") for uid in UIDS],
                [held(uid, f"old-db-{uid}") for uid in UIDS],
                titles={uid: f"old-db-{uid}" for uid in UIDS},
            ),
            "12 renamed, because their records were retitled",
        ),
        (
            plan([record(uid, f"new-{uid}") for uid in UIDS], [held(uid, uid) for uid in UIDS]),
            "12 renamed, because their records were retitled",
        ),
        (
            plan([record(uid, uid) for uid in UIDS], REPLICATED, spread("us-east-1", "eu-central-1")),
            "12 taken out of eu-west-1, because",
        ),
        (
            plan(
                [record(uid, uid, Field("password", "", ("other",))) for uid in UIDS], REPLICATED, spread("us-east-1")
            ),
            "12 taken out of eu-central-1, eu-west-1, because",
        ),
        (
            plan([record(uid, uid) for uid in UIDS], COPIED, spread("us-east-1", region_mode="independent")),
            "12 taken out of eu-west-1, because",
        ),
        (
            # Records made anew, whose secrets stay in the regions that are left.
            plan([record(f"N{uid}", uid) for uid in UIDS], REPLICATED, spread("us-east-1", "eu-west-1")),
            "12 taken out of eu-central-1, because",
        ),
    ],
)
def test_what_readers_lose_stops_whatever_takes_it_from_them(planned: Plan, told: str) -> None:
    planned = with_digests(planned, b"key")
    with pytest.raises(GuardError, match="take 12 of 12 secrets from where their readers find them") as caught:
        guards.check(planned)
    assert told in str(caught.value)
    assert '"R000", "R001", "R002", "R003", "R004" and 7 more' in str(caught.value).replace("old-db-", "").replace(
        "p-", ""
    )
    assert f"USS_APPROVE=aws={only(planned).digest} pulumi up" in str(caught.value)
    guards.check(replace(planned, configurations=(replace(only(planned), approved=True),)))


def test_causes_are_counted_together_and_a_secret_once() -> None:
    records = [record(uid, f"new-{uid}") for uid in UIDS[:6]] + [record(uid, uid) for uid in UIDS[6:10]]
    planned = plan(records, REPLICATED, spread("us-east-1", "eu-central-1", limits={"maxDeletes": 11}))
    with pytest.raises(GuardError) as caught:
        guards.check(planned)
    text = str(caught.value)
    assert "take 12 of 12 secrets from where their readers find them (6 renamed, because their records" in text
    assert "; 10 taken out of eu-west-1, because" in text
    assert "; 2 deleted, because their records have left)" in text


def test_a_single_new_title_and_a_region_more_go_through() -> None:
    records = [record(uid, uid) for uid in UIDS]
    guards.check(plan([record("R000", "new"), *records[1:]], [held(uid, uid) for uid in UIDS]))
    guards.check(plan(records, REPLICATED, spread("us-east-1", "eu-west-1", "eu-central-1", "us-west-2")))
    guards.check(plan(records, COPIED, spread("us-east-1", "eu-west-1", region_mode="independent")))


def test_an_empty_vault_and_an_empty_state_are_fine() -> None:
    guards.check(plan([]))


@pytest.mark.parametrize("approved", [False, True])
def test_an_approval_passes_the_guards_of_its_configuration_alone(approved: bool) -> None:
    uids = numbered(20)
    planned = plan(
        [record("A", "a")],
        [held(uid, uid) for uid in uids] + [held(f"X{uid}", uid, owner="gone") for uid in uids],
    )
    part = replace(only(planned), approved=approved)
    removed = [replace(entry, approved=True) for entry in planned.removed]
    both = replace(planned, configurations=(part,), removed=tuple(removed))
    if approved:
        guards.check(both)
        with pytest.raises(GuardError, match='"gone" is no longer there'):
            guards.check(replace(planned, configurations=(part,)))
        return
    with pytest.raises(GuardError, match="would delete 20 of 20"):
        guards.check(both)


def test_a_guard_says_how_to_approve() -> None:
    planned = with_digests(plan([], [held("R1", "a"), held("R2", "b", owner="gone")]), b"key")
    with pytest.raises(GuardError, match=f"USS_APPROVE=aws={only(planned).digest} pulumi up"):
        guards.check(planned)


def test_a_folder_with_nothing_but_credentials_reads_empty() -> None:
    pam = record("PAM", "AWS", kind="pamAwsConfiguration")
    with pytest.raises(GuardError, match="its folders read empty"):
        guards.check(plan([pam], [held("R1", "a")]))


def test_secrets_that_would_move_stop_unless_approved_and_another_account_stops_always() -> None:
    region = plan([record("R1", "a")], [held("R1", "a", arn=ARN.replace("us-east-1", "eu-west-1"))])
    with pytest.raises(GuardError, match="from the first region eu-west-1 to the first region us-east-1"):
        guards.check(region)
    guards.check(replace(region, configurations=(replace(only(region), approved=True),)))
    account = plan([record("R1", "a")], [held("R1", "a", arn=ARN.replace("123456789012", "999999999999"))])
    for approved in (False, True):
        with pytest.raises(GuardError, match="in the AWS account 999999999999, and it now writes to") as caught:
            guards.check(replace(account, configurations=(replace(only(account), approved=approved),)))
        assert not caught.value.approvable
    guards.check(plan([record("R1", "a")], [held("R1", "a", arn=ARN)]))


def test_secrets_that_are_made_anew_count_as_deletions() -> None:
    part = only(plan([record("R1", "a")], [held("R1", "a")], configuration(limits={"maxDeletes": 0})))
    anew = replace(part, secrets=tuple(replace(secret, change=Change.REPLACE) for secret in part.secrets))
    guards.check(Plan(SOURCE, (part,)))
    with pytest.raises(GuardError, match=r"would delete 1 of 1 secrets \(1 to make them anew\)"):
        guards.check(Plan(SOURCE, (anew,)))
