"""What the sandbox's HTTP services share."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from uss.sandbox.faults import Fault, FaultKind

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from werkzeug.serving import WSGIRequestHandler


Headers = tuple[tuple[str, str], ...]
Response = tuple[int, Headers, bytes]
"""Status, headers and body."""


def respond(
    environ: dict[str, Any],
    start_response: StartResponse,
    fault: Fault | None,
    answer: Callable[[FaultKind | None], Response],
    garbage: bytes,
) -> list[bytes]:
    """Answer a request that meets a fault, or none.

    What a fault does to the connection and to the time is the same for every service, and done here. `answer` makes the
    answer, and the service's own refusal where the fault's kind is one.
    """
    kind = fault.kind if fault else None
    if kind is FaultKind.DROPPED:
        hang_up(environ)
    if fault and kind is FaultKind.SLOW:
        time.sleep(fault.seconds)
    status, headers, body = answer(kind)
    if kind is FaultKind.LOST:
        hang_up(environ)
    if kind is FaultKind.GARBLED:
        status, body = 200, garbage
    sent = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers]
    start_response(f"{status} -", sent)
    return [body]


def hang_up(environ: dict[str, Any]) -> NoReturn:
    """Close the connection without an answer; werkzeug's server takes the error for a client that went away."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("a fault that was asked for")


def quiet_handler() -> type[WSGIRequestHandler]:
    """Return a request handler of werkzeug's server that writes no log; imported late, as the servers are."""
    from werkzeug.serving import WSGIRequestHandler

    class QuietHandler(WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log no line per request: counters tell more."""

    return QuietHandler
