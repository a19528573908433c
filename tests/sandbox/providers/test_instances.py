"""Which provider instance belongs to which connection, and for how long."""

from __future__ import annotations

from uss.sandbox.providers.instances import IDLE_SECONDS, Instances


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time that was set."""
        return self.now


def test_each_connection_has_its_own_instance() -> None:
    closed: list[str] = []
    instances = Instances(closed.append)
    instances.put("one", "first")
    instances.put("two", "second")
    assert (instances.get("one"), instances.get("two"), instances.get("three")) == ("first", "second", None)
    assert closed == []


def test_an_instance_is_closed_when_another_takes_its_connection() -> None:
    closed: list[str] = []
    instances = Instances(closed.append)
    instances.put("one", "first")
    instances.put("one", "second")
    assert instances.get("one") == "second"
    assert closed == ["first"]


def test_instances_that_nothing_uses_for_an_hour_are_closed() -> None:
    closed: list[str] = []
    clock = Clock()
    instances = Instances(closed.append, clock)
    instances.put("idle", "idle")
    instances.put("used", "used")
    clock.now = IDLE_SECONDS
    assert instances.get("used") == "used"
    clock.now = IDLE_SECONDS + 1
    instances.put("new", "new")
    assert closed == ["idle"]
    assert instances.get("used") == "used"


def test_clearing_closes_all_instances() -> None:
    closed: list[str] = []
    instances = Instances(closed.append)
    instances.put("one", "first")
    instances.put("two", "second")
    instances.clear()
    assert sorted(closed) == ["first", "second"]
    assert instances.get("one") is None
