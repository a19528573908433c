"""Who is known to the sandbox's Azure, the tokens they hold, and what they may do."""

from __future__ import annotations

import base64
import json
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from uss.sandbox.azure.exceptions import EntraError, ImdsError
from uss.sandbox.azure.pam import pam_configurations
from uss.sandbox.federation import UntrustedTokenError, subject_of
from uss.sandbox.vaultclouds import AzureIdentity, FederatedTrust
from uss.sandbox.vaultfile import Vault

_TOKEN_SECONDS = 3600
_NAMESPACE = uuid.UUID("5a9c8b51-3c59-4d8a-9f0e-4d0b7c7c3f5a")
KEY_VAULT = "https://vault.azure.net"
RESOURCE_MANAGER = ("https://management.azure.com", "https://management.core.windows.net")


@dataclass(frozen=True)
class Identity:
    """A service principal or a managed identity of one tenant."""

    client_id: str
    secret: str | None = field(repr=False)
    """None for a managed identity."""
    principal_id: str
    tenant: str
    grants: tuple[tuple[str, tuple[str, ...]], ...]
    """Scopes in lower case (empty for the whole tenant) and the actions allowed there, `*` as a wildcard."""
    is_administrator: bool = False
    """Whether it is the sandbox's own, which no access policy keeps out."""
    federated: tuple[FederatedTrust, ...] = ()

    def may(self, action: str, resource: str) -> bool:
        """Tell whether the identity may do this to a resource; actions and IDs are compared without case."""
        return any(
            fnmatchcase(action.lower(), allowed.lower())
            for scope, actions in self.grants
            if f"{resource.lower()}/".startswith(f"{scope}/" if scope else "")
            for allowed in actions
        )


@dataclass(frozen=True)
class _Token:
    tenant: str
    client_id: str
    audience: str
    expires: float


