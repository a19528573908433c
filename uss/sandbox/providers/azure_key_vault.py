"""`azure-native:keyvault:Secret` and `azure-native:keyvault:Vault`, as the real provider keeps them.

It checks that a resource is not there before it creates it; writes go through Azure Resource Manager; a secret's
deletion goes through the vault's own data plane. The inputs are kept in the state beside the outputs, since Azure
Resource Manager never returns a secret's value.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar

from uss.sandbox.providers.azure_session import CONFLICT, NOT_FOUND, AzureError, AzureSession, azure_call
from uss.sandbox.providers.interface import Difference, ProviderError, ReadResult, ResourceKind, Rule
from uss.sandbox.providers.values import UNKNOWN, Properties

_INPUTS = "__inputs"


class _ArmKind(ResourceKind[AzureSession]):
    """What the two kinds share: the existence check, and the inputs kept in the state."""

    derived_secrets: ClassVar = {_INPUTS: "properties"}
    plain_outputs: ClassVar = ("properties",)

    @abstractmethod
    def arm_id(self, config: AzureSession, inputs: Properties) -> str:
        """Return the resource's ID in Azure Resource Manager."""

    @abstractmethod
    def get(self, config: AzureSession, group: str, names: list[str]) -> Properties:
        """Return what Azure Resource Manager holds; raise `AzureError`."""

    @abstractmethod
    def put(self, config: AzureSession, inputs: Properties) -> Properties:
        """Create or change the resource; return what Azure Resource Manager holds then."""

    @abstractmethod
    def names(self, inputs: Properties) -> list[str]:
        """Return the names that the resource has below its resource group."""

    def diff(self, config: AzureSession, olds: Properties, news: Properties, ignored: Collection[str]) -> Difference:
        """Compare the inputs, those of the state and the program's."""
        return super().diff(config, olds.get(_INPUTS) or olds, news, ignored)

    def plan(self, config: AzureSession, olds: Properties, news: Properties) -> Properties:
        """Return what is known before the update."""
        unknown = {"id": UNKNOWN, "name": UNKNOWN, "type": UNKNOWN, "properties": UNKNOWN}
        return (
            (olds or unknown)
            | {"tags": news.get("tags"), _INPUTS: _own(news)}
            | ({"properties": UNKNOWN} if olds else {})
        )

    def create(self, config: AzureSession, inputs: Properties) -> tuple[str, Properties]:
        """Create the resource, unless it is there."""
        own_id = self.arm_id(config, inputs)
        try:
            self.get(config, inputs["resourceGroupName"], self.names(inputs))
        except AzureError as error:
            if error.status != NOT_FOUND:
                raise ProviderError(f"cannot check existence of resource '{own_id}': {error}") from None
        else:
            raise ProviderError(
                f"cannot create already existing resource '{own_id}': import it with `pulumi import` or the resource "
                "option `import`"
            )
        return own_id, self._outputs(self.put(config, inputs), inputs)

    def read(
        self, config: AzureSession, resource_id: str, inputs: Properties, outputs: Properties
    ) -> ReadResult | None:
        """Read the resource by its ID in Azure Resource Manager."""
        parts = resource_id.strip("/").split("/")
        group, names = parts[3], parts[7::2]
        try:
            found = self.get(config, group, names)
        except AzureError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        held = inputs or {"resourceGroupName": group, **self._named(names), "tags": found.get("tags")}
        live = held | {"tags": found.get("tags")} if "tags" in held or found.get("tags") else held
        return ReadResult(resource_id, self._outputs(found, live), live)

    def update(
        self, config: AzureSession, resource_id: str, olds: Properties, news: Properties, changed: Collection[str]
    ) -> Properties:
        """Write the whole resource."""
        return self._outputs(self.put(config, news), news)

    @abstractmethod
    def _named(self, names: list[str]) -> Properties: ...

    def _outputs(self, found: Properties, inputs: Properties) -> Properties:
        return found | {_INPUTS: _own(inputs)}


