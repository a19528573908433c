"""What each local cloud holds, told by its vendor's own client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from azure.keyvault.secrets import SecretClient
from google.cloud import secretmanager_v1

from uss.sandbox.clients import aws_client, azure_management, azure_secrets, gcp_client

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
    with closing(aws_client(REGIONS[0], environment)) as client:
        pages = client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
        return sorted(entry["Name"] for page in pages for entry in page["SecretList"] if entry.get("DeletedDate"))


def read_azure(environment: Mapping[str, str]) -> Reading:
    """Read all secrets of the key vault with Microsoft's clients."""
    with azure_management(SUBSCRIPTION, environment) as management:
        uri = str(management.vaults.get(RESOURCE_GROUP, VAULT).properties.vault_uri)
    with azure_secrets(uri, environment) as client:
        names = [str(entry.name) for entry in client.list_properties_of_secrets()]
        return {VAULT: {name: _azure_secret(client, name) for name in names}}


def read_gcp(environment: Mapping[str, str]) -> Reading:
    """Read all secrets of the project with Google's client."""
    with gcp_client(environment) as client:
        found = list(client.list_secrets(request={"parent": f"projects/{PROJECT}"}))
        return {PROJECT: {secret.name.rpartition("/")[2]: _gcp_secret(client, secret) for secret in found}}


READERS: Mapping[str, Callable[[Mapping[str, str]], Reading]] = {
    "aws": read_aws,
    "azure": read_azure,
    "gcp": read_gcp,
}


def _aws_secrets(region: str, environment: Mapping[str, str]) -> Iterator[tuple[str, Held]]:
    with closing(aws_client(region, environment)) as client:
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
