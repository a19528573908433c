"""Declarations are paced by what the engine answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

from uss.clouds.interface import Declared
from uss.pacing import AT_ONCE, paced

COUNT = 5 * AT_ONCE


class Answer:
    """A resource's URN, which the engine answers when it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.answered = asyncio.Event()
        self.error = error
        self.urn = self

    async def future(self) -> str:
        """Wait for the answer."""
        await self.answered.wait()
        if self.error:
            raise self.error
        return "urn"


def declared(number: int, *answers: Answer) -> Declared:
    """The declaration of a record."""
    return Declared(cast("tuple[Any, ...]", answers), f"R{number}")


def test_few_are_outstanding_and_the_next_comes_as_any_is_answered() -> None:
    async def run() -> None:
        answers = [Answer() for _ in range(COUNT)]
        asked: list[int] = []

        def declarations() -> Iterator[Declared]:
            for number, answer in enumerate(answers):
                asked.append(number)
                yield declared(number, answer)

        running = asyncio.ensure_future(paced(declarations()))
        for round_ in range(COUNT - AT_ONCE):
            await settle()
            assert len(asked) == AT_ONCE + round_
            answers[asked[-1]].answered.set()  # not the oldest: one that takes long holds nobody up
        for answer in answers:
            answer.answered.set()
        assert [entry.record_uid for entry in await running] == [f"R{number}" for number in range(COUNT)]

    asyncio.run(run())


def test_what_was_declared_is_answered_at_the_end() -> None:
    async def run() -> None:
        both = [Answer(), Answer()]
        running = asyncio.ensure_future(paced(iter([declared(1, *both)])))
        both[0].answered.set()
        await settle()
        assert not running.done()
        both[1].answered.set()
        assert len(await running) == 1

    asyncio.run(run())


def test_a_failed_declaration_is_left_to_the_engine() -> None:
    async def run() -> None:
        answers = [Answer(RuntimeError("no")), *(Answer() for _ in range(AT_ONCE))]
        for answer in answers:
            answer.answered.set()
        done = await paced(declared(number, answer) for number, answer in enumerate(answers))
        assert len(done) == AT_ONCE + 1

    asyncio.run(run())


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)
