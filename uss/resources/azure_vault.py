"""A key vault's own endpoint, which tells what Azure Resource Manager does not: what is deleted and can be recovered,
and what else the key vault holds. Names and tags, never a value.

The provider has no function for it, so it is asked through Microsoft's client, as the same identity. Sources: Azure Key
Vault's REST reference, "Get Deleted Secrets" and "Get Secrets"; Azure Identity.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError
from azure.identity import (
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.keyvault.secrets import SecretClient

from uss.clouds.azure import AzureTarget
from uss.resources import azure_metadata

# What goes wrong shows in what is returned or raised; the SDK's own warnings would go to the run's screen too.
logging.getLogger("azure").addHandler(logging.NullHandler())

Credential = ManagedIdentityCredential | WorkloadIdentityCredential | ClientSecretCredential | DefaultAzureCredential

_LOOPBACK = ("localhost", "127.0.0.1")
# A key vault behind a firewall may let the provider in through Resource Manager and not this: then nobody shall wait.
_BRIEF: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 30, "retry_total": 2}


# What stands between may answer in the key vault's place, and Microsoft's client raises these for what it cannot read.
_NO_ANSWER = (AzureError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class DeletedEntry:
    """A deleted secret that the key vault keeps until `purged`."""

    tags: Mapping[str, str]
    purged: datetime | None


def deleted_secrets(uri: str, target: AzureTarget) -> dict[str, DeletedEntry] | None:
    """Return the key vault's deleted secrets by lower-case name: names are compared without case.

    None where the identity may not list them, or the key vault's network rules keep this machine out: the sync needs
    neither.
    """
    try:
        with _connected(uri, target) as client:
            return {
                (entry.name or "").lower(): DeletedEntry(entry.properties.tags or {}, entry.scheduled_purge_date)
                for entry in client.list_deleted_secrets()
            }
    except _NO_ANSWER:
        return None


def secret_tags(uri: str, target: AzureTarget) -> dict[str, Mapping[str, str]]:
    """Return the tags of the secrets that the key vault holds, by name; none as with `deleted_secrets`."""
    try:
        with _connected(uri, target) as client:
            return {entry.name or "": entry.tags or {} for entry in client.list_properties_of_secrets()}
    except _NO_ANSWER:
        return {}


@contextmanager
def _connected(uri: str, target: AzureTarget) -> Iterator[SecretClient]:
    with ExitStack() as stack:
        identity = credential(target)
        stack.enter_context(identity)
        yield stack.enter_context(connect(uri, identity, **_BRIEF))


def credential(target: AzureTarget) -> Credential:
    """Return the credential of the configuration's identity, for Microsoft's clients."""
    # The SDK takes another authority from this variable by itself; only Microsoft's own can vouch for it.
    own_authority = bool(os.environ.get("AZURE_AUTHORITY_HOST"))
    if target.managed_identity:
        if file := azure_metadata.token_file():
            return WorkloadIdentityCredential(
                tenant_id=target.tenant,
                client_id=target.managed_identity,
                token_file_path=file,
                disable_instance_discovery=own_authority,
            )
        return ManagedIdentityCredential(client_id=target.managed_identity)
    if target.client_id and target.client_secret:
        return ClientSecretCredential(
            target.tenant, target.client_id, target.client_secret, disable_instance_discovery=own_authority
        )
    return DefaultAzureCredential(disable_instance_discovery=own_authority)


def connect(uri: str, identity: Credential, **options: Any) -> SecretClient:
    """Return Microsoft's client of the key vault at this address; `options` are the SDK's, for retries and time."""
    return SecretClient(
        uri,
        identity,
        # A key vault on this machine is a port, not a service's subdomain as the check wants it.
        verify_challenge_resource=urlsplit(uri).hostname not in _LOOPBACK,
        **options,
    )
