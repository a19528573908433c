"""Reads the key vault of a configuration.

Sources: Azure Key Vault's REST reference (secrets, deleted secrets) and its REST API error codes; Azure Identity.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.keyvault.secrets import DeletedSecret, SecretClient, SecretProperties
from azure.mgmt.keyvault import KeyVaultManagementClient

from uss.clouds.azure import AzureTarget, no_metadata_service
from uss.config import CloudType
from uss.errors import CloudDeniedError, CloudError
from uss.importer.readers.filters import Filters
from uss.importer.readers.interface import Caller, translated
from uss.importer.readers.secrets import CloudSecret, Listed, Skipped
from uss.resources import azure_metadata, azure_vault
from uss.text import shown

if TYPE_CHECKING:
    from types import TracebackType

_RETRIES: dict[str, Any] = {"retry_status": 8}  # Key Vault counts calls in windows of ten seconds
_PUBLIC = "management.azure.com"
_FORBIDDEN, _NOT_FOUND = 403, 404
_NETWORK = ("ForbiddenByFirewall", "ForbiddenByConnection")
_FIND = "Microsoft.KeyVault/vaults/read on the key vault (the role Reader)"
_DATA = "Microsoft.KeyVault/vaults/secrets"
_LIST = f"{_DATA}/readMetadata/action (the role Key Vault Secrets User, or List in an access policy)"
_READ = f"{_DATA}/getSecret/action (the role Key Vault Secrets User, or Get in an access policy)"


class AzureReader:
    """See `Reader`."""

    def __init__(self, client: SecretClient, caller: Caller, opened: ExitStack) -> None:
        self._client = client
        self._caller = caller
        self._opened = opened

    def list(self, filters: Filters) -> Iterator[Listed]:
        """See `Reader.list`. Key Vault filters nothing itself."""
        now = datetime.now(UTC)
        found = (_listed(entry, _problem(entry, now)) for entry in self._all(self._client.list_properties_of_secrets()))
        yield from (listed for listed in found if filters.match(listed, CloudType.AZURE))
        deleted = (_listed(entry.properties, _deleted(entry)) for entry in self._deleted())
        yield from (listed for listed in deleted if filters.match(listed, CloudType.AZURE))

    def read(self, listed: Listed) -> CloudSecret | Skipped:
        """See `Reader.read`."""
        try:
            with _translation(self._caller, "give a secret's value", _READ):
                secret = self._client.get_secret(listed.name)
        except CloudError as error:
            if reason := _unreadable(error.__cause__):
                return Skipped(listed, reason)
            raise
        if not secret.value:
            return Skipped(listed, "is empty")
        return CloudSecret(listed, secret.properties.version or "", secret.value)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def _all(self, entries: Iterable[SecretProperties]) -> Iterator[SecretProperties]:
        return translated(entries, partial(_translation, self._caller, "list the key vault's secrets", _LIST))

    def _deleted(self) -> Iterator[DeletedSecret]:
        """Give the deleted secrets; none where the identity may not see them, since the import takes none of them."""
        doing = partial(_translation, self._caller, "list the key vault's deleted secrets", _LIST)
        try:
            yield from translated(self._client.list_deleted_secrets(), doing)
        except CloudDeniedError:
            return


def connect(target: AzureTarget, configuration: str) -> AzureReader:
    """Return the reader of a configuration, once its key vault is found; raise `CloudError`, or `ConfigurationError`
    for a managed identity on a machine that is not Azure's.
    """
    if target.managed_identity and not azure_metadata.answers():
        raise no_metadata_service(configuration)
    caller = Caller(configuration, "Azure", target.identity)
    with ExitStack() as stack:
        credential = azure_vault.credential(target)
        stack.enter_context(credential)
        client = azure_vault.connect(_vault_url(target, credential, caller), credential, **_RETRIES)
        stack.enter_context(client)
        return AzureReader(client, caller, stack.pop_all())


def _vault_url(target: AzureTarget, credential: azure_vault.Credential, caller: Caller) -> str:
    manager = f"https://{os.environ.get('ARM_METADATA_HOSTNAME') or _PUBLIC}"
    client = KeyVaultManagementClient(
        credential, target.subscription, base_url=manager, credential_scopes=[f"{manager}/.default"], **_RETRIES
    )
    try:
        with client, _translation(caller, f"look up the key vault {target.vault}", _FIND):
            return str(client.vaults.get(target.resource_group, target.vault).properties.vault_uri).rstrip("/")
    except CloudError as error:
        if isinstance(error.__cause__, ResourceNotFoundError):
            place = f"the resource group {target.resource_group} of the subscription {target.subscription}"
            text = f"there is no key vault {target.vault} in {place}, or {caller.identity} may not see it."
            raise caller.missing(text, "Check vaultName, resourceGroup and subscriptionId.") from error.__cause__
        raise


def _listed(entry: SecretProperties, problem: str | None) -> Listed:
    return Listed(
        name=entry.name or "",
        source=f"{entry.vault_url}/secrets/{entry.name}",
        tags=entry.tags or {},
        content_type=entry.content_type or "",
        problem=problem,
    )


def _problem(entry: SecretProperties, now: datetime) -> str | None:
    if entry.managed or entry.key_id:
        return "belongs to a certificate, which Key Vault manages"
    if entry.enabled is False:
        return "is disabled"
    if entry.expires_on and entry.expires_on <= now:
        return f"has expired ({entry.expires_on:%Y-%m-%d})"
    if entry.not_before and entry.not_before > now:
        return f"is not valid before {entry.not_before:%Y-%m-%d}"
    return None


def _deleted(entry: DeletedSecret) -> str:
    purge = f", and gone for good on {entry.scheduled_purge_date:%Y-%m-%d}" if entry.scheduled_purge_date else ""
    return f"is deleted: recoverable{purge}"


def _unreadable(error: BaseException | None) -> str | None:
    """What is wrong with the one secret that was asked for; None where it is the whole vault that did not answer."""
    if not isinstance(error, HttpResponseError) or isinstance(error, ClientAuthenticationError):
        return None
    if error.status_code == _NOT_FOUND:
        return "is gone meanwhile"
    code = _code(error)
    if error.status_code != _FORBIDDEN or code in _NETWORK:
        return None
    return "is disabled" if code == "SecretDisabled" else f"may not be read: allow {_READ}"


@contextmanager
def _translation(caller: Caller, doing: str, permission: str) -> Iterator[None]:
    """Raise what goes wrong inside as `CloudError`. What quotes an answer is not chained."""
    try:
        yield
    except (DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise caller.failed(doing, f"its answer cannot be read ({type(error).__name__})") from None
    except ClientAuthenticationError as error:
        mend = "Check syncIdentity, or tenantId and the PAM Configuration's Client Id and Client Secret."
        raise caller.refused(mend, _told(error)) from error
    except HttpResponseError as error:
        raise _refusal(error, caller, doing, permission) from error
    except AzureError as error:
        fault = f"there was no answer from it ({type(error).__name__})"
        raise caller.failed(doing, fault, "Check the network, and start again.") from error


def _refusal(error: HttpResponseError, caller: Caller, doing: str, permission: str) -> CloudError:
    if error.status_code != _FORBIDDEN:
        return caller.failed(doing, f"it says {error.status_code} {_code(error)}".rstrip())
    if _code(error) in _NETWORK:
        text = f"the key vault's network rules keep this machine out: Azure says {shown(_told(error))}."
        return caller.missing(text, "Run the import where the key vault lets you in.")
    return caller.denied(doing, permission, _told(error))


def _code(error: HttpResponseError) -> str:
    """Return Azure's error code: the inner one, which says more, where there is one."""
    inner: Any = error.error.innererror if error.error else None
    code = inner.get("code") if isinstance(inner, dict) else None
    return str(code or (error.error.code if error.error else "") or "")


def _told(error: HttpResponseError) -> str:
    return str((error.error.message if error.error else "") or error.message or error.reason or "")
