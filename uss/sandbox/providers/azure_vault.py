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
_ONLY_SHOWN = ("hsmPoolResourceId", "privateEndpointConnections", "provisioningState", "vaultUri")
"""Properties that are no inputs."""
_POLICIES = "accessPolicies"
"""Other resources may set these: an update that does not name them keeps those that are there."""


class Vault(ArmKind):
    """A key vault without its secrets."""

    rules: ClassVar = {
        "resourceGroupName": Rule(required=True, replaces=True),
        "vaultName": Rule(replaces=True, autoname=True),
        "location": Rule(replaces=True, computed=True),
        "properties": Rule(required=True),
        "tags": Rule(),
        "azureApiVersion": Rule(default=API_VERSION),
    }
    noun: ClassVar = "a key vault"

    def diff(self, config: AzureSession, olds: Properties, news: Properties, ignored: Collection[str]) -> Difference:
        """Compare the program's inputs with those of the state, whatever the cloud holds."""
        old = self.held(olds)
        names = {key: old.get(key) for key in ("resourceGroupName", "vaultName")} | {"location": olds.get("location")}
        wanted = {key: news.get(key) for key in names if not (key == "location" and news.get(key) is None)}
        changes = compare(folded({key: names[key] for key in wanted}), folded(wanted), replaces=True)
        was = {key: old.get(key) for key in ("tags", "azureApiVersion")}
        was["azureApiVersion"] = was["azureApiVersion"] or olds.get("azureApiVersion")
        changes |= compare(was, {key: news.get(key) for key in was})
        asked = news.get("properties")
        if not isinstance(asked, dict):
            return settled(changes | compare({"properties": None}, {"properties": asked}), ignored)
        return settled(changes | compare(old.get("properties") or {}, asked, prefix="properties."), ignored)

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

    def update(
        self, config: AzureSession, resource_id: str, olds: Properties, news: Properties, changed: Collection[str]
    ) -> Properties:
        """Write everything that the program says; what it leaves out, Azure resets."""
        properties = news["properties"]
        if _POLICIES not in properties:
            found = config.call("GET", resource_id)["properties"]
            properties = properties | {_POLICIES: found.get(_POLICIES) or []}
        answer = self.put(config, resource_id, news | {"properties": properties})
        return self.outputs(answer, news)

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

    def live(self, place: Properties, answer: Properties, inputs: Properties, outputs: Properties) -> Properties:
        """Return the state's inputs with all that changed in the cloud since, also what they said nothing of."""
        now = _projected(answer)
        if not inputs:
            return place | now
        was = _projected(outputs)
        if _POLICIES not in (inputs.get("properties") or {}):
            was["properties"].pop(_POLICIES, None)
            now["properties"].pop(_POLICIES, None)
        return _brought_up(inputs, was, now)


def _projected(shown_as: Properties) -> Properties:
    """Return what could be inputs of what Resource Manager shows."""
    properties = {key: value for key, value in (shown_as.get("properties") or {}).items() if key not in _ONLY_SHOWN}
    return {"location": shown_as.get("location"), "tags": shown_as.get("tags") or {}, "properties": properties}


def _brought_up(inputs: Properties, was: Properties, now: Properties) -> Properties:
    """Return the inputs with the changes from what was to what is now."""
    result = dict(inputs)
    for key in was.keys() | now.keys():
        old, new = was.get(key), now.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            result[key] = _brought_up(result.get(key) or {}, old, new)
        elif new is None:
            result.pop(key, None)
        else:
            result[key] = new
    return result


def vault_path(config: AzureSession, inputs: Properties) -> str:
    """Return the ID of the key vault that inputs or arguments name."""
    group = f"/subscriptions/{config.config.subscription_id}/resourceGroups/{inputs['resourceGroupName']}"
    return f"{group}/providers/Microsoft.KeyVault/vaults/{inputs['vaultName']}"
