"""A provider instance of GCP: its identity, which the first call tries, and its client of Secret Manager."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from google.api_core.exceptions import BadGateway, InternalServerError, ServiceUnavailable, TooManyRequests
from google.auth import identity_pool, impersonated_credentials
from google.auth.credentials import Credentials
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.oauth2 import service_account
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from uss.sandbox.providers.gcp_calls import quoted
from uss.sandbox.providers.gcp_config import ENDPOINT_VARIABLE, GcpConfig
from uss.sandbox.providers.gcp_errors import gcp_call
from uss.sandbox.providers.gcp_tokens import Bearer, Source
from uss.sandbox.providers.interface import ProviderError
from uss.sandbox.providers.values import Properties

PATIENCE_SECONDS = 3.0
"""How long a call is tried again; the real provider does it for twenty minutes."""

_EXTERNAL = "external_account"
"""Workload identity federation's."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TIMEOUT_SECONDS = 60.0
_RETRIED = (TooManyRequests, InternalServerError, BadGateway, ServiceUnavailable, requests.ConnectionError)


@dataclass
class GcpSession:
    """A configured provider instance."""

    config: GcpConfig
    client: SecretManagerServiceClient = field(repr=False)

    def project(self, inputs: Properties) -> str:
        """Return the project of a resource: its own, or the provider's; raise `ProviderError` if there is none."""
        project = inputs.get("project") or self.config.project
        if not project:
            raise ProviderError(
                "project: required field is not set: set it on the resource or the provider, or `pulumi config set "
                "gcp:project`"
            )
        return str(project)

    def ask(self, doing: str, method: Callable[..., Any], request: Properties, hidden: str = "") -> Any:
        """Call a method of the client, again while Google asks to wait or fails; raise `GcpError`."""
        attempts = Retrying(
            retry=retry_if_exception_type(_RETRIED),
            stop=stop_after_delay(PATIENCE_SECONDS),
            wait=wait_exponential(multiplier=0.1, max=1.0),
            reraise=True,
        )
        with gcp_call(doing, hidden, quoted(method.__name__, request)):
            return attempts(method, request=request, retry=None, timeout=_TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close the client's connections."""
        self.client.transport.close()  # type: ignore[no-untyped-call]  # generated without a type


def connect(config: GcpConfig) -> GcpSession:
    """Take on the configured identity, which nothing here proves; raise `ProviderError` for one that is none."""
    endpoint = _local(config.secret_manager_custom_endpoint, ENDPOINT_VARIABLE)
    client = SecretManagerServiceClient(
        credentials=_credentials(config),
        transport="rest",
        client_options={"api_endpoint": endpoint.rstrip("/").removesuffix("/v1")},
    )
    return GcpSession(config, client)


def _credentials(config: GcpConfig) -> Bearer:
    target = config.impersonate_service_account
    if config.access_token:
        source, own = Source(target or ""), Bearer(None, Source(), config.access_token)
    else:
        source, own = _own(config)
    if not target:
        return own
    endpoint = _local(config.iam_credentials_custom_endpoint, ENDPOINT_VARIABLE)
    impersonated = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth has no types
        source_credentials=own,
        target_principal=target,
        target_scopes=config.scopes,
        delegates=[f"projects/-/serviceAccounts/{email}" for email in config.impersonate_service_account_delegates],
        iam_endpoint_override=(
            f"{endpoint.rstrip('/').removesuffix('/v1')}/v1/projects/-/serviceAccounts/{target}:generateAccessToken"
        ),
    )
    return Bearer(impersonated, source)


def _own(config: GcpConfig) -> tuple[Source, Bearer]:
    """Return the credentials to begin with."""
    # Credentials name the endpoint that they are sent to; here that is the sandbox's, whatever they say.
    url = _local(os.environ.get(ENDPOINT_VARIABLE), ENDPOINT_VARIABLE)
    info = _info(config)
    target = config.impersonate_service_account or ""
    try:
        if info["type"] == _EXTERNAL:
            source = Source(target, external=True)
            return source, Bearer(_external_account(info, url, config.scopes), source)
        source = Source(target, str(info["token_uri"]))
        email, key = str(info["client_email"]), str(info["private_key"])
    except (ValueError, KeyError, TypeError, AttributeError):  # with the credentials' own text in it
        raise ProviderError("the credentials are not whole: a field is missing or malformed") from None
    if not _served(source.token_uri):
        return source, Bearer(None, source, fault=source.no_address())
    try:
        made: service_account.Credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]  # google-auth has no types
            info | {"client_email": email, "private_key": key, "token_uri": f"{url}/token"}, scopes=config.scopes
        )
    except (ValueError, TypeError, AttributeError):  # the same
        return source, Bearer(None, source, fault=source.bad_key())
    return source, Bearer(made, source)


def _served(token_uri: str) -> bool:
    """Whether the sandbox stands in for the address that a key names: Google's own, or one of this machine."""
    host = urlsplit(token_uri).hostname or ""
    return host in _LOOPBACK or host.endswith((".googleapis.com", ".google.com"))


def _external_account(info: dict[str, Any], url: str, scopes: list[str]) -> Credentials:
    if "file" not in info["credential_source"]:
        raise ProviderError("the stand-in provider takes a workload identity's token out of a file only")
    made: Credentials = identity_pool.Credentials.from_info(  # type: ignore[no-untyped-call]  # google-auth has no types
        info | {"token_url": f"{url}/v1/token"}, scopes=scopes
    )
    return made


def _info(config: GcpConfig) -> dict[str, Any]:
    text = config.credentials
    path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") if text is None else None
    if text is not None and not text.lstrip().startswith("{"):
        path = text
    if path:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError):
            raise ProviderError("the credentials are neither JSON nor the path of a file that can be read") from None
    if text is None:
        raise ProviderError(
            "no credentials: set the provider's credentials or accessToken, GOOGLE_CREDENTIALS, or "
            "GOOGLE_APPLICATION_CREDENTIALS"
        )
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("type") not in ("service_account", _EXTERNAL):
        raise ProviderError(f'the credentials are of a "type" that is neither "service_account" nor "{_EXTERNAL}"')
    return content


def _local(url: str | None, variable: str) -> str:
    host = urlsplit(url or "").hostname
    if not url or host not in _LOOPBACK:
        raise ProviderError(
            f"the stand-in provider speaks to local clouds only, not to {host or 'Google'}: set {variable}, or take "
            "PULUMI_DEBUG_PROVIDERS out of the environment to use the real provider"
        )
    return url
