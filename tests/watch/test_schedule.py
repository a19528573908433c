"""When to look again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from uss.watch.schedule import CEILING, Schedule


@given(st.floats(1, 86400), st.integers(0, 10_000))
def test_waiting_grows_with_failures_up_to_a_ceiling_and_never_falls_below_the_interval(
    interval: float, failures: int
) -> None:
    schedule = Schedule(interval)
    wait = schedule.wait(failures)
    assert interval * 0.9 <= wait <= min(schedule.longest(), interval * 2 ** min(failures, 20) * 1.1)
    assert schedule.longest() <= max(CEILING, interval) * 1.1 + 1e-9


def test_watches_that_started_together_do_not_stay_in_step() -> None:
    assert len({Schedule(60).wait(0) for _ in range(20)}) > 10
