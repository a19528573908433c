"""What a plugin tells the engine while it works: messages for debugging, which the engine shows with `--debug`.

The real plugins send them always, whoever looks, and so values may be in them. An engine that attaches to a plugin
passes it neither its flags nor its environment: what those make a real plugin print is not printed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog:
    """The log of the engine at an address."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._engine = engine_pb2_grpc.EngineStub(self._channel)

    def debug(self, message: str) -> None:
        """Send a message for debugging; an engine that is gone reads it no more."""
        with suppress(grpc.RpcError):
            self._engine.Log(engine_pb2.LogRequest(severity=engine_pb2.DEBUG, message=message))

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


_current: ContextVar[EngineLog | None] = ContextVar("_current", default=None)


@contextmanager
def telling(log: EngineLog | None) -> Iterator[None]:
    """Let `debug` inside, in this thread, tell the engine of this log."""
    token = _current.set(log)
    try:
        yield
    finally:
        _current.reset(token)


def debug(message: str) -> None:
    """Tell the engine for which a call is being answered, if there is one."""
    if log := _current.get():
        log.debug(message)
