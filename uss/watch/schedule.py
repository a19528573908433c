"""When to look again."""

from __future__ import annotations

import random
from dataclasses import dataclass

CEILING = 300.0
"""Seconds to which waiting grows while looks or updates fail, unless the interval itself is longer."""
_JITTER = 0.1
_MOST_DOUBLINGS = 16


@dataclass(frozen=True)
class Schedule:
    """`interval` is the seconds between two looks while all is well."""

    interval: float

    def longest(self) -> float:
        """Return the seconds between two looks at the most."""
        return max(CEILING, self.interval) * (1 + _JITTER)

    def wait(self, failures: int) -> float:
        """Return the seconds until the next look, after so many failures in a row.

        A tenth more or less by chance, so that many watches do not ask Keeper in step.
        """
        grown: float = self.interval * 2.0 ** min(failures, _MOST_DOUBLINGS)
        return min(grown, max(CEILING, self.interval)) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
