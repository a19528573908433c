"""The sandbox's Keeper vault as an HTTPS server on loopback."""

from __future__ import annotations

import os
import re
import socket
import ssl
import sys
import threading
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from uss.sandbox.faults import Fault, FaultBoard, FaultKind
from uss.sandbox.keeper.clients import Application
from uss.sandbox.keeper.envelope import open_envelope
from uss.sandbox.keeper.exceptions import (
    AccessDeniedError,
    BadRequestError,
    InternalFaultError,
    ServiceError,
    ThrottledError,
    VaultUnreadableError,
)
from uss.sandbox.keeper.models import KeeperVault
from uss.sandbox.keeper.responses import UPLOADED, KeeperResponses
from uss.sandbox.keeper.store import VaultStore
from uss.sandbox.keeper.tls import make_server_context
from uss.sandbox.keeper.urls import DOWNLOAD_FILE, ENDPOINTS, UPLOAD_FILE, Route, route
from uss.sandbox.vaultfile import Vault, VaultFileError

_SERVICE = "keeper"
_IDLE_SECONDS = 30
_SHUTDOWN_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    content_type: str = "application/octet-stream"


class KeeperServer:
    """A Keeper vault for the unmodified Keeper Secrets Manager SDK, kept in a vault file.

    `vault_path` is the vault file; `directory` gets the certificates; `faults` is asked once per call, with the service
    `keeper` and the endpoint's name, `upload_file` or `download_file` as the operation.
    """

    def __init__(self, vault_path: Path, directory: Path, faults: FaultBoard) -> None:
        self._store = VaultStore(vault_path)
        self._directory = directory
        self._faults = faults
        self._application = Application()
        self._http: _HttpServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read the vault file and serve it; return when clients can connect. Raises `VaultFileError`."""
        self._store.read()
        context, self._ca_file = make_server_context(self._directory)
        self._http = _HttpServer(context, self._application, self._store, self._faults)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(_SHUTDOWN_POLL_SECONDS,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all calls, also the slow ones, and close the port."""
        if self._http is None or self._thread is None:
            return
        self._http.shutdown()
        self._http.end_calls()
        self._http.server_close()
        self._thread.join()
        self._http = None

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return self._running().server_port

    @property
    def hostname(self) -> str:
        """The `hostname` of a client configuration."""
        return self._running().hostname

    @property
    def ca_file(self) -> Path:
        """The certificate that clients must trust, as with `REQUESTS_CA_BUNDLE`."""
        self._running()
        return self._ca_file

    @property
    def vault(self) -> Vault:
        """The vault's current content; raises `VaultFileError`."""
        return self._store.read().vault

    def client_config(self) -> dict[str, str]:
        """Return a configuration for a new client device that needs no token; as JSON it is a `KSM_CONFIG`."""
        return self._application.configuration(self.hostname)

    def one_time_token(self) -> str:
        """Return a new one-time access token, without a region.

        The SDK binds with `SecretsManager(token=..., hostname=..., server_public_key=..., server_public_key_id=...)`,
        the last three as in `client_config`.
        """
        return self._application.issue_token()

    def _running(self) -> _HttpServer:
        if self._http is None:
            raise RuntimeError("The Keeper server is not running: call start() first")
        return self._http


