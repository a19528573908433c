"""The sandbox's Azure as servers on loopback: Resource Manager and Entra ID, the metadata service, and key vaults.

A key vault has a port of its own where the real one has a host of its own: `*.localhost` does not resolve everywhere.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uss.sandbox.azure.responses import Application
from uss.sandbox.azure.urls import Door
from uss.sandbox.faults import FaultBoard
from uss.sandbox.keeper.tls import make_server_context
from uss.sandbox.vaultclouds import AzureIdentity
from uss.sandbox.vaultfile import Vault
from uss.sandbox.wsgi import quiet_handler

if TYPE_CHECKING:
    import ssl

    from werkzeug.serving import BaseWSGIServer

_POLL_SECONDS = 0.05


class AzureServer:
    """A local Azure with the identities and resources of a vault file. Its state begins empty but for its vaults.

    `vault` returns the vault file as it is now; `clock` counts the seconds of the quotas.
    """

    def __init__(
        self,
        vault: Callable[[], Vault],
        directory: Path,
        faults: FaultBoard,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._servers: list[tuple[BaseWSGIServer, threading.Thread]] = []
        self._vault_urls: dict[str, str] = {}
        self._context: ssl.SSLContext
        self._application = Application(vault, faults, self._open_vault, lambda: self.url, clock)
        self.ca_file: Path
        """The authority to trust, once started."""
        self.url = ""
        """Resource Manager, Entra ID and the endpoints' directory, once started."""
        self.metadata_url = ""
        """The instance metadata service, once started."""

    @property
    def ambient(self) -> AzureIdentity:
        """A service principal of the sandbox's administrator, to read back what landed.

        It is known in every tenant; the one named here is that of the first subscription, if there is any.
        """
        administrator, home = self._application.identities.administrator, self._application.home()
        return administrator.model_copy(update={"tenant": home.tenant}) if home else administrator

    @property
    def subscription(self) -> str:
        """The vault file's first subscription; empty if there is none."""
        home = self._application.home()
        return home.id if home else ""

    def start(self) -> None:
        """Serve; return when calls are answered. Raises `VaultFileError`."""
        self._context, self.ca_file = make_server_context(self._directory)
        self._application.learn()
        self.url = self._serve(Door.MANAGEMENT)
        self.metadata_url = self._serve(Door.METADATA)

    def stop(self) -> None:
        """Stop serving and close the ports."""
        for server, thread in self._servers:
            server.shutdown()
            thread.join()
            server.server_close()
        self._servers.clear()

    def dump(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return every secret by key vault and name.

        Each has the newest version's `value`, `contentType` and `tags`, `versions` (how many), `deleted` and
        `deletedDate` (ISO 8601, or None), `id`, `subscription`, `resourceGroup`, `primaryRegion` (the vault's
        location), and `history`: ID and attributes of each version, the oldest first.
        """
        return self._application.dump()

    def _open_vault(self, name: str) -> str:
        # A vault that is made again after a purge has its address back.
        if name not in self._vault_urls:
            self._vault_urls[name] = self._serve(Door.VAULT, name)
        return self._vault_urls[name]

    def _serve(self, door: Door, vault: str = "") -> str:
        from werkzeug.serving import make_server

        tls = None if door is Door.METADATA else self._context
        application = self._application.door(door, vault)
        server = make_server(
            "localhost", 0, application, threaded=True, request_handler=quiet_handler(), ssl_context=tls
        )
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        thread.start()
        self._servers.append((server, thread))
        return f"{'http' if tls is None else 'https'}://localhost:{server.port}"
