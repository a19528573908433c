"""Who may do what: service principals, managed identities, their tokens and role assignments."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from hmac import compare_digest

from uss.sandbox.azure.exceptions import ForbiddenError, ImdsError, TokenError
from uss.sandbox.vaultfile import AzureIdentity, AzureResourceGroup, Vault

_PAM_TYPE = "pamAzureConfiguration"


class Identities:
    """The identities and resource groups of a vault file as it is now, and the tokens given out."""

    def __init__(self, vault: Callable[[], Vault], administrator: AzureIdentity) -> None:
        self._vault = vault
        self._administrator = administrator
        self._tokens: dict[str, str] = {}

    def client_secret(self, tenant: str, client_id: str, secret: str) -> str:
        """Return a token for a service principal's secret."""
        identity = self._known().get(client_id)
        if identity is None or (identity.tenant != tenant and identity is not self._administrator):
            text = f"AADSTS700016: Application with identifier '{client_id}' was not found in the directory '{tenant}'."
            raise TokenError(text, "unauthorized_client")
        if identity.client_secret is None or not compare_digest(identity.client_secret.encode(), secret.encode()):
            text = f"AADSTS7000215: Invalid client secret provided for app '{client_id}'."
            raise TokenError(text, "invalid_client")
        return self._issue(client_id)

    def managed(self, client_id: str) -> str:
        """Return a token for a managed identity of this machine, by its client ID: a principal ID is none."""
        identity = self._known().get(client_id)
        if identity is None or identity.client_secret is not None:
            raise ImdsError("Identity not found", "invalid_request")
        return self._issue(client_id)

    def on_azure(self) -> bool:
        """Whether the metadata service answers."""
        return self._vault().clouds.azure.metadata_service

    def bearer(self, token: str | None) -> AzureIdentity | None:
        """Return whose a token is, None for one that is not known."""
        return self._known().get(self._tokens.get(token or "", ""))

    def permit(self, identity: AzureIdentity, action: str, scope: str, *, data: bool) -> None:
        """Let the bearer do something, or raise `ForbiddenError` naming the action."""
        if any(fnmatchcase(action, pattern) for pattern in identity.allows):
            return
        if data:
            text = "Caller is not authorized to perform action on resource.\nIf role assignments, deny assignments or "
            text += f"role definitions were changed recently, please observe propagation time.\nAction: '{action}'"
            raise ForbiddenError(text, "Forbidden")
        who = f"The client '{identity.client_id}' with object id '{identity.principal_id}'"
        text = f"{who} does not have authorization to perform action '{action}' over scope '{scope}'."
        raise ForbiddenError(text, "AuthorizationFailed")

    def groups(self) -> list[AzureResourceGroup]:
        """Return the resource groups that exist."""
        return [*self._vault().clouds.azure.resource_groups, *_pam_groups(self._vault())]

    def _issue(self, client_id: str) -> str:
        token = f"eyJ.{secrets.token_urlsafe(32)}"
        self._tokens[token] = client_id
        return token

    def _known(self) -> dict[str, AzureIdentity]:
        vault = self._vault()
        known = {identity.client_id: identity for identity in (*_pam_identities(vault), self._administrator)}
        return known | {identity.client_id: identity for identity in vault.clouds.azure.identities}


def _pam_entries(vault: Vault) -> Iterator[dict[str, str]]:
    for record in vault.records:
        if record.type == _PAM_TYPE:
            yield {
                "".join((field.label or field.type).split()).lower(): "\n".join(map(str, field.value))
                for field in [*record.fields, *record.custom]
            }


def _pam_identities(vault: Vault) -> Iterator[AzureIdentity]:
    for entries in _pam_entries(vault):
        if entries.get("clientid") and entries.get("clientsecret"):
            yield AzureIdentity(
                client_id=entries["clientid"],
                client_secret=entries["clientsecret"],
                tenant=entries.get("tenantid", ""),
            )


def _pam_groups(vault: Vault) -> Iterator[AzureResourceGroup]:
    for entries in _pam_entries(vault):
        for name in entries.get("resourcegroups", "").split("\n"):
            if name.strip():
                yield AzureResourceGroup(subscription=entries.get("subscriptionid", ""), name=name.strip())
