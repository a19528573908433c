"""Secret Manager's quotas: so many requests of a kind in each minute, for each project.

Source: https://cloud.google.com/secret-manager/quotas.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from uss.sandbox.gcp.exceptions import ThrottledError
from uss.sandbox.vaultclouds import GcpQuotas

_MINUTE = 60


class Kind(StrEnum):
    """What a request counts as."""

    ACCESS = "Access"
    READ = "Read"
    WRITE = "Write"


def kind_of(method: str) -> Kind:
    """Return what a method of Secret Manager counts as."""
    if method == "AccessSecretVersion":
        return Kind.ACCESS
    return Kind.READ if method.startswith(("Get", "List")) else Kind.WRITE


class Quotas:
    """The requests of the present minute. Whoever calls has the lock of the state."""

    def __init__(self, limits: Callable[[], GcpQuotas | None], clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._minute = 0
        self._used: Counter[tuple[str, Kind]] = Counter()

    def spend(self, project: str, service: str, method: str) -> None:
        """Count one request; raise `ThrottledError` until the minute's end when there are none left."""
        limits = self._limits()
        if limits is None:
            return
        kind, now = kind_of(method), self._clock()
        if int(now // _MINUTE) != self._minute:
            self._minute = int(now // _MINUTE)
            self._used.clear()
        limit = {Kind.ACCESS: limits.access, Kind.READ: limits.read, Kind.WRITE: limits.write}[kind]
        if self._used[project, kind] >= limit:
            raise ThrottledError(service, kind, _MINUTE - now % _MINUTE)
        self._used[project, kind] += 1
