"""The vendors' own clients, pointed at the local clouds as the sandbox's administrator.

`environment` is what `uss sandbox start` exports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import boto3
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from google.auth.transport.requests import Request
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports.rest import (
    SecretManagerServiceRestTransport,
)
from google.oauth2 import service_account
from google.oauth2.credentials import Credentials


def aws_client(region: str, environment: Mapping[str, str]) -> Any:
    """Return AWS's client of Secrets Manager. Whoever asks closes it."""
    return boto3.client(
        "secretsmanager",
        region_name=region,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


@contextmanager
def azure_management(
    subscription: str, environment: Mapping[str, str], tenant: str | None = None
) -> Iterator[KeyVaultManagementClient]:
    """Microsoft's client of Resource Manager, in the administrator's tenant or another one."""
    authority = environment["AZURE_AUTHORITY_HOST"]
    with (
        _azure_credential(environment, tenant) as credential,
        KeyVaultManagementClient(
            credential,
            subscription,
            base_url=authority,
            credential_scopes=[f"{authority}/.default"],
            connection_verify=environment["REQUESTS_CA_BUNDLE"],
        ) as client,
    ):
        yield client


@contextmanager
def azure_secrets(uri: str, environment: Mapping[str, str], tenant: str | None = None) -> Iterator[SecretClient]:
    """Microsoft's client of the key vault at this address."""
    with (
        _azure_credential(environment, tenant) as credential,
        SecretClient(
            uri,
            credential,
            verify_challenge_resource=False,  # the local vault is a port of this machine, not a service's subdomain
            connection_verify=environment["REQUESTS_CA_BUNDLE"],
        ) as client,
    ):
        yield client


@contextmanager
def gcp_client(environment: Mapping[str, str]) -> Iterator[SecretManagerServiceClient]:
    """Google's client of Secret Manager."""
    account = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]  # google-auth has no types here
        environment["GOOGLE_APPLICATION_CREDENTIALS"], scopes=["https://www.googleapis.com/auth/cloud-platform"]
    )
    account.refresh(Request())
    # Its token alone: with an account behind it, the library would ask Google itself where that account is allowed.
    credentials = Credentials(account.token)  # type: ignore[no-untyped-call]  # the same
    host = environment["USS_SANDBOX_GCP_URL"].partition("://")[2]
    transport = SecretManagerServiceRestTransport(host=host, credentials=credentials, url_scheme="http")
    with closing(transport):
        yield SecretManagerServiceClient(transport=transport)


def _azure_credential(environment: Mapping[str, str], tenant: str | None) -> ClientSecretCredential:
    return ClientSecretCredential(
        tenant or environment["AZURE_TENANT_ID"],
        environment["AZURE_CLIENT_ID"],
        environment["AZURE_CLIENT_SECRET"],
        authority=environment["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,  # the authority is this machine
        connection_verify=environment["REQUESTS_CA_BUNDLE"],
    )
