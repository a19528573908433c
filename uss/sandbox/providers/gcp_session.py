"""A provider instance of GCP: its identity, proven, and its client, all on this machine.

ProviderError
  GcpError         GCP refused a call, or did not answer it
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import google.auth.transport.requests
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.api_core.retry import Retry, if_transient_error
from google.auth import exceptions as auth_exceptions
from google.auth import impersonated_credentials
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports.rest import (
    SecretManagerServiceRestTransport,
)
from google.oauth2 import credentials as oauth2_credentials
from google.oauth2 import service_account

from uss.sandbox.providers.interface import ProviderError
from uss.sandbox.providers.values import Properties

ENDPOINT_VARIABLE = "USS_SANDBOX_GCP_URL"
"""Where the sandbox's GCP is: Secret Manager, IAM Credentials and the token endpoint."""
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
# The real provider tries for minutes: too long for a cloud on this machine.
RETRY = Retry(predicate=if_transient_error, initial=0.1, maximum=1.0, timeout=8.0)


class GcpError(ProviderError):
    """A call to GCP failed. `code` is the HTTP status, 0 if there was no answer."""

    def __init__(self, doing: str, code: int, reason: str) -> None:
        super().__init__(f"{doing}: googleapi: Error {code}: {reason}" if code else f"{doing}: {reason}")
        self.code = code


@dataclass
class GcpSession:
    """A configured provider instance."""

    project: str | None
    client: SecretManagerServiceClient = field(repr=False)
    default_labels: dict[str, str] = field(default_factory=dict)

    def close(self) -> None:
        """Close the connections."""
        self.client.transport.close()  # type: ignore[no-untyped-call]  # Google's transports have no types here


@contextmanager
def gcp_call(doing: str) -> Iterator[None]:
    """Raise what goes wrong inside as `GcpError`. `doing` is what was tried, in the real provider's words."""
    try:
        yield
    except RetryError as error:
        cause = error.cause
        code = int(cause.code or 0) if isinstance(cause, GoogleAPICallError) else 0
        raise GcpError(doing, code, _reason(cause)) from None
    except GoogleAPICallError as error:
        raise GcpError(doing, int(error.code or 0), _reason(error)) from None
    except auth_exceptions.GoogleAuthError as error:
        raise GcpError(doing, 0, f"no access token: {type(error).__name__}") from None
    except (OSError, ValueError, TypeError) as error:
        raise GcpError(doing, 0, f"no answer that can be read from GCP: {type(error).__name__}") from None


def connect(inputs: Properties) -> GcpSession:
    """Take on the configured identity and prove it by an access token; raise `ProviderError`."""
    url = os.environ.get(ENDPOINT_VARIABLE)
    if not url:
        raise ProviderError(f"the stand-in for GCP speaks to the sandbox alone, and {ENDPOINT_VARIABLE} is not set")
    project = inputs.get("project") or os.environ.get("GOOGLE_PROJECT") or os.environ.get("GOOGLE_CLOUD_PROJECT")
    identity = _identity(inputs, url)
    target = inputs.get("impersonateServiceAccount")
    if target:
        identity = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth has no types
            identity,
            target,
            list(_SCOPES),
            delegates=_json(inputs.get("impersonateServiceAccountDelegates")) or [],
            iam_endpoint_override=f"{url}/v1/projects/-/serviceAccounts/{target}:generateAccessToken",
        )
    try:
        identity.refresh(google.auth.transport.requests.Request())
    except auth_exceptions.GoogleAuthError as error:
        raise ProviderError(f"{_who(target)}: {_told(error)}") from None
    host = url.partition("://")[2]
    transport = SecretManagerServiceRestTransport(host=host, credentials=identity, url_scheme="http")
    labels = _json(inputs.get("defaultLabels")) or {}
    return GcpSession(project, SecretManagerServiceClient(transport=transport), labels)


def _identity(inputs: Properties, url: str) -> Any:
    if token := inputs.get("accessToken"):
        return oauth2_credentials.Credentials(token)  # type: ignore[no-untyped-call]  # google-auth has no types here
    text = inputs.get("credentials") or os.environ.get("GOOGLE_CREDENTIALS") or _file()
    try:
        key = json.loads(text or "")
        return service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]  # as above
            key | {"token_uri": f"{url}/token"}, scopes=_SCOPES
        )
    except (ValueError, TypeError, KeyError, auth_exceptions.GoogleAuthError):
        # What the library says of it could quote the key.
        raise ProviderError("could not parse credentials: they are not the JSON of a service account's key") from None


def _file() -> str | None:
    path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    try:
        return open(path, encoding="utf-8").read() if path else None  # noqa: SIM115 - closed at once by CPython, and read whole
    except OSError:
        return None


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def moment(when: Any) -> str:
    """Write a time of Google's client as the API does; empty where there is none."""
    return str(when.rfc3339()) if when else ""


def _who(target: str | None) -> str:
    return f"impersonate: status of the token request for {target}" if target else "oauth2: cannot fetch token"


def _told(error: Exception) -> str:
    """Google's own words: the arguments of its error are its library's text and the service's answer; no request."""
    answer = error.args[1] if len(error.args) > 1 else None
    try:
        content = json.loads(answer) if isinstance(answer, str) else answer
        return f"{error.args[0]}: {content['error']['message']}"  # type: ignore[index]  # or it is of another form
    except (ValueError, KeyError, TypeError, IndexError):
        return str(error.args[0]) if error.args else type(error).__name__


def _reason(error: Any) -> str:
    """The service's own text, without the request's method and address before it."""
    message = str(getattr(error, "message", "") or type(error).__name__)
    return message.partition("alt=json%3Benum-encoding%3Dint: ")[2] or message
