"""Declaring many resources, a few at a time.

A program that declares all at once has as many waiting as there are records, and each costs it time and memory. With a
few, the engine is at work from the first on, and the program's part grows in proportion.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable

from uss.resources.interface import Declared

AT_ONCE = 64
"""Declarations that the engine has not answered yet, at the most. More than the engine works on at a time, so that it
never waits for the program."""


async def paced(declarations: Iterable[Awaitable[Declared]]) -> list[Declared]:
    """Return what became of the declarations, in their order; the next is begun as others are answered.

    A declaration that fails is the engine's to report, and it decides what becomes of the others: what failed first is
    raised when all have ended.
    """
    room = asyncio.Semaphore(AT_ONCE)
    failures: list[Exception] = []

    async def answered(declaration: Awaitable[Declared]) -> Declared:
        try:
            return await declaration
        except Exception as error:
            failures.append(error)
            raise
        finally:
            room.release()

    begun = []
    try:
        for declaration in declarations:
            await room.acquire()
            begun.append(asyncio.ensure_future(answered(declaration)))
    finally:
        await asyncio.gather(*begun, return_exceptions=True)
    if failures:
        raise failures[0]
    return [task.result() for task in begun]
