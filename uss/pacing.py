"""Declaring many resources, a few at a time.

Pulumi's SDK takes all that a program declares at once, and then waits in a loop that asks every outstanding call again
at each turn: the time grows with the square of their number. With few outstanding calls it grows in proportion, and
the engine is at work from the first on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from uss.clouds.interface import Declared

AT_ONCE = 64
"""Declarations that the engine has not answered yet, at the most. More than the engine works on at a time, so that it
never waits for the program."""


async def paced(declarations: Iterable[Declared]) -> list[Declared]:
    """Return what is declared, after the engine has answered it; the next is declared as others are answered.

    A declaration that fails is the engine's to report, and it decides what becomes of the others.
    """
    done: list[Declared] = []
    answers: list[asyncio.Future[Any]] = []
    room = asyncio.Semaphore(AT_ONCE - 1)
    for declared in declarations:
        done.append(declared)
        answer = asyncio.gather(*(entry.urn.future() for entry in declared.resources), return_exceptions=True)
        answer.add_done_callback(lambda _: room.release())
        answers.append(answer)
        await room.acquire()
    await asyncio.gather(*answers)
    return done
