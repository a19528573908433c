"""Declarations are paced by what the engine answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator

import pytest

from uss.resources.interface import Declared
from uss.resources.pacing import AT_ONCE, paced

COUNT = 5 * AT_ONCE


class Declaration:
    """Declares a record as soon as it is awaited, and ends when the engine answers, as which the test acts."""

    def __init__(self, number: int, error: Exception | None = None) -> None:
        self.begun = False
        self.answered = asyncio.Event()
        self.number = number
        self.error = error

    async def declare(self) -> Declared:
        """Wait for the answer."""
        self.begun = True
        await self.answered.wait()
        if self.error:
            raise self.error
        return Declared(f"R{self.number}")


def test_few_are_outstanding_and_the_next_comes_as_any_is_answered() -> None:
    async def run() -> None:
        declarations = [Declaration(number) for number in range(COUNT)]
        running = asyncio.ensure_future(paced(entry.declare() for entry in declarations))
        for round_ in range(COUNT - AT_ONCE):
            await settle()
            begun = [entry for entry in declarations if entry.begun]
            assert len(begun) == AT_ONCE + round_
            begun[-1].answered.set()  # not the oldest: one that takes long holds nobody up
        for entry in declarations:
            entry.answered.set()
        assert [entry.record_uid for entry in await running] == [f"R{number}" for number in range(COUNT)]

    asyncio.run(run())


def test_nothing_to_declare_is_done_at_once() -> None:
    assert asyncio.run(paced([])) == []


def test_a_failure_is_raised_when_all_the_others_have_ended() -> None:
    async def run() -> None:
        error = RuntimeError("the engine said no")
        declarations = [Declaration(0, error), *(Declaration(number) for number in range(1, COUNT))]
        running = asyncio.ensure_future(paced(entry.declare() for entry in declarations))
        for entry in declarations[:-1]:
            entry.answered.set()
        await settle(COUNT)
        assert all(entry.begun for entry in declarations)
        assert not running.done()
        declarations[-1].answered.set()
        with pytest.raises(RuntimeError, match="the engine said no"):
            await running

    asyncio.run(run())


def test_what_failed_first_is_raised_not_what_was_declared_first() -> None:
    async def run() -> None:
        later, first = Declaration(0, RuntimeError("the engine has ended")), Declaration(1, RuntimeError("the cause"))
        running = asyncio.ensure_future(paced([later.declare(), first.declare()]))
        for entry in (first, later):
            entry.answered.set()
            await settle()
        with pytest.raises(RuntimeError, match="the cause"):
            await running

    asyncio.run(run())


def test_what_was_begun_ends_also_where_the_next_cannot_be_made() -> None:
    async def run() -> None:
        begun = Declaration(0)

        def declarations() -> Iterator[Awaitable[Declared]]:
            yield begun.declare()
            raise ValueError("no next")

        running = asyncio.ensure_future(paced(declarations()))
        await settle()
        assert not running.done()
        begun.answered.set()
        with pytest.raises(ValueError, match="no next"):
            await running

    asyncio.run(run())


async def settle(turns: int = 10) -> None:
    """Let everything run that can."""
    for _ in range(turns):
        await asyncio.sleep(0)
