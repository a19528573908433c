"""A running local Azure, and Microsoft's own clients for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient

from uss.sandbox.azure import AzureServer
from uss.sandbox.faults import FaultBoard
from uss.sandbox.vaultfile import Vault

TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
CLIENT, CLIENT_SECRET = "33333333-3333-3333-3333-333333333333", "canary-client-secret"
MANAGED, PRINCIPAL = "44444444-4444-4444-4444-444444444444", "55555555-5555-5555-5555-555555555555"
READER = "66666666-6666-6666-6666-666666666666"
GROUP, THERE = "rg-secrets", "kv-there"

Credentials = Callable[..., ClientSecretCredential]
Manage = Callable[..., KeyVaultManagementClient]
Connect = Callable[..., SecretClient]


class VaultHolder:
    """The vault file as it is now; a test may change it."""

    def __init__(self) -> None:
        labels = {
            "clientId": CLIENT,
            "Client Secret": CLIENT_SECRET,
            "subscriptionId": SUBSCRIPTION,
            "Tenant Id": TENANT,
            "resourceGroups": GROUP,
        }
        fields = [{"type": "secret", "label": label, "value": [value]} for label, value in labels.items()]
        record = {"uid": "PAM", "type": "pamAzureConfiguration", "title": "Azure", "fields": fields}
        there = {"subscription": SUBSCRIPTION, "tenant": TENANT, "resourceGroup": GROUP, "name": THERE}
        identities = [
            {"clientId": MANAGED, "principalId": PRINCIPAL, "tenant": TENANT},
            {
                "clientId": READER,
                "clientSecret": "reader",
                "tenant": TENANT,
                "allows": ["Microsoft.KeyVault/vaults/read"],
            },
        ]
        azure = {"vaults": [there], "identities": identities, "metadataService": True}
        self.content = {"records": [record], "clouds": {"azure": azure}}

    def __call__(self) -> Vault:
        """The vault as it is now."""
        return Vault.model_validate(self.content)


@pytest.fixture
def vault() -> VaultHolder:
    """The vault file."""
    return VaultHolder()


@pytest.fixture
def faults() -> FaultBoard:
    """The faults of the local Azure."""
    return FaultBoard()


@pytest.fixture
def azure(
    vault: VaultHolder, faults: FaultBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AzureServer]:
    """A local Azure."""
    server = AzureServer(vault, tmp_path / "azure", faults)
    server.start()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca_file))
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.metadata_url)
    monkeypatch.setenv("NO_PROXY", "localhost")
    yield server
    server.stop()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """What is closed after a test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def credentials(azure: AzureServer, opened: ExitStack) -> Credentials:
    """Microsoft's credential of a service principal, by default the PAM Configuration's."""

    def make(client: str = CLIENT, secret: str = CLIENT_SECRET, tenant: str = TENANT) -> ClientSecretCredential:
        credential = ClientSecretCredential(
            tenant, client, secret, authority=azure.url, disable_instance_discovery=True
        )
        return opened.enter_context(credential)

    return make


@pytest.fixture
def manage(azure: AzureServer, credentials: Credentials, opened: ExitStack) -> Manage:
    """Microsoft's client of Resource Manager."""

    def make(credential: object = None) -> KeyVaultManagementClient:
        client = KeyVaultManagementClient(
            credential or credentials(),  # type: ignore[arg-type]  # any of Microsoft's credentials
            SUBSCRIPTION,
            base_url=azure.url,
            credential_scopes=[f"{azure.url}/.default"],
        )
        return opened.enter_context(client)

    return make


@pytest.fixture
def connect(manage: Manage, credentials: Credentials, opened: ExitStack) -> Connect:
    """Microsoft's client of a key vault."""

    def make(credential: object = None, vault: str = THERE) -> SecretClient:
        uri = manage().vaults.get(GROUP, vault).properties.vault_uri
        client = SecretClient(
            str(uri),
            credential or credentials(),  # type: ignore[arg-type]  # any of Microsoft's credentials
            verify_challenge_resource=False,
            retry_total=0,
        )
        return opened.enter_context(client)

    return make
