"""Counted quotas."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from uss.sandbox.quotas import AzureLimits, Bucket, BucketSize, Quotas, Window


class Hand:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """The seconds now."""
        return self.now


def test_a_window_takes_its_calls_and_says_when_the_oldest_leaves_it() -> None:
    clock = Hand()
    quotas, window = Quotas(clock), Window("key", 2, 10)
    taken = []
    for clock.now in (0.0, 4.0, 6.5, 9.9, 10.0, 10.0):
        taken.append(quotas.take([window]))
    assert taken == [None, None, 4, 1, None, 4]


def test_a_bucket_fills_up_again_but_not_beyond_its_size() -> None:
    clock = Hand()
    quotas, bucket = Quotas(clock), Bucket("key", BucketSize(size=2, per_second=0.5))
    taken = []
    for clock.now in (0.0, 0.0, 0.0, 1.0, 2.0, 100.0, 100.0, 100.0):
        taken.append(quotas.take([bucket]))
    assert taken == [None, None, 2, 1, None, None, None, 2]


def test_a_call_that_one_quota_refuses_is_taken_of_none() -> None:
    clock = Hand()
    quotas, narrow, wide = Quotas(clock), Window("narrow", 1, 10), Window("wide", 2, 10)
    assert [quotas.take([wide, narrow]) for _ in range(3)] == [None, 10, 10]
    assert quotas.take([wide]) is None
    assert quotas.take([Window("other", 1, 10)]) is None


@pytest.mark.parametrize("limits", [{"vaultCreations": 0}, {"armReads": {"size": 1}}, {"unknown": 1}])
def test_a_limit_that_makes_no_sense_is_refused(limits: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AzureLimits.model_validate(limits)
