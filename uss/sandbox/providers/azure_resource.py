"""What the resource kinds of `azure-native` share: the existence check, and the inputs that the state keeps.

Resource Manager never returns a secret's value, so the real provider keeps the program's inputs in the state beside the
outputs, and compares with those.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar

from uss.sandbox.providers.azure_session import API_VERSION, AzureError, AzureSession
from uss.sandbox.providers.interface import (
    Change,
    Difference,
    ProviderError,
    ReadResult,
    ResourceKind,
    change_kind,
    is_blank,
)
from uss.sandbox.providers.values import Properties, contains_unknown

INPUTS = "__inputs"
NOT_FOUND, CONFLICT = 404, 409


class ArmKind(ResourceKind[AzureSession]):
    """A kind of resource that Resource Manager has."""

    derived_secrets: ClassVar = {INPUTS: "properties"}
    noun: ClassVar[str]
    """What an ID that is not one of this kind is not."""

    @abstractmethod
    def path(self, config: AzureSession, inputs: Properties) -> str:
        """Return the resource's ID."""

    @abstractmethod
    def place(self, resource_id: str) -> dict[str, str]:
        """Return the inputs that an ID says; empty if it is none of this kind's."""

    @abstractmethod
    def put(self, config: AzureSession, path: str, inputs: Properties) -> Properties:
        """Write the resource and return Resource Manager's answer."""

    @abstractmethod
    def outputs(self, answer: Properties, inputs: Properties) -> Properties:
        """Return the outputs that an answer makes."""

    @abstractmethod
    def live(self, place: Properties, answer: Properties, inputs: Properties, outputs: Properties) -> Properties:
        """Return the inputs of a program that describes what is there; `inputs` and `outputs` are the state's, empty at
        an import.
        """

    def create(self, config: AzureSession, inputs: Properties) -> tuple[str, Properties]:
        """Write a resource that is not there."""
        path = self.path(config, inputs)
        try:
            existing = config.find(path)
        except AzureError as error:
            raise ProviderError(f"cannot check existence of resource '{path}': {error}") from None
        if existing is not None:
            raise ProviderError(
                f"cannot create already existing resource '{path}': import it with `pulumi import` or the resource "
                "option `import`"
            )
        answer = self.put(config, path, inputs)
        return str(answer["id"]), self.outputs(answer, inputs)

    def read(
        self, config: AzureSession, resource_id: str, inputs: Properties, outputs: Properties
    ) -> ReadResult | None:
        """Read what Resource Manager shows; the rest stays what the state says."""
        place = self.place(resource_id)
        if not place:
            raise ProviderError(f"the ID {resource_id} is not that of {self.noun}")
        answer = config.find(resource_id)
        if answer is None:
            return None
        live = self.live(dict(place), answer, inputs or outputs.get(INPUTS) or {}, outputs)
        return ReadResult(resource_id, self.outputs(answer, live), live)

    def update(
        self, config: AzureSession, resource_id: str, olds: Properties, news: Properties, changed: Collection[str]
    ) -> Properties:
        """Write everything."""
        return self.outputs(self.put(config, resource_id, news), news)

    def held(self, olds: Properties) -> Properties:
        """Return the inputs that the state keeps, or what its outputs say of them."""
        kept: Properties | None = olds.get(INPUTS)
        return kept or olds | self.place(str(olds.get("id", "")))


def own(inputs: Properties) -> Properties:
    """Return the program's inputs without those that the engine and the provider add."""
    return {key: value for key, value in inputs.items() if not key.startswith("__")}


def shown(answer: Properties, inputs: Properties, properties: Properties) -> Properties:
    """Return the outputs that every kind has."""
    kept = {key: answer.get(key) for key in ("id", "location", "name", "type")}
    return kept | {
        "azureApiVersion": API_VERSION,
        "tags": answer.get("tags") or None,
        "properties": properties,
        INPUTS: own(inputs),
    }


def compare(old: Properties, new: Properties, *, replaces: bool = False, prefix: str = "") -> dict[str, Change]:
    """Return the changes by path, of the keys of both; nothing and an empty value are the same."""
    changes: dict[str, Change] = {}
    for key in old | new:
        was, wanted = old.get(key), new.get(key)
        if contains_unknown(wanted) or (was != wanted and not (is_blank(was) and is_blank(wanted))):
            changes[prefix + key] = Change(change_kind(was, wanted), replaces)
    return changes


def settled(changes: dict[str, Change], ignored: Collection[str]) -> Difference:
    """Return the changes but for those that `ignoreChanges` names, by their path or by what they lie in."""
    return Difference(
        {
            path: change
            for path, change in changes.items()
            if not any(name in ("*", path) or path.startswith(f"{name}.") for name in ignored)
        }
    )


def folded(names: dict[str, Any]) -> Properties:
    """Return names as Azure compares them: without case, and a location's without spaces."""
    return {key: name.replace(" ", "").lower() if isinstance(name, str) else name for key, name in names.items()}