class Secret(_ArmKind):
    """A secret of a key vault."""

    rules: ClassVar = {
        "resourceGroupName": Rule(required=True, replaces=True),
        "vaultName": Rule(required=True, replaces=True),
        "secretName": Rule(required=True, replaces=True),
        "properties": Rule(required=True),
        "tags": Rule(),
    }

    def arm_id(self, config: AzureSession, inputs: Properties) -> str:
        """See `_ArmKind`."""
        return f"{vault_id(config, inputs)}/secrets/{inputs['secretName']}"

    def names(self, inputs: Properties) -> list[str]:
        """See `_ArmKind`."""
        return [inputs["vaultName"], inputs["secretName"]]

    def get(self, config: AzureSession, group: str, names: list[str]) -> Properties:
        """See `_ArmKind`."""
        with azure_call(f"reading Secret ({'/'.join(names)})"):
            return _written(config.management.secrets.get(group, *names))

    def put(self, config: AzureSession, inputs: Properties) -> Properties:
        """See `_ArmKind`; a name that a deleted secret still has is had by recovering that one."""
        group, (vault, name) = inputs["resourceGroupName"], self.names(inputs)
        content: Any = {"properties": inputs["properties"], "tags": inputs.get("tags") or {}}
        try:
            with azure_call(f"writing Secret ({vault}/{name})"):
                return _written(config.management.secrets.create_or_update(group, vault, name, content))
        except AzureError as error:
            if error.status != CONFLICT:
                raise
        with azure_call(f"recovering Secret ({vault}/{name})"):
            config.vault(group, vault).begin_recover_deleted_secret(name).wait()
        with azure_call(f"writing Secret ({vault}/{name})"):
            return _written(config.management.secrets.create_or_update(group, vault, name, content))

    def delete(self, config: AzureSession, resource_id: str, outputs: Properties) -> None:
        """Delete the secret through the vault's data plane: the vault keeps it for a while, and its name."""
        parts = resource_id.strip("/").split("/")
        try:
            client = config.vault(parts[3], parts[7])
            with azure_call(f"deleting Secret ({parts[7]}/{parts[9]})"):
                client.begin_delete_secret(parts[9]).wait()
        except AzureError as error:
            if error.status != NOT_FOUND:
                raise

    def _named(self, names: list[str]) -> Properties:
        return {"vaultName": names[0], "secretName": names[1]}


class Vault(_ArmKind):
    """A key vault."""

    rules: ClassVar = {
        "resourceGroupName": Rule(required=True, replaces=True),
        "vaultName": Rule(required=True, replaces=True),
        "location": Rule(replaces=True),
        "properties": Rule(required=True),
        "tags": Rule(),
    }

    def arm_id(self, config: AzureSession, inputs: Properties) -> str:
        """See `_ArmKind`."""
        return vault_id(config, inputs)

    def names(self, inputs: Properties) -> list[str]:
        """See `_ArmKind`."""
        return [inputs["vaultName"]]

    def get(self, config: AzureSession, group: str, names: list[str]) -> Properties:
        """See `_ArmKind`."""
        with azure_call(f"reading Vault ({names[0]})"):
            return _written(config.management.vaults.get(group, names[0]))

    def put(self, config: AzureSession, inputs: Properties) -> Properties:
        """See `_ArmKind`."""
        content: Any = {key: inputs.get(key) for key in ("location", "properties", "tags") if inputs.get(key)}
        with azure_call(f"writing Vault ({inputs['vaultName']})"):
            writing = config.management.vaults.begin_create_or_update(
                inputs["resourceGroupName"], inputs["vaultName"], content
            )
            return _written(writing.result())

    def delete(self, config: AzureSession, resource_id: str, outputs: Properties) -> None:
        """Delete the vault; its name stays taken."""
        parts = resource_id.strip("/").split("/")
        try:
            with azure_call(f"deleting Vault ({parts[7]})"):
                config.management.vaults.delete(parts[3], parts[7])
        except AzureError as error:
            if error.status != NOT_FOUND:
                raise

    def _named(self, names: list[str]) -> Properties:
        return {"vaultName": names[0]}


def vault_id(config: AzureSession, inputs: Properties) -> str:
    """Return a vault's ID in Azure Resource Manager."""
    group = f"/subscriptions/{config.subscription}/resourceGroups/{inputs['resourceGroupName']}"
    return f"{group}/providers/Microsoft.KeyVault/vaults/{inputs['vaultName']}"


def get_vault(config: AzureSession, arguments: Properties) -> Properties:
    """`getVault`: a key vault, by its resource group and name."""
    return Vault().get(config, arguments["resourceGroupName"], [arguments["vaultName"]])


def _own(inputs: Properties) -> Properties:
    return {key: value for key, value in inputs.items() if not key.startswith("__")}


def _written(resource: Any) -> Properties:
    """The resource as Azure Resource Manager writes it in JSON."""
    content: Properties = resource.as_dict()
    return {key: value for key, value in content.items() if value is not None}
