"""What the sandbox's HTTP services share."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from werkzeug.serving import WSGIRequestHandler


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
