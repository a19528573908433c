"""The provider instances being served, by the connection that each was configured on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

IDLE_SECONDS = 3600.0
"""How long an instance is kept after its last use: gRPC does not tell a server that a connection has ended."""

T = TypeVar("T")


class Instances(Generic[T]):
    """Instances by connection. Safe across threads."""

    def __init__(self, close: Callable[[T], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._close = close
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, tuple[T, float]] = {}

    def put(self, connection: str, instance: T) -> None:
        """Hold an instance in place of an earlier one, and let go of those that nothing uses any more."""
        self.drop(connection)
        now = self._clock()
        with self._lock:
            idle = [key for key, (_, used) in self._held.items() if now - used > IDLE_SECONDS]
            self._held[connection] = (instance, now)
        for key in idle:
            self.drop(key)

    def get(self, connection: str) -> T | None:
        """Return a connection's instance, or None if it has none."""
        with self._lock:
            held = self._held.get(connection)
            if held is None:
                return None
            self._held[connection] = (held[0], self._clock())
            return held[0]

    def drop(self, connection: str) -> None:
        """Let go of a connection's instance, if it has one."""
        with self._lock:
            held = self._held.pop(connection, None)
        if held is not None:
            self._close(held[0])

    def clear(self) -> None:
        """Let go of all instances."""
        for connection in list(self._held):
            self.drop(connection)
