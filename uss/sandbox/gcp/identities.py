"""Who there is: projects, service accounts, the access tokens they got, and what they may do."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from uss.sandbox.gcp.exceptions import (
    DeniedError,
    ServiceDisabledError,
    UnauthenticatedError,
    UnknownProjectError,
)
from uss.sandbox.serviceaccounts import ServiceAccountKey, read_key
from uss.sandbox.vaultclouds import GcpProject, GcpQuotas, GcpServiceAccount, GcpWorkloadIdentityProvider
from uss.sandbox.vaultfile import Vault, VaultFileError, VaultRecord

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"

PRINCIPAL = "principal://iam.googleapis.com/"
"""What the name of somebody whom a workload identity pool knows begins with."""

_DOMAIN = ".iam.gserviceaccount.com"


@dataclass(frozen=True)
class Project:
    """A project; `number` is what resource names hold in answers."""

    id: str
    number: str
    disabled_services: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Account:
    """A service account; or a principal of a workload identity pool, whose name is in place of an e-mail."""

    email: str
    public_keys: frozenset[str] = field(default=frozenset(), repr=False)
    allows: tuple[str, ...] = ("*",)
    projects: frozenset[str] | None = None
    """The projects in which it may do what `allows` says; all of them where there is None."""
    impersonators: frozenset[str] = frozenset()

    def may(self, permission: str, project: str) -> bool:
        """Tell whether the account has a permission in a project."""
        there = self.projects is None or project in self.projects
        return there and any(fnmatchcase(permission, allowed) for allowed in self.allows)

    def lets_impersonate(self, caller: str) -> bool:
        """Tell whether a caller may get tokens of this account: one who is named, or whose whole pool is."""
        pool = caller.partition("/subject/")[0].replace("principal:", "principalSet:", 1)
        return not self.impersonators.isdisjoint({caller, f"{pool}/*"})


class Identities:
    """The projects and service accounts of the vault file and the sandbox's administrator.

    `vault` returns the vault as it is now; whenever it returns another one, the identities are made anew.
    """

    def __init__(self, vault: Callable[[], Vault], administrator: ServiceAccountKey) -> None:
        self._vault = vault
        self._administrator = administrator
        self._known: Vault | None = None
        self._accounts: dict[str, Account] = {}
        self._projects: dict[str, Project] = {}
        self._providers: dict[str, GcpWorkloadIdentityProvider] = {}
        self._issuers: Mapping[str, str] = {}
        self._quotas: GcpQuotas | None = None

    def account(self, email: str) -> Account | None:
        """Return a service account, or None if there is none of this e-mail."""
        self._refresh()
        if email.startswith(PRINCIPAL):
            return Account(email, allows=())
        return self._accounts.get(email)

    def provider(self, name: str) -> tuple[GcpWorkloadIdentityProvider | None, Mapping[str, str]]:
        """Return a workload identity provider by its name, if there is one, and the issuers' public keys."""
        self._refresh()
        return self._providers.get(name), self._issuers

    def project(self, name: str, service: str) -> Project:
        """Return a project by ID or number; raise a `StatusError` if it does not exist or lacks the service."""
        self._refresh()
        project = self._projects.get(name)
        if project is None:
            raise UnknownProjectError(service, name)
        if service in project.disabled_services:
            raise ServiceDisabledError(service, project.number)
        return project

    def require_service(self, account: Account, service: str) -> None:
        """Raise `ServiceDisabledError` if a service is disabled in the account's own project."""
        self._refresh()
        own = self._projects.get(account.email.partition("@")[2].removesuffix(_DOMAIN))
        if own and service in own.disabled_services:
            raise ServiceDisabledError(service, own.number)

    def quotas(self) -> GcpQuotas | None:
        """Return how many requests a project has in a minute, or None where they are not counted."""
        self._refresh()
        return self._quotas

    def permit(self, account: Account, permission: str, project: Project, resource: str) -> None:
        """Raise `DeniedError` unless the account has a permission in a project."""
        if not account.may(permission, project.id):
            raise DeniedError(permission, resource)

    def _refresh(self) -> None:
        try:
            vault = self._vault()
        except VaultFileError:
            if self._known is None:
                raise
            return  # half-written: those who were known stay known until the file can be read again
        if vault is self._known:
            return
        accounts = {account.email: account for account in _accounts(vault)}
        key = self._administrator
        accounts[key.email] = Account(key.email, frozenset({key.public_pem}))
        self._accounts = accounts
        self._projects = {
            name: project for project in _projects(vault, accounts) for name in (project.id, project.number)
        }
        self._providers = {provider.name: provider for provider in vault.clouds.gcp.workload_identity_providers}
        self._issuers = vault.clouds.issuers
        self._quotas = vault.clouds.gcp.quotas
        self._known = vault


