"""Azure Key Vault: one Secret for a record, in a key vault that is there or that the sync makes.

Sources: Azure Key Vault's documentation ("Objects, identifiers and versioning", service limits), and the azure-native
provider's resources `keyvault.Secret` and `keyvault.Vault`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic.alias_generators import to_camel

from uss.clouds.interface import (
    OWNERSHIP_TAGS,
    Cloud,
    HeldSecret,
    LogicalName,
    Move,
    Tags,
    Target,
    by_record,
    require_sign_in,
    require_tags,
)
from uss.config import CloudType, Configuration, mistake
from uss.errors import ConfigurationError
from uss.keeper.pam import PamConfiguration
from uss.records.naming import NameRules
from uss.state import StateResource
from uss.text import printable, shown

SECRET = "azure-native:keyvault:Secret"  # noqa: S105 - a resource type
VAULT = "azure-native:keyvault:Vault"

_UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
# Azure, "Naming rules and restrictions": Microsoft.KeyVault/vaults.
_VAULT_NAME = re.compile(r"^[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]\Z")
_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/[^/]+/providers/Microsoft.KeyVault/vaults/(?P<vault>[^/]+)/",
    re.IGNORECASE,
)
_TAGS_MAXIMUM, _TAG_LENGTH = 15, 256


# Keeper, Universal Secrets Sync, "Secret Naming Rules"; Azure Key Vault,
# "Objects, identifiers and versioning": names are compared without case.
AZURE_NAMES = NameRules(
    cloud="Azure Key Vault",
    maximum=127,
    allowed=re.compile(r"[A-Za-z0-9-]"),
    first=re.compile(r"[A-Za-z]"),
    last=re.compile(r"[A-Za-z0-9]"),
    wording="1 to 127 letters, digits and hyphens, a letter first, a letter or digit last",
    case_sensitive=False,
)


@dataclass(frozen=True)
class AzureTarget(Target):
    """Key vault and identity of one configuration."""

    subscription: str
    tenant: str
    resource_group: str
    vault: str
    managed_identity: str | None
    """A managed identity's client ID; none: the PAM Configuration's service principal."""
    client_id: str | None = field(repr=False)
    client_secret: str | None = field(repr=False)

    @property
    def identity(self) -> str:
        """See `Target.identity`."""
        if self.managed_identity:
            return f"the managed identity {self.managed_identity}"
        if self.client_id and self.client_secret:
            return f"the PAM Configuration's service principal {printable(self.client_id)}"
        return super().identity


class Azure(Cloud):
    """Azure Key Vault."""

    type: ClassVar = CloudType.AZURE
    names: ClassVar = AZURE_NAMES
    value_limit: ClassVar = 25_600

    def target(self, configuration: Configuration, pam: PamConfiguration | None, source: str) -> AzureTarget:
        """See `Cloud.target`."""
        identity = _identity(configuration, source)
        client_id, client_secret = (pam.text("Client Id"), pam.text("Client Secret")) if pam else (None, None)
        missing = (
            "is missing, and the PAM Configuration gives no Client Id with a Client Secret. Name a managed identity's "
            "client ID, enter both there, or set `ambientCredentials: true`."
        )
        require_sign_in(configuration, source, identity or (client_id and client_secret), missing=missing)
        vault = configuration.vault_name
        if vault is None or not _VAULT_NAME.match(vault):
            found = "is missing" if vault is None else f"found {shown(vault)}"
            text = f"{found}. Name the key vault: 3 to 24 letters, digits and single hyphens, a letter first."
            raise mistake(source, configuration.name, "vaultName", text)
        require_tags(configuration, source, _tag_fault(configuration.tags))
        return AzureTarget(
            locations=(f"azure:{vault.lower()}",),
            subscription=_either(configuration, "subscription_id", pam, source),
            tenant=_either(configuration, "tenant_id", pam, source),
            resource_group=_group(configuration, pam, source),
            vault=vault,
            managed_identity=identity,
            client_id=client_id,
            client_secret=client_secret,
        )

    def held(self, resources: Iterable[StateResource]) -> tuple[HeldSecret, ...]:
        """See `Cloud.held`."""
        return tuple(_held(name, group[0]) for name, group in by_record(resources, (SECRET,)))

    def tag_fault(self, tags: Tags) -> str | None:
        """See `Cloud.tag_fault`."""
        return _tag_fault({key: value for key, value in tags.items() if key not in OWNERSHIP_TAGS})

    def move(self, held: HeldSecret, target: Target) -> Move | None:
        """See `Cloud.move`: another key vault, or one of the same name in another subscription."""
        match = _ID.match(str(held.outputs(SECRET).get("id")))
        if not isinstance(target, AzureTarget) or match is None:
            return None
        before = _worded(match["subscription"], match["vault"])
        after = _worded(target.subscription, target.vault)
        return Move(before, after) if before != after else None

    def deletion(self, configuration: Configuration) -> str:
        """See `Cloud.deletion`."""
        return "the key vault keeps it, and its name, until its retention ends"


def _worded(subscription: str, vault: str) -> str:
    """Neither name tells capitals from small letters."""
    return f"the key vault {vault.lower()} of the subscription {subscription.lower()}"


def vault_logical_name(configuration: str, vault: str) -> str:
    """Return the name in Pulumi of a key vault that the sync makes."""
    return f"{configuration}@{vault}"


def made_here(resource: StateResource, vault: str) -> bool:
    """Tell whether a resource of the configuration is the key vault of this name, made by the sync."""
    return resource.type == VAULT and resource.name.partition("@")[2] == vault


def _identity(configuration: Configuration, source: str) -> str | None:
    identity = configuration.sync_identity
    if identity is None or _UUID.match(identity):
        return identity
    text = f"found {shown(identity)}. For Azure it is the managed identity's client ID, a UUID: not its object ID "
    text += "(which looks alike), nor its name or resource ID. `az identity show` prints it as `clientId`."
    raise mistake(source, configuration.name, "syncIdentity", text)


def _either(configuration: Configuration, name: str, pam: PamConfiguration | None, source: str) -> str:
    """Return what the configuration's field says, or else the PAM Configuration's entry, whose label is the key's."""
    key = to_camel(name)
    told: str | None = getattr(configuration, name) or (pam.text(key) if pam else None)
    if told is None:
        text = "is missing, and the PAM Configuration does not give it. Enter it in one of the two."
        raise mistake(source, configuration.name, key, text)
    return told


