"""A running local GCP, and the vendor's own clients for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.cloud import secretmanager_v1
from google.cloud.secretmanager_v1.services.secret_manager_service.transports.rest import (
    SecretManagerServiceRestTransport,
)
from google.oauth2 import service_account

from uss.sandbox.faults import FaultBoard
from uss.sandbox.gcp import GcpServer, service_account_key
from uss.sandbox.vaultfile import Vault

PROJECT = "payments-prod"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
KEY = service_account_key("pam", PROJECT, "https://oauth2.googleapis.com/token")
READER = service_account_key("reader", PROJECT, "https://oauth2.googleapis.com/token")
TARGET = "keeper-uss@payments-prod.iam.gserviceaccount.com"

Client = secretmanager_v1.SecretManagerServiceClient
Connect = Callable[..., Client]


def vault() -> Vault:
    """A vault with a PAM Configuration, a reader, and a service account that the former's key impersonates."""
    record = {
        "uid": "PAM",
        "type": "pamGcpConfiguration",
        "title": "GCP",
        "fields": [{"type": "json", "label": "pamServiceAccountKey", "value": [json.dumps(KEY)]}],
    }
    accounts = [
        {"email": TARGET, "allows": ["secretmanager.*"], "impersonators": [KEY["client_email"]]},
        {
            "email": READER["client_email"],
            "privateKey": READER["private_key"],
            "allows": ["secretmanager.versions.access"],
        },
    ]
    gcp = {"projects": ["other-project"], "serviceAccounts": accounts}
    return Vault.model_validate({"records": [record], "clouds": {"gcp": gcp}})


@pytest.fixture
def faults() -> FaultBoard:
    """The faults of the local GCP."""
    return FaultBoard()


@pytest.fixture
def gcp(faults: FaultBoard) -> Iterator[GcpServer]:
    """A local GCP."""
    server = GcpServer(vault, faults)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def credentials(gcp: GcpServer) -> Callable[[dict[str, Any]], service_account.Credentials]:
    """Google's credentials of a key, with the token endpoint on this machine."""

    def make(key: dict[str, Any]) -> service_account.Credentials:
        told = key | {"token_uri": f"{gcp.url}/token"}
        return service_account.Credentials.from_service_account_info(told, scopes=SCOPES)  # type: ignore[no-untyped-call,no-any-return]  # google-auth has no types here

    return make


@pytest.fixture
def connect(gcp: GcpServer, credentials: Callable[..., Any]) -> Iterator[Connect]:
    """Google's client, by default with the PAM Configuration's key."""
    clients: list[Client] = []

    def make(identity: Any = None) -> Client:
        transport = SecretManagerServiceRestTransport(
            host=f"localhost:{gcp.port}", credentials=identity or credentials(KEY), url_scheme="http"
        )
        clients.append(Client(transport=transport))
        return clients[-1]

    yield make
    for client in clients:
        client.transport.close()  # type: ignore[no-untyped-call]  # Google's transports have no types here
