"""Guards: what stops a run before anything is declared."""

from __future__ import annotations

import pytest

from tests.builders import configuration, held, plan, record
from uss import guards
from uss.errors import GuardError


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
    with pytest.raises(GuardError, match="its folders read empty"):
        guards.check(plan([], [held("R1", "a")]))


def test_a_configuration_whose_records_are_all_refused_does_not_read_empty() -> None:
    guards.check(plan([record("R1", "bad: title")], [held("R1", "a"), held("R2", "b")]))


@pytest.mark.parametrize("keys", [{"dry_run": True}, {"enabled": False}])
def test_what_is_not_applied_is_not_guarded(keys: dict[str, bool]) -> None:
    guards.check(plan([], [held("R1", "a")], configuration(**keys)))


def test_a_removed_configuration_is_guarded() -> None:
    state = [held(uid, uid, owner="gone") for uid in numbered(11)]
    with pytest.raises(GuardError, match="is no longer there") as caught:
        guards.check(plan([record()], state))
    assert "pulumi destroy --target '**gone/*'" in str(caught.value)
    guards.check(plan([record()], state[:5]))
