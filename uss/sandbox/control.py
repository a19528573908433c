"""The sandbox's control: a small HTTP server on loopback that the command line asks, behind a token.

Requests and answers are JSON objects. A refusal is `{"error": text}`.
"""

from __future__ import annotations

import hmac
import http.client
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from uss.sandbox.faults import Fault, FaultKind
from uss.sandbox.layout import Layout, SandboxError

_HOST = "127.0.0.1"
_POLL_SECONDS = 0.05
_TIMEOUT_SECONDS = 30

Route = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class ControlServer:
    """Serves routes, `"GET /calls"` and the like, to those who know the token."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self.token = secrets.token_urlsafe(32)
        self._server = ThreadingHTTPServer((_HOST, 0), _handler(routes, self.token))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)

    @property
    def url(self) -> str:
        """Where the routes are, on loopback."""
        return f"http://{_HOST}:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, then close the port."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


def _handler(routes: Mapping[str, Route], token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            route = routes.get(f"{self.command} {self.path}")
            if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
                self._send(401, {"error": "the token is missing or wrong"})
            elif route is None:
                self._send(404, {"error": f"there is no {self.command} {self.path}"})
            else:
                try:
                    self._send(200, route(json.loads(body or b"{}")))
                except (ValueError, TypeError) as error:
                    self._send(400, {"error": str(error)})

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815  the names that http.server calls

        def _send(self, status: int, content: Mapping[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Log no line per request."""

    return Handler


class SandboxClient:
    """Asks the sandbox that runs in a folder. Every method raises `SandboxError` when it cannot be reached."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def dump(self) -> dict[str, Any]:
        """Return what the clouds hold, values included, by cloud."""
        return self._ask("GET", "/dump")

    def environment(self) -> dict[str, str]:
        """Return the variables that `start` printed."""
        return self._ask("GET", "/environment")

    def faults(self) -> list[Fault]:
        """Return the faults in force."""
        return [fault_from(fault) for fault in self._ask("GET", "/faults")["faults"]]

    def add_fault(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._ask("POST", "/faults", asdict(fault))

    def clear_faults(self) -> None:
        """Lift all faults."""
        self._ask("DELETE", "/faults")

    def calls(self) -> dict[str, dict[str, int]]:
        """Return how often each operation was called, by service."""
        return self._ask("GET", "/calls")

    def reset_calls(self) -> None:
        """Set all counters to zero."""
        self._ask("DELETE", "/calls")

    def one_time_token(self) -> dict[str, str]:
        """Return a fresh one-time access token of the vault as `token`, and the vault's `hostname`."""
        return self._ask("POST", "/token")

    def stop(self) -> None:
        """Ask the sandbox to end; it still runs when this returns."""
        self._ask("POST", "/stop")

    def _ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        state = self._layout.read_state()
        # Not through `requests`: its proxy settings and its certificates are not for a call to oneself.
        connection = http.client.HTTPConnection(urlsplit(state["controlUrl"]).netloc, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(
                method, path, json.dumps(content or {}), headers={"Authorization": f"Bearer {state['token']}"}
            )
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            raise SandboxError(
                f"{self._layout.directory}: the sandbox (process {state['pid']}) does not answer. "
                "Clear it away with `uss sandbox stop`."
            ) from error
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise SandboxError(f"{self._layout.directory}: the sandbox refuses {method} {path}: {answer['error']}")
        return answer


def fault_from(content: Mapping[str, Any]) -> Fault:
    """Return the fault that a JSON object describes; raise `ValueError` or `TypeError` when it describes none."""
    return Fault(**{**content, "kind": FaultKind(str(content.get("kind")))})