class Identities:
    """The identities of the vault file and the sandbox's own administrator, and the tokens given to them."""

    def __init__(self) -> None:
        self.administrator = AzureIdentity(
            client_id=str(uuid.uuid4()), client_secret=secrets.token_urlsafe(30), tenant=str(uuid.uuid4())
        )
        """For ambient credentials, and to read back what landed; known in every tenant."""
        self._known: dict[tuple[str, str], Identity] = {}
        self._tenants: set[str] = set()
        self._tokens: dict[str, _Token] = {}
        self._issuers: Mapping[str, str] = {}

    def learn(self, vault: Vault, tenants: set[str]) -> None:
        """Take over the identities of a vault file in place of earlier ones; their tokens stay with their names.

        `tenants` are those of the file's subscriptions. A PAM Configuration without a tenant is of the only one.
        """
        known: dict[tuple[str, str], Identity] = {}
        for pam in pam_configurations(vault):
            key = (pam.tenant or (next(iter(tenants)) if len(tenants) == 1 else ""), pam.client_id)
            if pam.client_id and pam.client_secret and key[0]:
                grants = known[key].grants if key in known else ()
                scope = f"/subscriptions/{pam.subscription}" if pam.subscription else ""
                known[key] = Identity(
                    pam.client_id, pam.client_secret, _object_id(*key), key[0], (*grants, (scope, ("*",)))
                )
        for given in vault.clouds.azure.identities:
            key = (given.tenant.lower(), given.client_id.lower())
            same = known.get(key)
            known[key] = _identity(given, key[0], given.client_secret or (same.secret if same else None))
        self._tenants = {self.administrator.tenant, *tenants, *(tenant for tenant, _ in known)}
        for tenant in self._tenants:
            known[tenant, self.administrator.client_id] = replace(
                _identity(self.administrator, tenant, self.administrator.client_secret), is_administrator=True
            )
        self._known = known
        self._issuers = vault.clouds.issuers

    def sign_in(self, tenant: str, client_id: str, secret: str, resource: str) -> str:
        """Give a service principal a token for a resource; raise `EntraError` if it is unknown or the secret wrong."""
        identity = self._application(tenant, client_id)
        if identity is None or identity.secret is None:
            raise _no_application(tenant, client_id)
        if not secrets.compare_digest(identity.secret.encode(), secret.encode()):
            raise EntraError(
                401,
                "invalid_client",
                7000215,
                f"Invalid client secret provided for app '{client_id}'.",
            )
        return self._issue(identity, resource)

    def federate(self, tenant: str, client_id: str, assertion: str, resource: str) -> str:
        """Give an identity a token for a resource, in exchange for one that a federated credential of its admits; raise
        `EntraError` if none does.
        """
        identity = self._application(tenant, client_id)
        if identity is None:
            raise _no_application(tenant, client_id)
        try:
            subject_of(assertion, identity.federated, self._issuers)
        except UntrustedTokenError as error:
            text = f"No matching federated identity record found for presented assertion: {error}."
            raise EntraError(400, "invalid_client", 700213, text) from None
        return self._issue(identity, resource)

    def _application(self, tenant: str, client_id: str) -> Identity | None:
        self.check_tenant(tenant)
        return self._known.get((tenant.lower(), client_id.lower()))

    def check_tenant(self, tenant: str) -> None:
        """Raise `EntraError` if there is no such tenant."""
        if tenant.lower() not in self._tenants:
            raise EntraError(
                400,
                "invalid_tenant",
                90002,
                f"Tenant '{tenant}' not found.",
            )

    def managed(self, wanted: Mapping[str, str], resource: str) -> tuple[str, str]:
        """Give a managed identity of this machine a token; return the token and the identity's client ID.

        `wanted` names it as the metadata service's query does: `client_id` or `object_id`; the only one for neither.
        """
        found = [identity for identity in self._known.values() if identity.secret is None]
        if client_id := wanted.get("client_id"):
            found = [identity for identity in found if identity.client_id == client_id.lower()]
        elif object_id := wanted.get("object_id"):
            found = [identity for identity in found if identity.principal_id == object_id.lower()]
        elif len(found) > 1:
            raise ImdsError(
                400,
                "invalid_request",
                "Multiple user assigned identities exist: the request has to name one by its client ID.",
            )
        if not found:
            raise ImdsError(400, "invalid_request", "Identity not found")
        return self._issue(found[0], resource), found[0].client_id

    def of_token(self, token: str, audiences: tuple[str, ...]) -> Identity | None:
        """Return the identity that a token is for, None if it is not valid or for something else."""
        held = self._tokens.get(token)
        if held is None or held.expires < time.time() or held.audience not in audiences:
            return None
        return self._known.get((held.tenant, held.client_id))

    def _issue(self, identity: Identity, resource: str) -> str:
        now = time.time()
        claims = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{identity.tenant}/",
            "iat": int(now),
            "exp": int(now) + _TOKEN_SECONDS,
            "appid": identity.client_id,
            "oid": identity.principal_id,
            "tid": identity.tenant,
            "ver": "1.0",
        }
        # Clients may read the claims; the signature is random, for the token is looked up, not verified.
        parts = [_encoded({"typ": "JWT", "alg": "HS256"}), _encoded(claims), secrets.token_urlsafe(32)]
        token = ".".join(parts)
        self._tokens[token] = _Token(identity.tenant, identity.client_id, resource.rstrip("/"), now + _TOKEN_SECONDS)
        return token


def _identity(given: AzureIdentity, tenant: str, secret: str | None) -> Identity:
    client_id = given.client_id.lower()
    principal = given.principal_id.lower() or _object_id(tenant, client_id)
    grants = tuple((scope, tuple(given.allows)) for scope in given.scopes or [""])
    return Identity(client_id, secret, principal, tenant, grants, federated=tuple(given.federated))


def _no_application(tenant: str, client_id: str) -> EntraError:
    text = f"Application with identifier '{client_id}' was not found in the directory '{tenant}'."
    return EntraError(400, "unauthorized_client", 700016, text)


def _object_id(tenant: str, client_id: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{tenant}/{client_id}"))


def _encoded(content: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
