"""`azure-native:keyvault:Vault`: a key vault, managed through Resource Manager."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import ClassVar

from uss.sandbox.providers.azure_resource import INPUTS, NOT_FOUND, ArmKind, compare, folded, own, settled, shown
from uss.sandbox.providers.azure_session import API_VERSION, AzureError, AzureSession
from uss.sandbox.providers.interface import Difference, Rule
from uss.sandbox.providers.values import UNKNOWN, Properties

_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.KeyVault/vaults/(?P<vault>[^/]+)",
    re.IGNORECASE,
)
_NEVER_RETURNED = "createMode"
_ALWAYS_ASKED = ("sku", "tenantId", "enableRbacAuthorization")
"""What an imported vault's inputs say of it."""


class Vault(ArmKind):
    """A key vault without its secrets."""

    rules: ClassVar = {
        "resourceGroupName": Rule(required=True, replaces=True),
        "vaultName": Rule(replaces=True, autoname=True),
        "location": Rule(replaces=True, computed=True),
        "properties": Rule(required=True),
        "tags": Rule(),
    }
    noun: ClassVar = "a key vault"

    def diff(self, config: AzureSession, olds: Properties, news: Properties, ignored: Collection[str]) -> Difference:
        """Compare what the program says with what the state says; what it leaves out stays as it is."""
        old = self.held(olds)
        names = {key: old.get(key) for key in ("resourceGroupName", "vaultName")} | {"location": olds.get("location")}
        wanted = {key: news.get(key) for key in names if not (key == "location" and news.get(key) is None)}
        changes = compare(folded({key: names[key] for key in wanted}), folded(wanted), replaces=True)
        changes |= compare({"tags": old.get("tags")}, {"tags": news.get("tags")})
        asked = news.get("properties")
        if not isinstance(asked, dict):
            return settled(changes | compare({"properties": None}, {"properties": asked}), ignored)
        settings = (olds.get("properties") or {}) | (old.get("properties") or {})
        new = {key: value for key, value in asked.items() if key != _NEVER_RETURNED and value is not None}
        changes |= compare({key: settings.get(key) for key in new}, new, prefix="properties.")
        return settled(changes, ignored)

    def plan(self, config: AzureSession, olds: Properties, news: Properties) -> Properties:
        """Return what is known before the update."""
        asked = news.get("properties")
        properties = dict(asked) if isinstance(asked, dict) else {}
        if olds:
            kept = (olds.get("properties") or {}) | properties
            return olds | {"properties": kept, "tags": news.get("tags"), INPUTS: own(news)}
        return {
            "azureApiVersion": API_VERSION,
            "id": UNKNOWN,
            "name": news.get("vaultName") or UNKNOWN,
            "location": news.get("location") or config.config.location or UNKNOWN,
            "type": "Microsoft.KeyVault/vaults",
            "tags": news.get("tags"),
            "properties": {"vaultUri": UNKNOWN, "provisioningState": UNKNOWN} | properties,
            INPUTS: own(news),
        }

    def delete(self, config: AzureSession, resource_id: str, outputs: Properties) -> None:
        """Delete the vault; it stays recoverable."""
        try:
            config.call("DELETE", resource_id)
        except AzureError as error:
            if error.status != NOT_FOUND:
                raise

    def path(self, config: AzureSession, inputs: Properties) -> str:
        """See `ArmKind`."""
        return vault_path(config, inputs)

    def place(self, resource_id: str) -> dict[str, str]:
        """See `ArmKind`."""
        match = _ID.fullmatch(resource_id)
        return {"resourceGroupName": match["group"], "vaultName": match["vault"]} if match else {}

    def put(self, config: AzureSession, path: str, inputs: Properties) -> Properties:
        """Write all settings; a vault lies where its resource group does, unless it is said otherwise."""
        group = path.partition("/providers/")[0]
        location = inputs.get("location") or config.config.location or config.call("GET", group)["location"]
        body = {"location": location, "properties": inputs["properties"], "tags": inputs.get("tags") or {}}
        return config.call("PUT", path, body)

    def outputs(self, answer: Properties, inputs: Properties) -> Properties:
        """See `ArmKind`."""
        return shown(answer, inputs, dict(answer.get("properties") or {}))

    def live(self, place: Properties, answer: Properties, inputs: Properties) -> Properties:
        """See `ArmKind`."""
        found = answer.get("properties") or {}
        asked = inputs.get("properties") or dict.fromkeys(_ALWAYS_ASKED)
        properties = {key: found.get(key, asked[key]) for key in asked}
        located = {"location": answer.get("location")} if "location" in inputs or not inputs else {}
        return {**(inputs or place), **located, "properties": properties, "tags": answer.get("tags") or None}


def vault_path(config: AzureSession, inputs: Properties) -> str:
    """Return the ID of the key vault that inputs or arguments name."""
    group = f"/subscriptions/{config.config.subscription_id}/resourceGroups/{inputs['resourceGroupName']}"
    return f"{group}/providers/Microsoft.KeyVault/vaults/{inputs['vaultName']}"
