"""What the sandbox's Azure holds: subscriptions, resource groups, and key vaults with their secrets."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from uss.sandbox.azure.exceptions import ArmError, resource_not_found, vault_already_exists
from uss.sandbox.azure.pam import pam_configurations
from uss.sandbox.azure.secrets import Secret, SecretStore
from uss.sandbox.vaultclouds import AzureCloud, AzureVault
from uss.sandbox.vaultfile import Vault, VaultFileError

VAULT_TYPE = "Microsoft.KeyVault/vaults"
_SETTLED_ONCE = ("tenantId", "enableRbacAuthorization", "enablePurgeProtection", "softDeleteRetentionInDays")
"""Properties that a write without them leaves as they are: some cannot be taken back."""
_LOCATION = "westeurope"
_RETENTION_DAYS = 90
_NAME = re.compile(r"(?=.{3,24}$)[A-Za-z](-?[A-Za-z0-9])*")


@dataclass
class KeyVault:
    """A key vault; `properties` are those of Resource Manager that a caller has set."""

    name: str
    group: str
    subscription: str
    location: str
    uri: str
    properties: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    deleted: int | None = None
    secrets: SecretStore = field(default_factory=lambda: SecretStore(_RETENTION_DAYS))

    @property
    def id(self) -> str:
        """The resource ID."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{VAULT_TYPE}/{self.name}"

    @property
    def tenant(self) -> str:
        """The tenant whose tokens it takes."""
        return str(self.properties.get("tenantId", "")).lower()

    @property
    def purge_protected(self) -> bool:
        """Whether nothing in it can be purged."""
        return bool(self.properties.get("enablePurgeProtection"))

    @property
    def closed(self) -> bool:
        """Whether it takes no calls from a public network, which every machine here is in."""
        return str(self.properties.get("publicNetworkAccess", "")).lower() == "disabled"

    def policy_allows(self, principal_id: str, permission: str) -> bool | None:
        """Tell whether an access policy allows this to a principal; None where RBAC decides."""
        if self.properties.get("enableRbacAuthorization"):
            return None
        return any(
            allowed.lower() in (permission, "all")
            for policy in self.properties.get("accessPolicies") or []
            if str(policy.get("objectId", "")).lower() == principal_id.lower()
            for allowed in (policy.get("permissions") or {}).get("secrets") or []
        )

    def described(self) -> dict[str, Any]:
        """Return the vault as Resource Manager shows it."""
        shown = {key: value for key, value in self.properties.items() if key != "createMode"}
        return {
            "id": self.id,
            "name": self.name,
            "type": VAULT_TYPE,
            "location": self.location,
            "tags": self.tags,
            "properties": {**shown, "vaultUri": f"{self.uri}/", "provisioningState": "Succeeded"},
        }

    def described_deleted(self) -> dict[str, Any]:
        """Return the deleted vault as Resource Manager shows it."""
        deleted = self.deleted or 0
        return {
            "id": f"/subscriptions/{self.subscription}/providers/Microsoft.KeyVault/locations/{self.location}"
            f"/deletedVaults/{self.name}",
            "name": self.name,
            "type": "Microsoft.KeyVault/deletedVaults",
            "properties": {
                "vaultId": self.id,
                "location": self.location,
                "tags": self.tags,
                "deletionDate": moment(deleted),
                "scheduledPurgeDate": moment(self.secrets.purge_date(deleted)),
                "purgeProtectionEnabled": self.purge_protected,
            },
        }


def moment(seconds: int) -> str:
    """Write seconds since 1970 as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Subscription:
    """A subscription: its tenant, and its resource groups' names and locations by their lower-case names."""

    id: str
    tenant: str
    groups: dict[str, tuple[str, str]] = field(default_factory=dict)

    def group(self, name: str) -> tuple[str, str]:
        """Return a resource group's own name and its location."""
        if name.lower() not in self.groups:
            raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
        return self.groups[name.lower()]


