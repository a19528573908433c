"""Counted quotas: how many calls a service takes before it says 429, and how long it then asks to wait."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt
from pydantic.alias_generators import to_camel


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class BucketSize(_Settings):
    """A bucket of calls, and how many flow back into it in a second."""

    size: PositiveInt
    per_second: PositiveFloat


class AzureLimits(_Settings):
    """Azure's quotas. The defaults are the documented ones.

    Sources: "Azure Key Vault service limits" (secrets); "Understand how Azure Resource Manager throttles requests".
    """

    vault_transactions: PositiveInt = 4_000
    """Calls of a key vault's own endpoint in any ten seconds; a subscription's vaults together take five times that."""
    vault_creations: PositiveInt = 300
    """Of these, and of those through Resource Manager, the ones that write a value."""
    arm_reads: BucketSize = BucketSize(size=250, per_second=25)
    """For each identity in each subscription, as the next two."""
    arm_writes: BucketSize = BucketSize(size=200, per_second=10)
    arm_deletes: BucketSize = BucketSize(size=200, per_second=10)


@dataclass(frozen=True)
class Window:
    """So many calls in any so many seconds, counted for a key."""

    key: Hashable
    calls: int
    seconds: float


@dataclass(frozen=True)
class Bucket:
    """A bucket of calls that fills up again, counted for a key."""

    key: Hashable
    size: BucketSize


class Quotas:
    """What was taken of each quota. `clock` counts seconds. Not safe across threads: callers hold a lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taken: dict[Hashable, deque[float]] = {}
        self._levels: dict[Hashable, tuple[float, float]] = {}

    def take(self, quotas: Iterable[Window | Bucket]) -> int | None:
        """Take a call of every quota; where one is used up, take none and return the whole seconds to wait."""
        now, wanted = self._clock(), list(quotas)
        waits = [self._window(q, now) if isinstance(q, Window) else self._bucket(q, now) for q in wanted]
        if (longest := max(waits, default=0.0)) > 0:
            return math.ceil(longest)
        for quota in wanted:
            if isinstance(quota, Window):
                self._taken[quota.key].append(now)
            else:
                level, _ = self._levels[quota.key]
                self._levels[quota.key] = (level - 1, now)
        return None

    def _window(self, quota: Window, now: float) -> float:
        taken = self._taken.setdefault(quota.key, deque())
        while taken and taken[0] <= now - quota.seconds:
            taken.popleft()
        # The call is let in once so many have left the window that fewer than the limit remain.
        return 0.0 if len(taken) < quota.calls else taken[len(taken) - quota.calls] + quota.seconds - now

    def _bucket(self, quota: Bucket, now: float) -> float:
        level, then = self._levels.get(quota.key, (float(quota.size.size), now))
        level = min(float(quota.size.size), level + (now - then) * quota.size.per_second)
        self._levels[quota.key] = (level, now)
        return 0.0 if level >= 1 else (1 - level) / quota.size.per_second
