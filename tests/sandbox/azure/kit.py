"""A vault file for Azure, and the vendor's own clients for what it describes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient

from uss.sandbox.azure import AzureServer
from uss.sandbox.faults import FaultBoard
from uss.sandbox.vaultfile import Vault, VaultFileError

TENANT, OTHER_TENANT = "11111111-0000-0000-0000-000000000001", "11111111-0000-0000-0000-000000000002"
SUBSCRIPTION, OTHER_SUBSCRIPTION = "22222222-0000-0000-0000-000000000001", "22222222-0000-0000-0000-000000000002"
PAM_CLIENT, PAM_SECRET = "33333333-0000-0000-0000-000000000001", "canary-pam-client-secret"
READER_CLIENT, READER_SECRET = "33333333-0000-0000-0000-000000000002", "canary-reader-secret"
MANAGED_CLIENT, MANAGED_PRINCIPAL = "33333333-0000-0000-0000-000000000003", "44444444-0000-0000-0000-000000000003"
GROUP, VAULT, PROTECTED = "rg-secrets", "kv-main", "kv-protected"
VAULT_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.KeyVault/vaults/{VAULT}"

VAULT_FILE: dict[str, Any] = {
    "records": [
        {
            "uid": "pam",
            "type": "pamAzureConfiguration",
            "title": "Production",
            "fields": [
                {"type": "secret", "label": "clientId", "value": [PAM_CLIENT]},
                {"type": "secret", "label": "Client Secret", "value": [PAM_SECRET]},
                {"type": "secret", "label": "subscriptionId", "value": [SUBSCRIPTION]},
                {"type": "secret", "label": "tenantId", "value": [TENANT]},
                {"type": "multiline", "label": "Resource Groups", "value": ["rg-pam-one\nrg-pam-two"]},
            ],
        }
    ],
    "clouds": {
        "azure": {
            "subscriptions": [{"id": OTHER_SUBSCRIPTION, "tenant": OTHER_TENANT}],
            "resourceGroups": [{"subscription": OTHER_SUBSCRIPTION, "name": "rg"}],
            "vaults": [
                {"name": VAULT, "resourceGroup": GROUP, "subscription": SUBSCRIPTION},
                {"name": PROTECTED, "resourceGroup": GROUP, "subscription": SUBSCRIPTION, "purgeProtection": True},
            ],
            "identities": [
                {
                    "clientId": READER_CLIENT,
                    "clientSecret": READER_SECRET,
                    "tenant": TENANT,
                    "allows": ["Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/*"],
                },
                {
                    "clientId": MANAGED_CLIENT,
                    "principalId": MANAGED_PRINCIPAL,
                    "tenant": TENANT,
                    "allows": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"],
                },
            ],
        }
    },
}


class VaultHolder:
    """The vault file as it is now; a test may put another one in its place."""

    def __init__(self) -> None:
        self.vault = Vault.model_validate(VAULT_FILE)
        self.fault: VaultFileError | None = None

    def __call__(self) -> Vault:
        """The vault file as it is now."""
        if self.fault:
            raise self.fault
        return self.vault


class Clock:
    """Seconds that pass when a test says so, and with the machine's own clock."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        """The seconds now."""
        return time.monotonic() + self.ahead


class Clients:
    """Unmodified clients of the vendor; one try per call where `retries` is not given."""

    def __init__(self, server: AzureServer) -> None:
        self._server = server
        self._open = ExitStack()

    def credential(self, client_id: str = "", secret: str = "", tenant: str = TENANT) -> ClientSecretCredential:
        """A service principal's credential, the administrator's where none is named."""
        ambient = self._server.ambient
        credential = ClientSecretCredential(
            tenant,
            client_id or ambient.client_id,
            secret or ambient.client_secret or "",
            authority=self._server.url,
            disable_instance_discovery=True,
        )
        return self._open.enter_context(credential)

    def arm(self, credential: Any = None, subscription: str = SUBSCRIPTION, **more: Any) -> KeyVaultManagementClient:
        """A client of Resource Manager."""
        client = KeyVaultManagementClient(
            credential or self.credential(), subscription, base_url=self._server.url, **({"retry_total": 0} | more)
        )
        return self._open.enter_context(client)

    def secrets(self, credential: Any = None, vault: str = VAULT, group: str = GROUP, **more: Any) -> SecretClient:
        """A client of a vault, found through Resource Manager."""
        uri = self.arm().vaults.get(group, vault).properties.vault_uri
        client = SecretClient(
            uri or "", credential or self.credential(), verify_challenge_resource=False, **({"retry_total": 0} | more)
        )
        return self._open.enter_context(client)

    def close(self) -> None:
        """Close every client's connections."""
        self._open.close()


@dataclass(frozen=True)
class Azure:
    """A running server with its vault file, faults and clients."""

    server: AzureServer
    vault: VaultHolder
    faults: FaultBoard
    clients: Clients
    environment: dict[str, str]
    """What processes need to find and trust it."""
    clock: Clock
    """What the quotas count by."""


@contextmanager
def run_azure(directory: Path) -> Iterator[Azure]:
    """Run a server; `directory` gets its certificates."""
    vault, faults, clock = VaultHolder(), FaultBoard(), Clock()
    server = AzureServer(vault, directory, faults, clock)
    server.start()
    clients = Clients(server)
    environment = {
        "REQUESTS_CA_BUNDLE": str(server.ca_file),
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": server.metadata_url,
        "ARM_METADATA_HOSTNAME": server.url.partition("://")[2],
    }
    try:
        yield Azure(server, vault, faults, clients, environment, clock)
    finally:
        clients.close()
        server.stop()
