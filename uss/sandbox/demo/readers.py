"""What each local cloud holds, told by its vendor's own client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import boto3
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from google.auth.transport.requests import Request
from google.cloud import secretmanager_v1
from google.cloud.secretmanager_v1.services.secret_manager_service.transports.rest import (
    SecretManagerServiceRestTransport,
)
from google.oauth2 import service_account
from google.oauth2.credentials import Credentials

REGIONS = ("us-east-1", "eu-west-1")
SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
RESOURCE_GROUP, VAULT = "rg-secrets", "kv-prod"
PROJECT = "payments-prod"


@dataclass(frozen=True)
class Held:
    """A secret as its cloud tells it."""

    version: str
    content_type: str | None
    value: str = field(repr=False)


Reading = dict[str, dict[str, Held]]
"""By place (a region, a key vault, a project), the secrets that can be read there, by name."""


def read_aws(environment: Mapping[str, str]) -> Reading:
    """Read all secrets of the regions with AWS's client."""
    return {region: dict(_aws_secrets(region, environment)) for region in REGIONS}


def deleted_in_aws(environment: Mapping[str, str]) -> list[str]:
    """Return the names in the primary region that wait for the end of their recovery window."""
    with closing(_aws(REGIONS[0], environment)) as client:
        pages = client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
        return sorted(entry["Name"] for page in pages for entry in page["SecretList"] if entry.get("DeletedDate"))


def read_azure(environment: Mapping[str, str]) -> Reading:
    """Read all secrets of the key vault with Microsoft's clients."""
    authority, bundle = environment["AZURE_AUTHORITY_HOST"], environment["REQUESTS_CA_BUNDLE"]
    with (
        ClientSecretCredential(
            environment["AZURE_TENANT_ID"],
            environment["AZURE_CLIENT_ID"],
            environment["AZURE_CLIENT_SECRET"],
            authority=authority,
            disable_instance_discovery=True,  # the authority is this machine
            connection_verify=bundle,
        ) as credential,
        KeyVaultManagementClient(
            credential,
            SUBSCRIPTION,
            base_url=authority,
            credential_scopes=[f"{authority}/.default"],
            connection_verify=bundle,
        ) as management,
    ):
        uri = management.vaults.get(RESOURCE_GROUP, VAULT).properties.vault_uri
        # The local vault is a port of this machine, not a subdomain of the service's.
        with SecretClient(str(uri), credential, verify_challenge_resource=False, connection_verify=bundle) as client:
            names = [str(entry.name) for entry in client.list_properties_of_secrets()]
            return {VAULT: {name: _azure_secret(client, name) for name in names}}


def read_gcp(environment: Mapping[str, str]) -> Reading:
    """Read all secrets of the project with Google's client."""
    account = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]  # google-auth has no types here
        environment["GOOGLE_APPLICATION_CREDENTIALS"], scopes=["https://www.googleapis.com/auth/cloud-platform"]
    )
    account.refresh(Request())
    # Its token alone: with an account behind it, the library would ask Google itself where that account is allowed.
    credentials = Credentials(account.token)  # type: ignore[no-untyped-call]  # the same
    host = environment["USS_SANDBOX_GCP_URL"].partition("://")[2]
    transport = SecretManagerServiceRestTransport(host=host, credentials=credentials, url_scheme="http")
    with closing(transport):
        client = secretmanager_v1.SecretManagerServiceClient(transport=transport)
        found = list(client.list_secrets(request={"parent": f"projects/{PROJECT}"}))
        return {PROJECT: {secret.name.rpartition("/")[2]: _gcp_secret(client, secret) for secret in found}}


READERS: Mapping[str, Callable[[Mapping[str, str]], Reading]] = {
    "aws": read_aws,
    "azure": read_azure,
    "gcp": read_gcp,
}


def _aws(region: str, environment: Mapping[str, str]) -> Any:
    return boto3.client(
        "secretsmanager",
        region_name=region,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def _aws_secrets(region: str, environment: Mapping[str, str]) -> Iterator[tuple[str, Held]]:
    with closing(_aws(region, environment)) as client:
        for page in client.get_paginator("list_secrets").paginate():
            for entry in page["SecretList"]:
                answer = client.get_secret_value(SecretId=entry["Name"])
                tags = {tag["Key"]: tag["Value"] for tag in entry.get("Tags") or []}
                yield entry["Name"], Held(answer["VersionId"], tags.get("content-type"), answer["SecretString"])


def _azure_secret(client: SecretClient, name: str) -> Held:
    secret = client.get_secret(name)
    return Held(str(secret.properties.version), secret.properties.content_type, str(secret.value))


def _gcp_secret(client: secretmanager_v1.SecretManagerServiceClient, secret: secretmanager_v1.Secret) -> Held:
    answer = client.access_secret_version(request={"name": f"{secret.name}/versions/latest"})
    return Held(answer.name.rpartition("/")[2], secret.annotations.get("content-type"), answer.payload.data.decode())
