"""Approvals: for one plan alone, and telling nothing of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import configuration, held, only, plan, record
from uss.clouds.interface import HeldSecret
from uss.errors import ConfigurationError, GuardError
from uss.keeper import Field, Record
from uss.planning.approval import approve, parse_approvals, with_digests
from uss.planning.plan import Mode, Plan

KEY = b"key"


def digest(records: list[Record], state: list[HeldSecret] | None = None, **keys: object) -> str:
    """The digest of the one configuration's plan."""
    return only(with_digests(plan(records, state or [], configuration(**keys)), KEY)).digest


def held_plan() -> Plan:
    """A plan that waits for an approval."""
    return with_digests(plan([record()], [held("R9", "z", owner="gone")], configuration(dry_run=True)), KEY)


@pytest.mark.parametrize("text", ["", ",", " , "])
def test_nothing_is_no_approval(text: str) -> None:
    assert parse_approvals(text) == {}


def test_several_are_separated_by_commas() -> None:
    text = "production-aws=0123456789ab, b.2=ffffffffffff"
    assert parse_approvals(text) == {"production-aws": "0123456789ab", "b.2": "ffffffffffff"}


@pytest.mark.parametrize(
    "text",
    [
        "aws",
        "aws=",
        "aws=123",
        "aws=0123456789AB",
        "=0123456789ab",
        "a=0123456789ab,a=0123456789ab",
        "a\nb=0123456789ab",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="USS_APPROVE: found .* as in USS_APPROVE=production-aws="):
        parse_approvals(text)


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    try:
        parse_approvals(text)
    except ConfigurationError as error:
        assert str(error).isprintable()


def test_an_approval_lifts_the_hold() -> None:
    planned = held_plan()
    assert only(planned).mode is Mode.HOLD
    approved = only(approve(planned, {"aws": only(planned).digest}))
    assert (approved.mode, approved.approved) == (Mode.SYNC, True)
    assert only(approve(planned, {})) == only(planned)


def test_a_removed_configuration_is_approved_by_its_name() -> None:
    planned = held_plan()
    (removed,) = approve(planned, {"gone": planned.removed[0].digest}).removed
    assert removed.approved


@pytest.mark.parametrize(
    ("name", "given_digest", "told"),
    [("aws", "0123456789ab", "which is [0-9a-f]{12} now"), ("other", "0123456789ab", 'It has: "aws", "gone"')],
)
def test_anything_but_this_plan_is_refused(name: str, given_digest: str, told: str) -> None:
    with pytest.raises(GuardError, match=told) as caught:
        approve(held_plan(), {name: given_digest})
    assert "Nothing was changed" in str(caught.value)


def test_a_plan_with_nothing_to_do_has_no_digest_and_takes_no_approval() -> None:
    planned = with_digests(plan([record("R1", "a")], [held("R1", "a")]), KEY)
    assert only(planned).digest == ""
    with pytest.raises(GuardError, match="has nothing to do now"):
        approve(planned, {"aws": "0123456789ab"})


def test_the_digest_is_of_all_that_the_plan_would_do() -> None:
    base = [record("R1", "a"), record("R2", "b")]
    other_value = record("R1", "a", Field("password", "", ("other",)))
    digests = [
        digest(base),
        digest([other_value, base[1]]),
        digest([record("R1", "A"), base[1]]),
        digest(base[:1]),
        digest(base, [held("R9", "gone")]),
        digest(base, [held("R1", "a", "old")]),
        digest(base, tags={"team": "x"}),
        digest(base, name_prefix="p-"),
        digest(base, regions=["eu-west-1"]),
        digest(base, name="aws2"),
    ]
    assert len(set(digests)) == len(digests)
    assert digest(base) == digest(list(reversed(base)))
    assert digest([replace(base[0], revision=7), base[1]]) == digest(base)


def test_the_key_is_in_it() -> None:
    planned = plan([record()])
    assert only(with_digests(planned, KEY)).digest != only(with_digests(planned, b"another")).digest


@pytest.mark.parametrize(
    "keys", [{"adopt": ["R1"]}, {"recovery_window_in_days": 0}, {"region_mode": "independent"}, {"on_delete": "retain"}]
)
def test_the_digest_is_of_how_it_would_be_done_too(keys: dict[str, object]) -> None:
    first, second = (
        only(with_digests(plan([record("R1")], (), configuration(**given)), b"key")) for given in ({}, keys)
    )
    assert first.digest != second.digest


def test_letting_go_and_deleting_are_two_plans() -> None:
    digests = {
        with_digests(plan([], [held("R1", "a", owner="gone")], retaining=retaining), b"key").removed[0].digest
        for retaining in ((), ("gone",))
    }
    assert len(digests) == 2
