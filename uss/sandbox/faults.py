"""Faults that the sandbox's services can be asked for, and counters of the calls they got.

Every service asks the one `FaultBoard` once per call, before it looks at the call's content. The board counts
the call and answers with the fault to show, if any. How a fault looks on the wire is the service's own matter:
a throttled Keeper answers otherwise than a throttled AWS.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase


class FaultKind(StrEnum):
    """What can go wrong with a call."""

    DENIED = "denied"
    """The service refuses the caller."""
    THROTTLED = "throttled"
    """The service says "too many requests"; `Fault.seconds` is the wait it asks for, where it names one."""
    SLOW = "slow"
    """The service waits `Fault.seconds`, then answers as usual."""
    DROPPED = "dropped"
    """The connection is closed without an answer; the call had no effect."""
    LOST = "lost"
    """The call takes effect, then the connection is closed without an answer."""
    GARBLED = "garbled"
    """The answer's status is that of a success, its bytes are wrong."""
    MISSING = "missing"
    """Something in between answers that there is nothing there (HTTP 404); the call had no effect."""
    ERROR = "error"
    """The service answers with its own internal error (HTTP 500)."""


@dataclass(frozen=True)
class Fault:
    """One fault, and the calls it meets."""

    service: str
    """`keeper`, `aws`: a name pattern as of `fnmatch`."""
    operation: str
    """The operation in the service's own words (`get_secret`, `secretsmanager:CreateSecret`): a name pattern."""
    kind: FaultKind
    after: int = 0
    """How many matching calls pass before the first one is met: 2 means from the third call on."""
    times: int | None = None
    """How many calls are met, or None for all until the faults are cleared."""
    seconds: float = 0.0
    """The wait of a slow call, or the wait that a throttled answer asks for."""

    def matches(self, service: str, operation: str) -> bool:
        """Tell whether a call of this operation is one that the fault counts."""
        return fnmatchcase(service, self.service) and fnmatchcase(operation, self.operation)


class FaultBoard:
    """The faults in force and the calls counted, for all services of one sandbox. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._calls: Counter[tuple[str, str]] = Counter()

    def add(self, fault: Fault) -> None:
        """Put a fault in force, behind those that are already there."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Lift all faults; the counters stay."""
        with self._lock:
            self._faults.clear()

    def reset_calls(self) -> None:
        """Set all counters to zero; the faults stay."""
        with self._lock:
            self._calls.clear()

    def faults(self) -> tuple[Fault, ...]:
        """Return the faults still in force, with what is left of their `after` and `times`."""
        with self._lock:
            return tuple(self._faults)

    def calls(self) -> dict[str, dict[str, int]]:
        """Return how often each operation was called since the last reset, by service."""
        with self._lock:
            result: dict[str, dict[str, int]] = {}
            for (service, operation), count in sorted(self._calls.items()):
                result.setdefault(service, {})[operation] = count
            return result

    def meet(self, service: str, operation: str) -> Fault | None:
        """Count one call and return the fault it meets: the first in force that matches and is due."""
        with self._lock:
            self._calls[service, operation] += 1
            met: Fault | None = None
            left: list[Fault] = []
            for fault in self._faults:
                if not fault.matches(service, operation) or (met and fault.after == 0):
                    left.append(fault)
                elif fault.after > 0:
                    left.append(replace(fault, after=fault.after - 1))
                else:
                    met = fault
                    if fault.times is None:
                        left.append(fault)
                    elif fault.times > 1:
                        left.append(replace(fault, times=fault.times - 1))
            self._faults = left
            return met
