"""The sandbox's GCP as a server on loopback: Secret Manager, IAM Credentials and the token endpoint."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from uss.sandbox.faults import FaultBoard
from uss.sandbox.vaultfile import Vault
from uss.sandbox.wsgi import quiet_handler

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

    from uss.sandbox.gcp.models import SecretManager
    from uss.sandbox.gcp.responses import Application

_HOST = "localhost"
_BACKLOG = 128
_POLL_SECONDS = 0.05
_ADMINISTRATOR = "sandbox-administrator"


class GcpServer:
    """Secret Manager over HTTP (REST, v1), with the identities of a vault file. Its state begins empty.

    `clock` tells the time in seconds since 1970.
    """

    def __init__(self, vault: Callable[[], Vault], faults: FaultBoard, clock: Callable[[], float] = time.time) -> None:
        self._vault = vault
        self._faults = faults
        self._clock = clock
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self.ambient: dict[str, Any] = {}
        """The service account key of an administrator, once started: to read back what landed."""
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread
        self._state: SecretManager
        self._application: Application

    @property
    def url(self) -> str:
        """Where the APIs and the token endpoint are."""
        return f"http://{_HOST}:{self.port}"

    def start(self) -> None:
        """Serve; return when calls are answered."""
        from werkzeug.serving import make_server

        from uss.sandbox.gcp.identities import Identities
        from uss.sandbox.gcp.models import SecretManager
        from uss.sandbox.gcp.responses import Application
        from uss.sandbox.serviceaccounts import read_key

        self.ambient = service_account_key(_ADMINISTRATOR, "sandbox", f"{self.url}/token")
        self._state = SecretManager(self._clock)
        identities = Identities(self._vault, read_key(self.ambient))
        self._application = Application(identities, self._state, self._faults, self.url, self._clock)
        self._server = make_server(
            "127.0.0.1",
            self.port,
            self._application,
            threaded=True,
            request_handler=quiet_handler(),
            fd=self._socket.fileno(),
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the port."""
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server = None
        self._socket.close()

    def dump(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return every secret by project and ID: `name`, `value` (the latest version's, None where it cannot be read),
        `versions` (state by number), `values` (by number; those destroyed have none), `labels`, `annotations`,
        `replication`, `versionAliases` and `createTime`. Bytes that are no UTF-8 are escapes.
        """
        with self._application.lock:
            return self._state.dump()


def service_account_key(name: str, project: str, token_uri: str) -> dict[str, Any]:
    """Make a service account key in the form of GCP's JSON files, with a new private key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": name,
        "private_key": pem.decode(),
        "client_email": f"{name}@{project}.iam.gserviceaccount.com",
        "client_id": "100000000000000000001",
        "token_uri": token_uri,
    }