class _HttpServer(ThreadingHTTPServer):
    # Threads are joined on closing, so that none outlives the server.
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext, application: Application, store: VaultStore, faults: FaultBoard) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._tls = tls
        self._open_sockets: set[socket.socket] = set()
        self.hostname = f"localhost:{self.server_port}"
        self.application = application
        self.faults = faults
        self.responses = KeeperResponses(application, KeeperVault(store), f"https://{self.hostname}")
        self.stopping = threading.Event()

    def get_request(self) -> tuple[ssl.SSLSocket, Any]:
        """Accept a connection; its handshake is left to its own thread, so that a slow client holds up no other."""
        connection, address = super().get_request()
        secured = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._open_sockets.add(secured)
        return secured, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._open_sockets.discard(request)
        super().shutdown_request(request)

    def end_calls(self) -> None:
        """Let waiting calls end at once, also those whose client says nothing."""
        self.stopping.set()
        for connection in tuple(self._open_sockets):
            try:
                # The plain socket's method: the TLS one would pull the session from under the thread that reads.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                continue  # it closed by itself in the meantime

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over clients that go away or do not trust the certificate; show anything else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _HttpServer
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        """Answer a GET request."""
        self._serve()

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        """Answer a POST request."""
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or ""
        answer = self._answer(self.rfile.read(int(length) if length.isdecimal() else 0))
        if answer is None:
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _answer(self, body: bytes) -> _Answer | None:
        """Return the answer to the request, or None when the connection is to be closed without one."""
        try:
            wanted = route(self.command, self.path)
        except ServiceError as error:
            return self._refusal(error)
        fault = self.server.faults.meet(_SERVICE, wanted.operation)
        if fault and fault.kind is FaultKind.DROPPED:
            return None
        if fault and fault.kind is FaultKind.SLOW and self.server.stopping.wait(fault.seconds):
            return None
        if fault and fault.kind is FaultKind.MISSING:
            return _Answer(404, b"404 page not found", "text/plain")
        answer = self._attempt(wanted, body, fault)
        return answer if fault is None else _spoilt(answer, fault)

    def _attempt(self, wanted: Route, body: bytes, fault: Fault | None) -> _Answer:
        try:
            _refuse(fault)
            return self._do(wanted, body)
        except ServiceError as error:
            return self._refusal(error)
        except VaultFileError as error:
            return self._refusal(VaultUnreadableError(str(error)))
        except Exception as error:  # noqa: BLE001 - a fault of ours is answered, without a value it may hold
            return self._refusal(InternalFaultError(f"The sandbox failed with {type(error).__name__}"))

    def _do(self, wanted: Route, body: bytes) -> _Answer:
        responses = self.server.responses
        if wanted.operation == DOWNLOAD_FILE:
            return _Answer(200, responses.download_file(wanted.record_uid, wanted.file_uid, wanted.signature))
        if wanted.operation == UPLOAD_FILE:
            responses.upload_file(_form(self.headers, body))
            return _Answer(UPLOADED, b"")
        call = open_envelope(self.server.application, self.headers, body)
        return _Answer(200, call.seal(ENDPOINTS[wanted.operation](responses, call)))

    def _refusal(self, error: ServiceError) -> _Answer:
        content_type = "text/html" if isinstance(error, InternalFaultError) else "application/json"
        return _Answer(error.status, error.body(self.path.partition("?")[0]), content_type)


def _refuse(fault: Fault | None) -> None:
    """Raise the refusal that a fault stands for, if it stands for one."""
    match fault.kind if fault else None:
        case FaultKind.DENIED:
            raise AccessDeniedError("The caller has no access, as the sandbox was asked to say")
        case FaultKind.THROTTLED:
            raise ThrottledError(fault.seconds if fault else 0)
        case FaultKind.ERROR:
            raise InternalFaultError("The sandbox was asked for this error")


def _spoilt(answer: _Answer, fault: Fault) -> _Answer | None:
    """Return what a client gets of an answer that a fault spoils."""
    if fault.kind is FaultKind.LOST:
        return None
    if fault.kind is FaultKind.GARBLED:
        return _Answer(200, os.urandom(max(64, len(answer.body))))
    return answer


def _form(headers: Message, body: bytes) -> dict[str, bytes]:
    """Read a multipart form: the content of each part by its name."""
    boundary = re.search(r'boundary="?([^";]+)', headers.get("Content-Type") or "")
    if boundary is None:
        raise BadRequestError("The upload is not a multipart form")
    form: dict[str, bytes] = {}
    for part in body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'\bname="([^"]*)"', head)
        if name is not None:
            form[name[1].decode("utf-8", "replace")] = content.removesuffix(b"\r\n")
    return form
