"""Reads the GCP Secret Manager of a configuration's project.

Sources: the Secret Manager API (projects.secrets, projects.secrets.versions.access) and google-auth's documentation.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import google.auth
import requests
from google.api_core.exceptions import (
    BadRequest,
    Forbidden,
    GoogleAPICallError,
    NotFound,
    RetryError,
    Unauthorized,
)
from google.api_core.retry import Retry, if_transient_error
from google.auth import impersonated_credentials
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request
from google.cloud.secretmanager_v1 import Secret, SecretManagerServiceClient
from google.oauth2 import service_account
from google.protobuf.json_format import Error as JsonFormatError

from uss.clouds.gcp import ANNOTATION, LABEL, GcpTarget
from uss.config import CloudType
from uss.errors import CloudError
from uss.importer.readers.filters import Filters
from uss.importer.readers.interface import Caller, translated
from uss.importer.readers.secrets import CloudSecret, Listed, Skipped
from uss.text import shown

if TYPE_CHECKING:
    from types import TracebackType

_ENDPOINT, _IAM_ENDPOINT = "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", "GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT"
"""The gcp provider's own names: each an API's address with its version, as in `https://.../v1/`."""
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
_PAGE = 1_000
_RETRY: Any = Retry(predicate=if_transient_error, initial=1.0, maximum=30.0, timeout=180.0)  # quotas are by the minute
_TIMEOUT_SECONDS = 60.0
_LIST, _READ = "secretmanager.secrets.list", "secretmanager.versions.access"


class GcpReader:
    """See `Reader`."""

    def __init__(self, client: SecretManagerServiceClient, project: str, caller: Caller) -> None:
        self._client = client
        self._project = project
        self._caller = caller

    def list(self, filters: Filters) -> Iterator[Listed]:
        """See `Reader.list`. GCP's own filter would save no call: a page holds more than most projects have."""
        call = partial(_translation, self._caller, f"list the secrets of the project {self._project}", _LIST)
        request = {"parent": f"projects/{self._project}", "page_size": _PAGE}
        with call():
            pages = self._client.list_secrets(request=request, retry=_RETRY, timeout=_TIMEOUT_SECONDS)
        for secret in translated(pages, call):
            listed = _listed(secret, self._project)
            if filters.match(listed, CloudType.GCP):
                yield listed

    def read(self, listed: Listed) -> CloudSecret | Skipped:
        """See `Reader.read`."""
        request = {"name": f"{listed.source}/versions/latest"}
        try:
            with _translation(self._caller, "give a secret's value", _READ):
                answer = self._client.access_secret_version(request=request, retry=_RETRY, timeout=_TIMEOUT_SECONDS)
                data, version = answer.payload.data, answer.name.rpartition("/")[2]
        except CloudError as error:
            if reason := _unreadable(error.__cause__):
                return Skipped(listed, reason)
            raise
        if not data:
            return Skipped(listed, "is empty")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return Skipped(listed, "is binary: it is not UTF-8 text")
        return CloudSecret(listed, version, text, listed.replicas)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.transport.close()  # type: ignore[no-untyped-call]  # generated without a type


class _Bearer(Credentials):
    """The access token of other credentials, renewed by them.

    Google's credentials of a service account, once they go with a request, also ask Google where that account is
    allowed: at its public address, whatever the endpoints here. Their token alone asks nobody.
    """

    def __init__(self, source: Credentials) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth has no types
        self._source = source
        self.token, self.expiry = source.token, source.expiry

    def refresh(self, request: Any) -> None:
        """Get a new token."""
        self._source.refresh(request)  # type: ignore[no-untyped-call]  # the same
        self.token, self.expiry = self._source.token, self._source.expiry


def connect(target: GcpTarget, configuration: str) -> GcpReader:
    """Return the reader of a configuration, once Google has given its identity a token; raise `CloudError`."""
    caller = Caller(configuration, "GCP", target.identity)
    endpoint = os.environ.get(_ENDPOINT)
    with closing(requests.Session()) as session, _translation(caller, "give an access token", "it"):
        credentials = _credentials(target, caller)
        # Here, and not with the first call: there, the client would take a refusal for a failure that passes.
        credentials.refresh(Request(session))  # type: ignore[no-untyped-call]  # google-auth has no types
    if endpoint:
        client = SecretManagerServiceClient(
            credentials=_Bearer(credentials),
            transport="rest",
            client_options={"api_endpoint": endpoint.rstrip("/").removesuffix("/v1")},
        )
    else:
        client = SecretManagerServiceClient(credentials=credentials)
    return GcpReader(client, target.project, caller)