def _accounts(vault: Vault) -> Iterator[Account]:
    """The accounts of the vault: those of PAM Configurations may do everything in their own project and in those that
    `clouds.gcp` names, unless `clouds.gcp.serviceAccounts` names them and says otherwise.
    """
    named = {account.email: account for account in vault.clouds.gcp.service_accounts}
    listed = frozenset(project.id for project in _listed_projects(vault))
    keys = _pam_keys(vault.records)
    for email in {**keys, **named}:
        own, said = keys.get(email, []), named.get(email)
        pems = frozenset(key.public_pem for key in [*own, *_own_key(said)])
        if said is None:
            yield Account(email, pems, projects=listed | {key.project for key in own})
        else:
            yield Account(email, pems, tuple(said.allows), impersonators=frozenset(said.impersonators))


def _own_key(account: GcpServiceAccount | None) -> list[ServiceAccountKey]:
    return [read_key(account.private_key)] if account and account.private_key else []


def _pam_keys(records: Iterable[VaultRecord]) -> dict[str, list[ServiceAccountKey]]:
    keys: dict[str, list[ServiceAccountKey]] = {}
    for record in records:
        for value in _pam_values(record):
            try:
                key = read_key(value)
            except ValueError:
                continue  # a record may hold anything; whoever uses this key is told that it is not known
            if key.email:
                keys.setdefault(key.email, []).append(key)
    return keys


def _pam_values(record: VaultRecord) -> Iterator[str | dict[str, Any]]:
    if record.type != "pamGcpConfiguration":
        return
    for entry in [*record.fields, *record.custom]:
        label = re.sub(r"\s", "", entry.label or entry.type).lower()
        if label == "pamserviceaccountkey" and entry.value and isinstance(entry.value[0], str | dict):
            yield entry.value[0]


def _listed_projects(vault: Vault) -> Iterator[GcpProject]:
    for project in vault.clouds.gcp.projects:
        yield GcpProject(id=project) if isinstance(project, str) else project


def _projects(vault: Vault, accounts: Mapping[str, Account]) -> Iterator[Project]:
    listed = {project.id: project.disabled_services for project in _listed_projects(vault)}
    of_keys = {key.project for keys in _pam_keys(vault.records).values() for key in keys}
    of_emails = {email.partition("@")[2].removesuffix(_DOMAIN) for email in accounts if email.endswith(_DOMAIN)}
    for project in sorted({*listed, *of_keys, *of_emails} - {""}):
        yield Project(project, _number(project), frozenset(listed.get(project, ())))


def _number(project: str) -> str:
    """Return a project's number: made up, but the same in every run."""
    return str(10**11 + int.from_bytes(hashlib.sha256(project.encode()).digest()[:8], "big") % (9 * 10**11))


@dataclass(frozen=True)
class Grant:
    """What an access token stands for."""

    email: str
    scopes: frozenset[str]
    expires: float


class Tokens:
    """The access tokens that were issued."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._issued: dict[str, Grant] = {}

    def issue(self, email: str, scopes: Iterable[str], seconds: int) -> str:
        """Return a new token of a service account."""
        now = self._clock()
        self._issued = {token: grant for token, grant in self._issued.items() if grant.expires > now}
        token = f"ya29.c.{secrets.token_urlsafe(96)}"
        self._issued[token] = Grant(email, frozenset(scopes), now + seconds)
        return token

    def grant(self, token: str) -> Grant:
        """Return what a token stands for; raise `UnauthenticatedError` if nothing."""
        grant = self._issued.get(token)
        if grant is None or grant.expires <= self._clock():
            raise UnauthenticatedError()
        return grant
