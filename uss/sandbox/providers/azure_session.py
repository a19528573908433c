"""A provider instance of Azure: its identity, proven by the first call, and its clients of Resource Manager and of key
vaults.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.identity import (
    ClientSecretCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient

from uss.sandbox.providers.azure_config import AzureConfig
from uss.sandbox.providers.azure_identity import AzidentityCredential
from uss.sandbox.providers.interface import ProviderError

# What goes wrong is told to the engine; the SDK's own warnings would go to the sandbox's standard error too.
logging.getLogger("azure").addHandler(logging.NullHandler())

API_VERSION = "2024-11-01"
"""The version of Key Vault's management API that the installed SDK's resources use by default."""

_NOT_FOUND = 404
_SCOPE = "https://management.azure.com/.default"
_RETRIES: dict[str, Any] = {"retry_total": 3, "retry_backoff_factor": 0.1}  # the Go SDK has three, further apart
_LOOPBACK = ("localhost", "127.0.0.1")
_IMDS = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
_OTHER_IDENTITIES = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE")
"""Variables by which Azure's SDK finds a managed identity before it asks the metadata service."""


class AzureError(ProviderError):
    """A call to Azure failed; `status` is HTTP's, 0 where there was no answer, `code` Azure's own."""

    def __init__(self, text: str, status: int = 0, code: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class _Endpoints:
    resource_manager: str
    authority: str


@dataclass
class AzureSession:
    """A configured provider instance."""

    config: AzureConfig
    _arm: KeyVaultManagementClient = field(repr=False)
    _credential: TokenCredential = field(repr=False)
    _web: requests.Session = field(repr=False)
    _open: ExitStack = field(repr=False)
    _vaults: dict[str, SecretClient] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def claims(self) -> dict[str, Any]:
        """Return what the identity's token says of it."""
        encoded = self._credential.get_token(_SCOPE).token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        return claims

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, hidden: str = "") -> dict[str, Any]:
        """Call Resource Manager and return the answer; raise `AzureError`, with `hidden` taken out of Azure's text."""
        request = HttpRequest(
            method, quote(path), params={"api-version": API_VERSION}, json=None if body is None else dict(body)
        )
        with azure_call(hidden):
            response = self._arm.send_request(request)
            response.raise_for_status()
            content = response.json() if response.content else {}
        return content if isinstance(content, dict) else {}

    def find(self, path: str) -> dict[str, Any] | None:
        """Return what Resource Manager has at a path; None if there is nothing."""
        try:
            return self.call("GET", path)
        except AzureError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def vault(self, name: str) -> SecretClient:
        """Return the client of a vault's own endpoint, which is looked up by the vault's name."""
        uri = _ask(self._web, f"https://{self.config.metadata_host}/sandbox/vaults/{quote(name)}").get("vaultUri")
        if not uri:
            raise AzureError(f"no key vault named {name} answers: no such host")
        with self._lock:
            if uri not in self._vaults:
                refuse_other_hosts(uri)
                # The vault's host is not the one of the token's audience, as it is in Azure.
                client = SecretClient(uri, self._credential, verify_challenge_resource=False, **_RETRIES)
                self._vaults[uri] = self._open.enter_context(client)
            return self._vaults[uri]

    def close(self) -> None:
        """Close the connections of all clients."""
        self._open.close()


@contextmanager
def azure_call(hidden: str = "") -> Iterator[None]:
    """Raise what goes wrong inside as `AzureError`, in the words of the real provider's SDK."""
    try:
        yield
    except HttpResponseError as error:
        raise _refused(error, hidden) from None
    except SdkError as error:
        raise AzureError(f"no answer from Azure that can be read: {type(error).__name__}") from None
    except ValueError as error:
        raise AzureError(f"Azure's answer cannot be read: {type(error).__name__}") from None


def connect(config: AzureConfig) -> AzureSession:
    """Take on the configured identity, which the first call proves; raise `ProviderError` for what is no identity."""
    with ExitStack() as stack:
        web = stack.enter_context(requests.Session())
        endpoints = _discover(config, web)
        credential = AzidentityCredential(partial(_credential, config, endpoints, stack))
        arm = KeyVaultManagementClient(
            credential, config.subscription_id, base_url=endpoints.resource_manager, **_RETRIES
        )
        stack.enter_context(arm)
        return AzureSession(config, arm, credential, web, stack.pop_all())


def refuse_other_hosts(url: str) -> None:
    """Raise `ProviderError` for a URL that is not on this machine."""
    host = urlsplit(url).hostname
    if host not in _LOOPBACK:
        raise ProviderError(
            f"the stand-in provider speaks to local clouds only, not to {host}: set ARM_METADATA_HOSTNAME or the "
            "provider's metadataHost, or take PULUMI_DEBUG_PROVIDERS out of the environment to use the real provider"
        )


