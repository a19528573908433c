"""What the program does without, because it takes long on a large stack and is of no use: `make bench` tells how long.

The SDK's debug messages are not sent. Pulumi's SDK sends several for each resource, each as a call of the engine that
the whole program waits for, and the engine shows none of them but with `--debug`. The program's own messages are none
of them.

Python's cyclic garbage collector runs seldom. The SDK keeps some hundreds of objects for each resource until the
program ends, and the collector goes through them over and over, to find next to nothing. Without it the program would
take a sixth more memory, and hardly less time.
"""

from __future__ import annotations

import gc
from typing import Any

from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import SETTINGS

_ALLOCATIONS = 20_000
"""Objects that come to be before the collector looks at the youngest; Python's own number is 700."""


class QuietEngine:
    """The engine's client, without debug messages."""

    def __init__(self, engine: Any) -> None:
        """Stand before the client that the SDK made."""
        self._engine = engine

    def Log(self, request: engine_pb2.LogRequest) -> Any:  # noqa: N802 - the protocol's name
        """Send a message, unless it is for debugging."""
        return None if request.severity == engine_pb2.DEBUG else self._engine.Log(request)

    def __getattr__(self, name: str) -> Any:
        """All else is the client's."""
        return getattr(self._engine, name)


def without_debug_messages() -> None:
    """Let this program's SDK talk to the engine without debug messages."""
    SETTINGS.engine = QuietEngine(SETTINGS.engine)


def with_rare_garbage_collection() -> None:
    """Let this program, which ends soon, look less often for what it has made and can no longer reach."""
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
