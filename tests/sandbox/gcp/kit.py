"""A running GcpServer, service account keys, and the vendor's own clients for it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.auth import impersonated_credentials
from google.auth.transport.requests import Request
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.oauth2 import service_account

from uss.sandbox.faults import FaultBoard
from uss.sandbox.gcp import GcpServer
from uss.sandbox.gcp.oauth import GOOGLE_TOKEN_URI
from uss.sandbox.vaultfile import Vault

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
PROJECT, OTHER_PROJECT = "payments-prod", "payments-test"
PARENT = f"projects/{PROJECT}"
PAM_EMAIL = f"keeper@{PROJECT}.iam.gserviceaccount.com"
SYNC_EMAIL = f"keeper-uss@{PROJECT}.iam.gserviceaccount.com"
READER_EMAIL = f"reader@{PROJECT}.iam.gserviceaccount.com"
AUTOMATIC: dict[str, Any] = {"replication": {"automatic": {}}}

KeyFile = dict[str, Any]


@cache
def private_pem(email: str) -> str:
    """The private key of an account, the same in a whole run: making one takes a while."""
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_file(email: str = PAM_EMAIL, project: str = PROJECT, **more: Any) -> KeyFile:
    """A key file as Google hands it out: with Google's own token endpoint."""
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "1",
        "private_key": private_pem(email),
        "client_email": email,
        "client_id": "1",
        "token_uri": GOOGLE_TOKEN_URI,
        "universe_domain": "googleapis.com",
    } | more


def pam_record(key: Any = None, **more: Any) -> dict[str, Any]:
    """A PAM Configuration of GCP."""
    key = json.dumps(key_file()) if key is None else key
    entry = {"type": "json", "label": "pamServiceAccountKey", "value": [key]} | more
    return {"uid": "pam", "type": "pamGcpConfiguration", "title": "GCP", "fields": [entry]}


def content(record: Any = None, **gcp: Any) -> dict[str, Any]:
    """A vault file: a PAM Configuration, an account that it may impersonate, and one that may only read."""
    accounts = [
        {"email": SYNC_EMAIL, "impersonators": [PAM_EMAIL]},
        {
            "email": READER_EMAIL,
            "privateKey": private_pem(READER_EMAIL),
            "allows": ["secretmanager.secrets.get", "secretmanager.versions.*"],
        },
    ]
    clouds = {"projects": [OTHER_PROJECT], "serviceAccounts": accounts} | gcp
    return {"records": [pam_record() if record is None else record], "clouds": {"gcp": clouds}}


@dataclass
class Gcp:
    """A Google Cloud on this machine, and the vendor's unmodified clients of it."""

    vault: Vault
    faults: FaultBoard = field(default_factory=FaultBoard)
    ahead: float = 0.0
    """How many seconds the server's clock is ahead."""
    open: ExitStack = field(default_factory=ExitStack)
    server: GcpServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = GcpServer(lambda: self.vault, self.faults, lambda: time.time() + self.ahead)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find this cloud."""
        return {"USS_SANDBOX_GCP_URL": self.server.url}

    def change_vault(self, content: Mapping[str, Any]) -> None:
        """Replace the vault's content."""
        self.vault = Vault.model_validate(content)

    def credentials(self, key: KeyFile | None = None, scope: str = SCOPE) -> Any:
        """Credentials that get their tokens from the sandbox; the administrator's where no key is given."""
        info = self.server.ambient if key is None else key
        info = info | {"token_uri": f"{self.server.url}/token"}
        return service_account.Credentials.from_service_account_info(info, scopes=[scope])  # type: ignore[no-untyped-call]  # google-auth has no types

    def impersonated(self, target: str, source: Any, delegates: list[str] | None = None) -> Any:
        """Credentials of another account."""
        override = f"{self.server.url}/v1/projects/-/serviceAccounts/{target}:generateAccessToken"
        return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth has no types
            source, target, [SCOPE], delegates=delegates, iam_endpoint_override=override
        )

    def token(self, credentials: Any) -> str:
        """The token that credentials get."""
        session = self.open.enter_context(requests.Session())
        credentials.refresh(Request(session))
        return str(credentials.token)

    def client(self, credentials: Any = None) -> Any:
        """A client of Secret Manager; the administrator's where no credentials are given.

        Untyped: the client takes dictionaries for messages, and its types say otherwise.
        """
        client = SecretManagerServiceClient(
            credentials=credentials or self.credentials(),
            transport="rest",
            client_options={"api_endpoint": self.server.url},
        )
        self.open.callback(client.transport.close)
        return client

    def get(self, path: str, token: str = "", **more: Any) -> requests.Response:
        """Ask without any client library."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(self.server.url + path, headers=headers, timeout=10, **more)

    def post_token(self, **form: str) -> requests.Response:
        """Ask the token endpoint."""
        return requests.post(f"{self.server.url}/token", data=form, timeout=10)


@contextmanager
def run_gcp(vault: Mapping[str, Any] | None = None) -> Iterator[Gcp]:
    """Run a Google Cloud for a vault file's content."""
    gcp = Gcp(Vault.model_validate(content() if vault is None else vault))
    gcp.server.start()
    try:
        with gcp.open:
            yield gcp
    finally:
        gcp.server.stop()
