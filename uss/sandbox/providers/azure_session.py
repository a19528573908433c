"""A provider instance of Azure: its identity, proven, and its clients, all on this machine.

ProviderError
  AzureError       Azure refused a call, or did not answer it
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.exceptions import AzureError as AzureCoreError
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient

from uss.sandbox.providers.interface import ProviderError
from uss.sandbox.providers.values import Properties

NOT_FOUND, CONFLICT = 404, 409
_METADATA_VARIABLES = ("ARM_METADATA_HOSTNAME", "ARM_METADATA_HOST")
_LOOPBACK = {"localhost", "127.0.0.1"}
_SECONDS = 10
# The real provider tries for minutes: too long for a cloud on this machine.
_RETRIES = 4


class AzureError(ProviderError):
    """A call to Azure failed. `status` is the HTTP status, 0 if there was no answer."""

    def __init__(self, doing: str, status: int, code: str, reason: str) -> None:
        told = f'Status={status} Code="{code}" Message="{reason}"' if status else reason
        super().__init__(f"{doing}: {told}")
        self.status = status


@dataclass
class AzureSession:
    """A configured provider instance."""

    subscription: str
    tenant: str
    client_id: str
    credential: Any = field(repr=False)
    management: KeyVaultManagementClient = field(repr=False)
    _open: ExitStack = field(default_factory=ExitStack, repr=False)
    _vaults: dict[str, SecretClient] = field(default_factory=dict, repr=False)

    def vault(self, group: str, name: str) -> SecretClient:
        """Return the client of a key vault's data plane."""
        if name not in self._vaults:
            with azure_call(f"reading Vault ({name})"):
                uri = self.management.vaults.get(group, name).properties.vault_uri
            # The vaults of the sandbox are ports of one host, which is not below Key Vault's domain.
            client = SecretClient(str(uri), self.credential, verify_challenge_resource=False, retry_total=_RETRIES)
            self._vaults[name] = self._open.enter_context(client)
        return self._vaults[name]

    def close(self) -> None:
        """Close all clients."""
        self._open.close()


@contextmanager
def azure_call(doing: str) -> Iterator[None]:
    """Raise what goes wrong inside as `AzureError`. `doing` is what was tried."""
    try:
        yield
    except HttpResponseError as error:
        status = int(error.status_code or 0)
        told = error.error
        code, reason = (told.code or "", told.message or "") if told else ("", type(error).__name__)
        raise AzureError(doing, status, code, reason) from None
    except (AzureCoreError, OSError, ValueError, TypeError) as error:
        raise AzureError(doing, 0, "", f"no answer that can be read from Azure: {type(error).__name__}") from None


def connect(inputs: Properties) -> AzureSession:
    """Take on the configured identity and prove it by an access token; raise `ProviderError`."""
    arm, login = _endpoints(inputs)
    tenant, client_id = _setting(inputs, "tenantId"), _setting(inputs, "clientId")
    subscription = _setting(inputs, "subscriptionId")
    credential: Any
    if str(_setting(inputs, "useMsi")).lower() == "true":
        options: dict[str, Any] = {"retry_total": 1}
        credential = ManagedIdentityCredential(client_id=client_id or None, **options)
    else:
        credential = ClientSecretCredential(
            tenant,
            client_id,
            _setting(inputs, "clientSecret") or "none",
            authority=login,
            disable_instance_discovery=True,
        )
    try:
        credential.get_token(f"{arm}/.default")
    except AzureCoreError as error:
        # What Azure says ends its first paragraph; the rest is advice of the library.
        raise ProviderError(f"building auth token: {error.message.strip().partition(chr(10))[0]}") from None
    management = KeyVaultManagementClient(
        credential, subscription, base_url=arm, credential_scopes=[f"{arm}/.default"], retry_total=_RETRIES
    )
    session = AzureSession(subscription, tenant, client_id, credential, management)
    session._open.enter_context(credential)
    session._open.enter_context(management)
    return session


def _setting(inputs: Properties, key: str) -> str:
    """A setting of the provider, or of its twin in the environment, as `ARM_CLIENT_ID` for `clientId`."""
    twin = "ARM_" + "".join(f"_{letter}" if letter.isupper() else letter for letter in key).upper()
    return str(inputs.get(key) or os.environ.get(twin) or "")


def _endpoints(inputs: Properties) -> tuple[str, str]:
    told = (os.environ.get(variable) for variable in _METADATA_VARIABLES)
    host = inputs.get("metadataHost") or next(filter(None, told), "")
    if urlsplit(f"https://{host}").hostname not in _LOOPBACK:
        raise ProviderError("the stand-in for Azure speaks to the sandbox alone, and ARM_METADATA_HOSTNAME is not its")
    try:
        answer = requests.get(f"https://{host}/metadata/endpoints?api-version=2022-09-01", timeout=_SECONDS).json()[0]
        return str(answer["resourceManager"]), str(answer["authentication"]["loginEndpoint"])
    except (requests.RequestException, ValueError, KeyError, IndexError, TypeError) as error:
        raise ProviderError(f"the sandbox's Azure does not answer: {type(error).__name__}") from None
