"""A running AwsServer, and the vendor's own clients for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from uss.sandbox.aws import AwsServer
from uss.sandbox.faults import FaultBoard
from uss.sandbox.vaultclouds import AwsAccessKey
from uss.sandbox.vaultfile import Vault

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
PAM_KEY = AwsAccessKey(access_key_id="AKIAPAMPAMPAMPAMPAM1", secret_access_key="pam-secret-key")
READER_KEY = AwsAccessKey(
    access_key_id="AKIAREADERREADERREA1",
    secret_access_key="reader-secret-key",
    user="reader",
    allows=["secretsmanager:Get*", "secretsmanager:DescribeSecret", "sts:AssumeRole"],
)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/keeper-uss"
OTHER_ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/teams/keeper-uss"
GUARDED_ROLE = f"arn:aws:iam::{ACCOUNT}:role/guarded"

VAULT = {
    "records": [
        {
            "uid": "pam",
            "type": "pamAwsConfiguration",
            "title": "Production",
            "fields": [
                {"type": "secret", "label": "accessKeyId", "value": [PAM_KEY.access_key_id]},
                {"type": "secret", "label": "Access Secret Key", "value": [PAM_KEY.secret_access_key]},
            ],
        }
    ],
    "clouds": {
        "aws": {
            "account": ACCOUNT,
            "accessKeys": [READER_KEY.model_dump(by_alias=True)],
            "roles": [
                {"arn": ROLE, "trusts": [PAM_KEY.access_key_id]},
                {
                    "arn": OTHER_ROLE,
                    "trusts": [f"arn:aws:iam::{ACCOUNT}:root"],
                    "allows": ["secretsmanager:Create*", "secretsmanager:TagResource"],
                },
                {"arn": GUARDED_ROLE, "trusts": ["*"], "externalId": "right-id"},
            ],
        }
    },
}


class VaultHolder:
    """The vault as it is now; a test may put another one in its place."""

    def __init__(self) -> None:
        self.vault = Vault.model_validate(VAULT)

    def __call__(self) -> Vault:
        """The vault as it is now."""
        return self.vault


@pytest.fixture
def faults() -> FaultBoard:
    return FaultBoard()


@pytest.fixture
def vault() -> VaultHolder:
    return VaultHolder()


@pytest.fixture
def aws(vault: VaultHolder, faults: FaultBoard) -> Iterator[AwsServer]:
    server = AwsServer(vault, faults)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Clients:
    """Unmodified boto3 clients, one try per call."""

    def __init__(self, server: AwsServer) -> None:
        self._server = server
        self._close: list[Callable[[], None]] = []
        self._config = Config(retries={"total_max_attempts": 1, "mode": "standard"})

    def secrets(
        self, key: AwsAccessKey | None = None, *, region: str = "us-east-1", token: str | None = None
    ) -> SecretsManagerClient:
        """A client of Secrets Manager, the administrator's when no key is given."""
        key = key or self._server.ambient
        client = boto3.client(
            "secretsmanager",
            endpoint_url=self._server.url,
            region_name=region,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            aws_session_token=token,
            config=self._config,
        )
        self._close.append(client.close)
        return client

    def sts(self, key: AwsAccessKey | None = None, *, token: str | None = None) -> STSClient:
        """A client of STS, the administrator's when no key is given."""
        key = key or self._server.ambient
        client = boto3.client(
            "sts",
            endpoint_url=self._server.url,
            region_name="us-east-1",
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            aws_session_token=token,
            config=self._config,
        )
        self._close.append(client.close)
        return client

    def assumed(self, role: str, key: AwsAccessKey, *, region: str = "us-east-1") -> SecretsManagerClient:
        """A client of a role's session."""
        session = self.sts(key).assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        assumed = AwsAccessKey(access_key_id=session["AccessKeyId"], secret_access_key=session["SecretAccessKey"])
        return self.secrets(assumed, region=region, token=session["SessionToken"])

    def close(self) -> None:
        """Close every client's connections."""
        for close in self._close:
            close()


@pytest.fixture
def clients(aws: AwsServer) -> Iterator[Clients]:
    clients = Clients(aws)
    try:
        yield clients
    finally:
        clients.close()