def _discover(config: AzureConfig, web: requests.Session) -> _Endpoints:
    if not config.metadata_host:
        refuse_other_hosts("https://management.azure.com")
    url = f"https://{config.metadata_host}/metadata/endpoints?api-version=2022-09-01"
    refuse_other_hosts(url)
    content = _ask(web, url)
    try:
        endpoints = _Endpoints(content["resourceManager"], content["authentication"]["loginEndpoint"])
    except (KeyError, TypeError):
        raise ProviderError(f"the cloud's metadata at {config.metadata_host} name no endpoints") from None
    refuse_other_hosts(endpoints.resource_manager)
    refuse_other_hosts(endpoints.authority)
    return endpoints


def _ask(web: requests.Session, url: str) -> dict[str, Any]:
    try:
        with web.get(url, timeout=10) as answer:
            content = answer.json()
    except (requests.RequestException, ValueError) as error:
        host = urlsplit(url).netloc
        raise ProviderError(f"the cloud's metadata at {host} cannot be read: {type(error).__name__}") from None
    return content if isinstance(content, dict) else {}


def _credential(config: AzureConfig, endpoints: _Endpoints, stack: ExitStack, **options: Any) -> TokenCredential:
    # The real provider's order: a setting that is there decides, whatever else is set.
    authority: dict[str, Any] = {"authority": endpoints.authority, "disable_instance_discovery": True, **options}
    if config.use_default_azure_credential:
        _require("using the Default Azure Credential", {"Subscription ID": config.subscription_id})
        return stack.enter_context(EnvironmentCredential(**authority, **_RETRIES))
    if config.client_certificate_path:
        raise _unknown_setting("clientCertificatePath")
    needed = {"Subscription ID": config.subscription_id}
    if config.client_secret:
        needed |= {"Tenant ID": config.tenant_id, "Client ID": config.client_id}
        _require("as a Service Principal using a Client Secret", needed)
        secret = ClientSecretCredential(
            config.tenant_id, config.client_id, config.client_secret, **authority, **_RETRIES
        )
        return stack.enter_context(secret)
    if config.use_oidc:
        needed |= {"Tenant ID": config.tenant_id, "Client ID": config.client_id}
        _require("with OIDC", needed | {"OIDC token": config.oidc_token_file_path})
        exchanged = WorkloadIdentityCredential(
            tenant_id=config.tenant_id,
            client_id=config.client_id,
            token_file_path=config.oidc_token_file_path,
            **authority,
            **_RETRIES,
        )
        return stack.enter_context(exchanged)
    if config.use_msi:
        _require("as a Managed Identity using MSI", needed)
        return stack.enter_context(_managed_identity(config.client_id, **options))
    raise ProviderError(
        "unable to find an identity for Azure: set azure-native:clientId, clientSecret and tenantId, or useMsi, or "
        "useDefaultAzureCredential with AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and AZURE_TENANT_ID"
    )


def _managed_identity(client_id: str, **options: Any) -> ManagedIdentityCredential:
    if not os.environ.get(_IMDS):
        raise ProviderError(f"the stand-in provider finds no local metadata service: set {_IMDS}")
    refuse_other_hosts(os.environ[_IMDS])
    for name in _OTHER_IDENTITIES:
        if os.environ.get(name):
            raise ProviderError(f"the stand-in provider takes managed identities from {_IMDS} only: unset {name}")
    # Tried once: the real SDK takes half a minute to find out that it does not run in Azure.
    return ManagedIdentityCredential(client_id=client_id or None, retry_total=0, **options)


def _require(how: str, settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        if not value:
            raise ProviderError(f"A {name} must be configured when authenticating {how}.")


def _unknown_setting(key: str) -> ProviderError:
    return ProviderError(f"the stand-in provider does not know the setting azure-native:{key}: leave it out")


def _refused(error: HttpResponseError, hidden: str) -> AzureError:
    status = error.status_code or 0
    code, message = _told(error)
    if len(hidden) > 3:  # a shorter value is part of ordinary words
        message = message.replace(hidden, "[secret]")
    return AzureError(f'Status={status} Code="{code}" Message="{message}"', status, code)


def _told(error: HttpResponseError) -> tuple[str, str]:
    """Return the error's code and message, with the inner code where there is one."""
    told: Any = None
    try:
        told = json.loads(error.response.text() if error.response else "")["error"]
        inner = (told.get("innererror") or {}).get("code", "")
        code = f"{told['code']}/{inner}" if inner else str(told["code"])
        return code, str(told["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", error.reason or type(error).__name__
