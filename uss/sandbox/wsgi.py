"""What the sandbox's HTTP services share."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qs

from uss.sandbox.faults import Fault, FaultKind

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from werkzeug.serving import WSGIRequestHandler


Headers = tuple[tuple[str, str], ...]
Response = tuple[int, Headers, bytes]
"""Status, headers without the length, and body."""
JSON = ("Content-Type", "application/json")
NOTHING_THERE: Response = (404, (("Content-Type", "text/plain"),), b"404 page not found")
"""What a proxy answers that knows no such place, whatever service was meant."""
Route = tuple[str, str, str]
"""Method, pattern of the whole path, and what the service calls the operation."""


def read_body(environ: dict[str, Any]) -> bytes:
    """Read a request's body; it can be read once."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return body


def read_query(environ: dict[str, Any]) -> dict[str, str]:
    """Return the query's values by name: the last one of each."""
    return {key: values[-1] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}


def bearer_token(environ: dict[str, Any]) -> str | None:
    """Return the request's access token, or None where it has none."""
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token if scheme == "Bearer" else None


def find_route(environ: dict[str, Any], routes: Iterable[Route]) -> tuple[str, dict[str, str]]:
    """Return the first fitting route's operation, and the named parts of the path; `unknown` where none fits."""
    for method, path, operation in routes:
        match = re.fullmatch(path, environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == method else None
        if match:
            return operation, match.groupdict()
    return "unknown", {}


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
    status, headers, body = NOTHING_THERE if kind is FaultKind.MISSING else answer(kind)
    if kind is FaultKind.LOST:
        hang_up(environ)
    if kind is FaultKind.GARBLED:
        status, body = 200, garbage
    start_response(f"{status} -", [*headers, ("Content-Length", str(len(body)))])
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
