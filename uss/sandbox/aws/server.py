"""The sandbox's AWS as a server on loopback."""

from __future__ import annotations

import os
import secrets
import socket
import string
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from uss.sandbox.faults import FaultBoard
from uss.sandbox.vaultclouds import AwsAccessKey
from uss.sandbox.vaultfile import Vault
from uss.sandbox.wsgi import quiet_handler

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

    from uss.sandbox.aws.models import Secrets
    from uss.sandbox.aws.responses import Gate

_HOST = "127.0.0.1"
_BACKLOG = 128
_POLL_SECONDS = 0.05


class AwsServer:
    """Secrets Manager, STS and IAM over HTTP, with the identities of a vault file.

    The port and the administrator's access key are known at once; calls are answered after `start`, those that came
    before wait. moto's state belongs to the process: one server runs in a process at a time, and a start begins empty.
    """

    _running: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, vault: Callable[[], Vault], faults: FaultBoard) -> None:
        self._vault = vault
        self._faults = faults
        self._socket = socket.create_server((_HOST, 0), backlog=_BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self.ambient = _administrator()
        """The access key of an administrator: for ambient credentials, and to read back what landed."""
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread
        self._gate: Gate
        self._secrets: Secrets

    @property
    def url(self) -> str:
        """The endpoint, for `AWS_ENDPOINT_URL`."""
        return f"http://{_HOST}:{self.port}"

    def start(self) -> None:
        """Serve; return when calls are answered. Raise `RuntimeError` while another server runs in this process."""
        if not self._running.acquire(blocking=False):
            raise RuntimeError("An AwsServer runs in this process already: stop it first, moto's state is shared.")
        self._server = self._build()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the port; what the server held is gone at the next start."""
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()  # which closes the server's copy of the socket
            self._server = None
            self._running.release()
        self._socket.close()

    def dump(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return every secret of every account by region and name, values included.

        Each has `arn`, `account`, `value` (AWSCURRENT's text, or None), `binaryBase64` (only where AWSCURRENT is
        binary), `versionId`, `versionCount`, `tags`, `description`, `replicas` (status by region), `primaryRegion`, and
        `deletedDate` (ISO 8601, when a secret that is scheduled for deletion goes; None otherwise).
        """
        with self._gate.lock:
            return self._secrets.dump()

    def _build(self) -> BaseWSGIServer:
        # moto takes this account for every caller's, whatever the caller's key says.
        os.environ.pop("MOTO_ACCOUNT_ID", None)
        # moto takes a second to import: here, so that others start meanwhile, with the port known.
        from moto.core.base_backend import BackendDict
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        from uss.sandbox.aws.models import Identities, Secrets
        from uss.sandbox.aws.responses import Gate

        BackendDict.reset()
        moto = DomainDispatcherApplication(create_backend_app)
        self._secrets = Secrets()
        self._gate = Gate(moto, Identities(self._vault, self.ambient), self._secrets, self._faults)
        return make_server(
            _HOST, self.port, self._gate, threaded=True, request_handler=quiet_handler(), fd=self._socket.fileno()
        )


def _administrator() -> AwsAccessKey:
    upper = string.ascii_uppercase + "234567"
    return AwsAccessKey(
        access_key_id="AKIA" + "".join(secrets.choice(upper) for _ in range(16)),
        secret_access_key=secrets.token_urlsafe(30),
        user="sandbox-administrator",
    )
