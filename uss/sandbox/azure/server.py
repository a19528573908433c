"""The sandbox's Azure as servers on loopback: Resource Manager and Entra ID, the metadata service, and key vaults."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uss.sandbox.azure.identities import Identities
from uss.sandbox.azure.models import KeyVault, KeyVaults
from uss.sandbox.azure.urls import Door
from uss.sandbox.faults import FaultBoard
from uss.sandbox.keeper.tls import make_server_context
from uss.sandbox.vaultfile import AzureIdentity, Vault
from uss.sandbox.wsgi import quiet_handler

if TYPE_CHECKING:
    import ssl

    from werkzeug.serving import BaseWSGIServer

    from uss.sandbox.azure.responses import Application

_POLL_SECONDS = 0.05


class AzureServer:
    """A local Azure with the identities and resources of a vault file. Its state begins empty but for its vaults."""

    def __init__(self, vault: Callable[[], Vault], directory: Path, faults: FaultBoard) -> None:
        self._vault = vault
        self._directory = directory
        self._faults = faults
        self._servers: list[tuple[BaseWSGIServer, threading.Thread]] = []
        self._context: ssl.SSLContext
        self._application: Application
        self._state: KeyVaults
        self.ca_file: Path
        """The authority to trust, once started."""
        self.url = ""
        """Resource Manager, Entra ID and the endpoints' directory, once started."""
        self.metadata_url = ""
        """The instance metadata service, once started."""
        self.ambient = AzureIdentity(
            client_id=str(uuid.uuid4()), client_secret=secrets.token_urlsafe(24), tenant=str(uuid.uuid4())
        )
        """A service principal of the sandbox's administrator, to read back what landed."""

    def start(self) -> None:
        """Serve; return when calls are answered."""
        from uss.sandbox.azure.responses import Application

        self._context, self.ca_file = make_server_context(self._directory)
        self._state = KeyVaults(self._open_vault)
        identities = Identities(self._vault, self.ambient)
        self._application = Application(self._state, identities, self._faults, lambda: self.url)
        self.url = self._serve(Door.MANAGEMENT)
        self.metadata_url = self._serve(Door.METADATA)
        for told in self._vault().clouds.azure.vaults:
            properties = {"tenantId": told.tenant, "enableRbacAuthorization": True, "enableSoftDelete": True}
            content = {"location": told.location, "properties": properties}
            self._state.put(told.subscription, told.resource_group, told.name, content)

    def stop(self) -> None:
        """Stop serving and close the ports."""
        for server, thread in self._servers:
            server.shutdown()
            thread.join()
            server.server_close()
        self._servers.clear()

    def dump(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return every secret by key vault and name: `value` (the newest version's), `versions` (how many),
        `contentType`, `tags`, `deleted`.
        """
        with self._application.lock:
            return {vault.name: _dumped(vault) for vault in self._state.vaults.values()}

    def _open_vault(self, name: str) -> str:
        return self._serve(Door.VAULT, name) + "/"

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


def _dumped(vault: KeyVault) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for deleted, secrets_ in ((True, vault.deleted), (False, vault.secrets)):
        for secret in secrets_.values():
            newest = secret.versions[-1]
            found[secret.name] = {
                "value": newest.value,
                "versions": len(secret.versions),
                "contentType": newest.content_type,
                "tags": newest.tags,
                "deleted": deleted,
            }
    return found