def _group(configuration: Configuration, pam: PamConfiguration | None, source: str) -> str:
    groups = [configuration.resource_group] if configuration.resource_group else []
    groups = groups or (pam.lines("Resource Groups") if pam else [])
    if len(groups) != 1:
        found = f"the PAM Configuration names {len(groups)} resource groups"
        raise mistake(source, configuration.name, "resourceGroup", f"is missing, and {found}. Name the key vault's.")
    return groups[0]


def _tag_fault(tags: Mapping[str, str]) -> str | None:
    own = len(OWNERSHIP_TAGS)
    if len(tags) > _TAGS_MAXIMUM - own:
        room = _TAGS_MAXIMUM - own
        return f"{len(tags)} tags; Key Vault takes {_TAGS_MAXIMUM}, and the sync sets {own}. Give {room} at most."
    for key, value in tags.items():
        if key in OWNERSHIP_TAGS:
            return f"{shown(key)} is a tag that the sync itself sets. Choose another key."
        if not 1 <= len(key) <= _TAG_LENGTH or len(value) > _TAG_LENGTH:
            return f"the tag {shown(key)} is too long: Key Vault takes {_TAG_LENGTH} characters for key and value."
    return None


def _held(name: LogicalName, resource: StateResource) -> HeldSecret:
    # The provider keeps its inputs beside the outputs: Azure Resource Manager never returns a value.
    inputs: Mapping[str, Any] = resource.outputs.get("__inputs") or {}
    value = (inputs.get("properties") or {}).get("value")
    return HeldSecret(
        configuration=name.configuration,
        record_uid=name.record_uid,
        name=str(resource.outputs.get("name") or ""),
        values=(value if isinstance(value, str) else None,),
        tags=(resource.outputs.get("tags") or {},),
        resources=(resource,),
    )


def no_metadata_service(name: str) -> ConfigurationError:
    """Return the error for a managed identity on a machine that is not Azure's."""
    return ConfigurationError(
        f"configuration {shown(name)}: syncIdentity names a managed identity, and this machine has no Azure instance "
        "metadata service: managed identities work on Azure's own machines only, and where a CI or a cluster signs in "
        "with its own token (ARM_USE_OIDC). Run there, or leave syncIdentity out to use the PAM Configuration's Client "
        "Id and Client Secret. Nothing was changed."
    )
