"""The SDK's debug messages are not sent.

Pulumi's SDK sends several for each resource, each as a call of the engine that the whole program waits for, and the
engine shows none of them but with `--debug`: nothing else takes the program so long on a large stack. The program's
own messages are none of them.
"""

from __future__ import annotations

from typing import Any

from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import SETTINGS


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
