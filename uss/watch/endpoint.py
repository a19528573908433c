"""The HTTP endpoint: `/metrics` for Prometheus, `/healthz` for whoever restarts the watch when it hangs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from uss.errors import ConfigurationError
from uss.watch.telemetry import Telemetry

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    timeout = 10
    """Seconds for a client that does not say what it wants."""

    def log_message(self, format: str, *args: object) -> None:
        """A line for each scrape would bury what is worth reading."""


@contextmanager
def serving(telemetry: Telemetry, host: str, port: int) -> Iterator[int]:
    """Serve as long as the block runs, and return the port: with 0, one that was free.

    Raises `ConfigurationError` where the address cannot be had.
    """
    try:
        server = make_server(host, port, _application(telemetry), server_class=_Server, handler_class=_Silent)
    except OSError as error:
        text = f"--listen: {host}:{port} cannot be listened on ({error.strerror}). Name an address that is free."
        raise ConfigurationError(text) from error
    thread = threading.Thread(target=server.serve_forever, name="endpoint", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _application(telemetry: Telemetry) -> WSGIApplication:
    metrics: WSGIApplication = make_wsgi_app(telemetry.registry)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match environ.get("PATH_INFO"):
            case "/metrics":
                return metrics(environ, start_response)
            case "/healthz":
                status, text = ("200 OK", b"ok\n") if telemetry.alive() else ("503 Service Unavailable", b"stuck\n")
            case _:
                status, text = "404 Not Found", b"There is /metrics and /healthz.\n"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))])
        return [text]

    return application