class Directory:
    """All subscriptions and vaults.

    `address` gives the vault of a lower-case name the URI where it is served; `tenant` is that of the subscriptions in
    a file that names no tenant at all.
    """

    def __init__(self, address: Callable[[str], str], tenant: str) -> None:
        self._address = address
        self._tenant = tenant
        self.subscriptions: dict[str, Subscription] = {}
        self.vaults: dict[str, KeyVault] = {}
        """Vaults by lower-case name, deleted ones among them: names are unique in all of Azure."""

    def learn(self, vault: Vault) -> None:
        """Take over what a vault file says; key vaults that are there stay. Raises `VaultFileError`."""
        subscriptions, cloud = subscriptions_of(vault, self._tenant), vault.clouds.azure
        missing = [new for new in cloud.vaults if new.name.lower() not in self.vaults]
        for new in cloud.vaults:
            tenant = subscriptions[new.subscription.lower()].tenant
            if new.tenant is not None and new.tenant.lower() != tenant:
                raise VaultFileError(f"clouds.azure.vaults: {new.name}: its tenant is not its subscription's, {tenant}")
        self.subscriptions = subscriptions
        for new in missing:
            self.vaults[new.name.lower()] = self._from_file(new, subscriptions[new.subscription.lower()])

    def _from_file(self, new: AzureVault, subscription: Subscription) -> KeyVault:
        given = {"enableRbacAuthorization": new.rbac, "enablePurgeProtection": new.purge_protection}
        return KeyVault(
            name=new.name,
            group=subscription.group(new.resource_group)[0],
            subscription=subscription.id,
            location=new.location,
            uri=self._address(new.name.lower()),
            properties=vault_properties(subscription.tenant, given),
        )

    def find(self, name: str) -> KeyVault | None:
        """Return the vault of a name, wherever it is; None if it is not there, or deleted."""
        found = self.vaults.get(name.lower())
        return None if found is None or found.deleted is not None else found

    def subscription(self, subscription_id: str) -> Subscription:
        """Return a subscription."""
        found = self.subscriptions.get(subscription_id.lower())
        if found is None:
            raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found.")
        return found

    def vault(self, subscription: Subscription, group: str, name: str) -> KeyVault:
        """Return a vault that is there, in its resource group."""
        subscription.group(group)
        found = self.find(name)
        if found is None or (found.subscription, found.group.lower()) != (subscription.id, group.lower()):
            raise resource_not_found(VAULT_TYPE, name, group)
        return found

    def live(self, subscription: Subscription, group: str | None = None) -> list[KeyVault]:
        """Return the vaults of a subscription, or of one of its resource groups."""
        wanted = None if group is None else subscription.group(group)[0].lower()
        return [
            vault
            for vault in self.vaults.values()
            if vault.subscription == subscription.id and vault.deleted is None and wanted in (None, vault.group.lower())
        ]

    def deleted(self, subscription: Subscription) -> list[KeyVault]:
        """Return the deleted vaults of a subscription."""
        return [v for v in self.vaults.values() if v.subscription == subscription.id and v.deleted is not None]

    def write(
        self, subscription: Subscription, group: str, name: str, body: Mapping[str, Any], *, rbac: bool
    ) -> KeyVault:
        """Create a vault, replace the settings of one that is there, or recover a deleted one.

        `rbac` is whether a new vault has RBAC when the body does not say.
        """
        own_group, _ = subscription.group(group)
        given = dict(body.get("properties") or {})
        if not _NAME.fullmatch(name):
            raise ArmError(400, "VaultNameNotValid", f"The vault name '{name}' is invalid.")
        existing = self.vaults.get(name.lower())
        if existing is not None:
            if (existing.subscription, existing.group.lower()) != (subscription.id, own_group.lower()):
                raise vault_already_exists(name)
            if existing.deleted is not None and given.get("createMode") != "recover":
                raise ArmError(
                    409,
                    "ConflictError",
                    "A vault with the same name already exists in deleted state. Recover or purge it.",
                )
        elif given.get("createMode") == "recover":
            raise resource_not_found("deletedVaults", name, group)
        _check_new(body, given, existing)
        _check_properties(given, existing)
        if existing is None:
            location, tenant = str(body["location"]), subscription.tenant
            uri = self._address(name.lower())
            properties = vault_properties(tenant, {"enableRbacAuthorization": rbac})
            existing = KeyVault(name, own_group, subscription.id, location, uri, properties)
            self.vaults[name.lower()] = existing
        kept = existing.properties
        if existing.deleted is None:
            # What a write leaves out is reset, as the network; but for what is settled once.
            kept = {key: value for key, value in kept.items() if key in _SETTLED_ONCE}
        existing.deleted = None
        self._settle(existing, kept, given)
        existing.tags = dict(body.get("tags") or {})
        return existing

    def change(self, vault: KeyVault, body: Mapping[str, Any]) -> None:
        """Change the settings that a body names; what it leaves out stays."""
        given = dict(body.get("properties") or {})
        _check_properties(given, vault)
        self._settle(vault, vault.properties, given)
        if body.get("tags") is not None:
            vault.tags = dict(body["tags"])

    def _settle(self, vault: KeyVault, *given: Mapping[str, Any]) -> None:
        vault.properties = vault_properties(vault.tenant, *given)
        vault.secrets.retention_days = vault.properties["softDeleteRetentionInDays"]

    def delete(self, vault: KeyVault) -> None:
        """Delete a vault; it can be recovered with all that it holds."""
        vault.deleted = int(time.time())

    def purge(self, subscription: Subscription, name: str) -> None:
        """Remove a deleted vault for good."""
        vault = self.deleted_vault(subscription, name)
        if vault.purge_protected:
            raise ArmError(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.")
        del self.vaults[name.lower()]

    def deleted_vault(self, subscription: Subscription, name: str) -> KeyVault:
        """Return a deleted vault."""
        for vault in self.deleted(subscription):
            if vault.name.lower() == name.lower():
                return vault
        raise ArmError(404, "DeletedVaultNotFound", f"The specified deleted vault '{name}' does not exist.")

    def dump(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return every secret of every vault that is there, by the names of vault and secret, values included."""
        return {
            vault.name: {secret.name: _describe(vault, secret) for secret in vault.secrets}
            for _, vault in sorted(self.vaults.items())
            if vault.deleted is None
        }


def subscriptions_of(vault: Vault, default: str) -> dict[str, Subscription]:
    """Return the subscriptions that a vault file names anywhere, with their resource groups, by lower-case ID.

    A subscription's tenant is the one given with it, else the file's only one, else the default. Raises
    `VaultFileError` where there are several to choose from.
    """
    cloud, pams = vault.clouds.azure, list(pam_configurations(vault))
    tenants = _tenants(cloud) | {pam.tenant for pam in pams if pam.tenant}
    told = [(pam.subscription, pam.tenant) for pam in pams if pam.subscription and pam.tenant]
    told += [(given.id, given.tenant) for given in cloud.subscriptions]
    told += [(given.subscription, given.tenant) for given in cloud.vaults if given.tenant]
    found: dict[str, Subscription] = {}
    for name, tenant in told:
        found.setdefault(name.lower(), Subscription(name.lower(), tenant.lower()))
    groups = [(given.subscription, given.name, given.location) for given in cloud.resource_groups]
    groups += [(pam.subscription, name, _LOCATION) for pam in pams if pam.subscription for name in pam.groups]
    groups += [(given.subscription, given.resource_group, given.location) for given in cloud.vaults]
    for name, group, location in groups:
        if name.lower() not in found:
            if len(tenants) > 1:
                raise VaultFileError(
                    f"clouds.azure: nothing says which tenant the subscription {name} belongs to: name both under "
                    "`subscriptions`"
                )
            found[name.lower()] = Subscription(name.lower(), next(iter(tenants), default))
        found[name.lower()].groups.setdefault(group.lower(), (group, location))
    return found


def _tenants(cloud: AzureCloud) -> set[str]:
    given = [identity.tenant for identity in cloud.identities]
    given += [subscription.tenant for subscription in cloud.subscriptions]
    given += [vault.tenant for vault in cloud.vaults if vault.tenant]
    return {tenant.lower() for tenant in given}


def vault_properties(tenant: str, *given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a vault's properties: the API's defaults, then what is given."""
    defaults: dict[str, Any] = {
        "tenantId": tenant,
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [],
        "enabledForDeployment": False,
        "enableSoftDelete": True,
        "enableRbacAuthorization": True,
        "softDeleteRetentionInDays": _RETENTION_DAYS,
        "publicNetworkAccess": "Enabled",
    }
    for properties in given:
        defaults |= {key: value for key, value in properties.items() if value is not None}
    if not defaults.get("enablePurgeProtection"):
        defaults.pop("enablePurgeProtection", None)  # never shown as false
    return defaults


def _check_new(body: Mapping[str, Any], given: Mapping[str, Any], existing: KeyVault | None) -> None:
    if existing is None and not body.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if given.get("createMode") != "recover" and not (given.get("tenantId") and given.get("sku")):
        raise ArmError(400, "BadRequest", "The properties tenantId and sku of the vault are required.")


def _check_properties(given: Mapping[str, Any], existing: KeyVault | None) -> None:
    days = given.get("softDeleteRetentionInDays")
    if days is not None and not 7 <= days <= 90:
        raise ArmError(400, "BadRequest", "The property softDeleteRetentionInDays must be between 7 and 90.")
    if given.get("enablePurgeProtection") is False and (existing is None or existing.purge_protected):
        raise ArmError(
            400,
            "BadRequest",
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is '
            "an irreversible action.",
        )
    if existing and days is not None and days != existing.properties["softDeleteRetentionInDays"]:
        raise ArmError(
            400,
            "BadRequest",
            'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.',
        )


def _describe(vault: KeyVault, secret: Secret) -> dict[str, Any]:
    current = secret.current
    return {
        "value": current.value,
        "versions": len(secret.versions),
        "contentType": current.content_type,
        "tags": current.tags,
        "deleted": secret.deleted is not None,
        "deletedDate": None if secret.deleted is None else moment(secret.deleted),
        "id": f"{vault.uri}/secrets/{secret.name}/{current.id}",
        "subscription": vault.subscription,
        "resourceGroup": vault.group,
        "primaryRegion": vault.location,
        "history": [{"id": version.id, **version.attributes()} for version in secret.versions],
    }