def _credentials(target: GcpTarget, caller: Caller) -> Credentials:
    source = _source(target, caller)
    if not target.impersonate:
        return source
    endpoint = os.environ.get(_IAM_ENDPOINT)
    path = f"projects/-/serviceAccounts/{target.impersonate}:generateAccessToken"
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth has no types
        source_credentials=source,
        target_principal=target.impersonate,
        target_scopes=_SCOPES,
        iam_endpoint_override=f"{endpoint.rstrip('/')}/{path}" if endpoint else None,
    )


def _source(target: GcpTarget, caller: Caller) -> Credentials:
    """Return the credentials to begin with; a key signs its tokens itself, so that no endpoint is asked for one."""
    if target.credentials is None:
        found: Credentials = google.auth.default(scopes=_SCOPES)[0]
        return found
    try:
        info = json.loads(target.credentials)
        made: Credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]  # the same
            info, scopes=_SCOPES, always_use_jwt_access=True
        )
    except (GoogleAuthError, ValueError, KeyError, TypeError, AttributeError):  # which may quote the key
        mend = "Paste the whole JSON file that GCP gave for the service account's key into the PAM Configuration."
        raise caller.missing("the private key of the PAM Configuration's service account is malformed.", mend) from None
    return made


def _listed(secret: Secret, project: str) -> Listed:
    name = secret.name.rpartition("/")[2]
    return Listed(
        name=name,
        source=f"projects/{project}/secrets/{name}",  # Google's own name has the project's number in it
        tags={LABEL + key: value for key, value in secret.labels.items()}
        | {ANNOTATION + key: value for key, value in secret.annotations.items()},
        replicas=tuple(replica.location for replica in secret.replication.user_managed.replicas),
    )


def _unreadable(error: BaseException | None) -> str | None:
    """What is wrong with the one secret that was asked for; None where it is the whole service that did not answer."""
    match error:
        case NotFound():
            return "has no version, or is gone meanwhile"
        case BadRequest():
            return "has a latest version that is disabled or destroyed"
        case Forbidden():
            return f"may not be read: allow {_READ} on it (the role Secret Manager Secret Accessor)"
        case _:
            return None


@contextmanager
def _translation(caller: Caller, doing: str, permission: str) -> Iterator[None]:
    """Raise what goes wrong inside as `CloudError`. What quotes an answer is not chained."""
    try:
        yield
    except GoogleAPICallError as error:
        raise _refusal(error, caller, doing, permission) from error
    except RetryError as error:
        fault = f"it failed for longer than the import waits ({_kind(error.cause)})"
        raise caller.failed(doing, fault) from error
    except RefreshError as error:
        if error.retryable:
            raise caller.failed(doing, f"it says {shown(_told(error))}") from error
        mend = "Check the service account's key; for a syncIdentity, the key's service account needs the role Service "
        mend += "Account Token Creator on it."
        raise caller.refused(mend, _told(error)) from error
    except DefaultCredentialsError as error:
        mend = "Enter a service account key in the PAM Configuration, or run where Google's SDK finds credentials."
        raise caller.refused(mend, str(error)) from error
    except (requests.RequestException, TransportError) as error:
        mend = "Check the network, and start again."
        raise caller.failed(doing, f"there was no answer from it ({_kind(error)})", mend) from error
    except (KeyError, TypeError, ValueError, AttributeError, JsonFormatError, GoogleAuthError) as error:
        raise caller.failed(doing, f"its answer cannot be read ({_kind(error)})") from None


def _refusal(error: GoogleAPICallError, caller: Caller, doing: str, permission: str) -> CloudError:
    told = str(error.message)
    if isinstance(error, Unauthorized):
        return caller.refused("Check the service account and its key.", told)
    if error.reason == "SERVICE_DISABLED":
        text = "Secret Manager is not enabled in the project."
        return caller.missing(text, "Enable the API secretmanager.googleapis.com there.")
    if isinstance(error, Forbidden):
        return caller.denied(doing, permission, told)
    return caller.failed(doing, f"it says {error.code} ({_kind(error)})")


def _kind(error: BaseException | None) -> str:
    return type(error).__name__


def _told(error: RefreshError) -> str:
    """Return what Google says where it gives no token: the library has it in its error's parts, as text or parsed."""
    parts = [*error.args, ""]
    try:
        content = json.loads(parts[1]) if isinstance(parts[1], str) else dict(parts[1])
        return str(content.get("error_description") or content["error"]["message"])
    except (KeyError, TypeError, ValueError):
        return str(parts[0])
