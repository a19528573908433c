"""What a stand-in provider package implements: its configuration, resource kinds and functions, on plain values.

ProviderError           an operation failed; the text is shown to the user as it is
  PartialFailureError     a resource was created, but what had to follow failed
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar

from uss.sandbox.providers.values import Properties, contains_unknown

DEFAULTS_KEY = "__defaults"
"""The input that lists which inputs were put in by the provider: Terraform's bridge keeps it in the state."""

ConfigT = TypeVar("ConfigT")
"""What `Package.configure` makes of a provider's configuration."""


class ProviderError(Exception):
    """An operation failed. The text says what, on which resource and why; it never holds a secret value."""


class PartialFailureError(ProviderError):
    """A resource exists in the cloud, but an operation that belongs to its creation failed.

    The engine keeps such a resource in the state, with the error, and updates it in the next run.
    """

    def __init__(self, resource_id: str, outputs: Properties, reason: str) -> None:
        super().__init__(reason)
        self.resource_id = resource_id
        self.outputs = outputs


@dataclass(frozen=True)
class Rule:
    """How the engine is to treat one input property of a resource kind."""

    required: bool = False
    replaces: bool = False
    """A change needs a new resource."""
    computed: bool = False
    """Left out of the program, the cloud's value stays, whatever it is (Terraform's Optional and Computed)."""
    default: Any = None
    """The value put in where the program gives none."""
    autoname: bool = False
    """Where the program gives none, the value is the resource's logical name and a random suffix."""
    secret: bool = False
    """The value is a secret in the outputs, whatever it was in the inputs."""


@dataclass(frozen=True)
class CheckRequest:
    """Inputs to check: those of the program, those in the state, and what a name can be made of."""

    news: Properties = field(repr=False)
    olds: Properties = field(repr=False)
    name: str = ""
    seed: bytes = b""
    proposed_name: str | None = None
    """The name that the engine proposes; None where it leaves naming to the provider."""
    may_autoname: bool = True


@dataclass(frozen=True)
class Checked:
    """The outcome of a check: properties to add to the inputs, and the faults found, as (property, reason)."""

    added: Properties
    failures: list[tuple[str, str]]


class ChangeKind(Enum):
    """What happened to a property between the state and the program."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class Change:
    """The change of one property."""

    kind: ChangeKind
    replaces: bool = False


@dataclass(frozen=True)
class Difference:
    """All changes of a resource by property, or by the path of what changes in one, such as `replicas[0].region`; none
    at all means that nothing is to be done.
    """

    changes: dict[str, Change]
    delete_before_replace: bool = False

    @property
    def properties(self) -> frozenset[str]:
        """The properties that change."""
        return frozenset(map(property_of, self.changes))


@dataclass(frozen=True)
class ReadResult:
    """What the cloud holds of a resource now."""

    resource_id: str
    outputs: Properties = field(repr=False)
    inputs: Properties = field(repr=False)
    """The inputs of a program that describes what the cloud holds."""


class ResourceKind(ABC, Generic[ConfigT]):
    """One kind of resource: `check`, `diff` and `plan` are pure, the others ask the cloud and raise `ProviderError`."""

    rules: ClassVar[Mapping[str, Rule]]
    """Every input property that the stand-in knows."""
    plain_outputs: ClassVar[Collection[str]] = ()
    """Outputs that hold no secret although the input of the same name does: the cloud does not return it."""
    derived_secrets: ClassVar[Mapping[str, str]] = {}
    """Outputs that hold what an input of another name holds: secret if that input is."""

    def check(self, request: CheckRequest) -> Checked:
        """Find faults in the inputs and fill in defaults, as the bridge of the real providers does."""
        news = {key: value for key, value in request.news.items() if key != DEFAULTS_KEY}
        added: Properties = {}
        defaulted = set(request.news.get(DEFAULTS_KEY) or ())
        for key, rule in self.rules.items():
            if news.get(key) is None and (value := self._default(key, rule, request)) is not None:
                added[key] = value
                defaulted.add(key)
        inputs = news | added
        failures = [(key, f"'{key}' is not known to the stand-in provider") for key in news if not self._known(key)]
        failures += [
            (key, f"Missing required argument '{key}'")
            for key, rule in self.rules.items()
            if (rule.required or rule.autoname) and inputs.get(key) is None
        ]
        failures += self.faults(inputs)
        return Checked(added | {DEFAULTS_KEY: sorted(defaulted)}, failures)

    def faults(self, inputs: Properties) -> list[tuple[str, str]]:
        """Return this kind's own faults in inputs, as (property, reason); values may be unknown. Never show a value."""
        return []

    def diff(self, config: ConfigT, olds: Properties, news: Properties, ignored: Collection[str]) -> Difference:
        """Compare the state's outputs with new inputs; `ignored` are the properties of `ignoreChanges`."""
        changes: dict[str, Change] = {}
        for key, rule in self.rules.items():
            old, new = olds.get(key), news.get(key)
            if (new is None and rule.computed) or self.same(key, old, new):
                continue
            changes[key] = Change(change_kind(old, new), rule.replaces)
        changes |= self.derived_changes(config, olds, news)
        if "*" in ignored:
            changes = {}
        changes = {path: change for path, change in changes.items() if property_of(path) not in ignored}
        return Difference(changes, self._named_by_program(news))

    def same(self, key: str, old: Any, new: Any) -> bool:
        """Tell whether an input is what the state holds; nothing and an empty value are the same."""
        if contains_unknown(new):
            return False
        return bool(old == new) or (is_blank(old) and is_blank(new))

    def derived_changes(self, config: ConfigT, olds: Properties, news: Properties) -> dict[str, Change]:
        """Return the changes that follow from more than one input and its output of the same name."""
        return {}

    @abstractmethod
    def plan(self, config: ConfigT, olds: Properties, news: Properties) -> Properties:
        """Return a preview's outputs, `UNKNOWN` where only the cloud can tell; `olds` is empty at a creation."""

    @abstractmethod
    def create(self, config: ConfigT, inputs: Properties) -> tuple[str, Properties]:
        """Create the resource; return its ID and outputs. Raise `PartialFailureError` if it exists but is not whole."""

    @abstractmethod
    def read(self, config: ConfigT, resource_id: str, inputs: Properties, outputs: Properties) -> ReadResult | None:
        """Return what the cloud holds, None if it is gone. Inputs and outputs are the state's, empty at an import."""

    @abstractmethod
    def update(
        self, config: ConfigT, resource_id: str, olds: Properties, news: Properties, changed: Collection[str]
    ) -> Properties:
        """Change the properties named in `changed`; return the outputs. `olds` are the state's outputs."""

    @abstractmethod
    def delete(self, config: ConfigT, resource_id: str, outputs: Properties) -> None:
        """Delete the resource as its state says; one that is gone already is no error."""

    def live_inputs(self, outputs: Properties, inputs: Properties) -> Properties:
        """Return the inputs that describe what was read: at an import (no inputs in the state) all that there is."""
        live = {
            key: outputs.get(key)
            for key, rule in self.rules.items()
            if key in inputs or (not is_blank(outputs.get(key)) and not (inputs and rule.computed))
        }
        return live | {DEFAULTS_KEY: inputs.get(DEFAULTS_KEY) or []}

    def _known(self, key: str) -> bool:
        return key in self.rules or key.startswith("__")

    def _default(self, key: str, rule: Rule, request: CheckRequest) -> Any:
        old = request.olds.get(key)
        if rule.autoname:
            if old is not None and key in (request.olds.get(DEFAULTS_KEY) or ()):
                return old
            return autoname(request)
        return rule.default

    def _named_by_program(self, news: Properties) -> bool:
        # The bridge's nameRequiresDeleteBeforeReplace: a name that the program gives is free once its bearer is gone.
        if DEFAULTS_KEY not in news:
            return False
        return any(rule.autoname and key in news and key not in news[DEFAULTS_KEY] for key, rule in self.rules.items())


class Package(ABC, Generic[ConfigT]):
    """A provider package: `aws` and its like."""

    name: ClassVar[str]
    kinds: ClassVar[Mapping[str, ResourceKind[Any]]]
    """Resource kinds by type token."""
    functions: ClassVar[Mapping[str, Callable[[Any, Properties], Properties]]]
    """Functions (invokes) by token; each takes its arguments and returns its result."""
    function_secrets: ClassVar[Collection[str]] = ()
    """Names of results of functions that are secret."""

    @abstractmethod
    def version(self) -> str:
        """Return the version that the package is a stand-in for."""

    @abstractmethod
    def configure(self, inputs: Properties) -> ConfigT:
        """Make a provider instance of its inputs; raise `ProviderError` if its identity or settings are refused."""

    @abstractmethod
    def close(self, config: ConfigT) -> None:
        """Let go of what a provider instance holds open."""


def is_blank(value: Any) -> bool:
    """Tell whether a value says nothing: None, or an empty string, list or map."""
    return value is None or value == "" or value == [] or value == {}


def property_of(path: str) -> str:
    """Return the property in which a path starts."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def change_kind(old: Any, new: Any) -> ChangeKind:
    """Name the change from one value to another."""
    if is_blank(old):
        return ChangeKind.ADD
    return ChangeKind.DELETE if is_blank(new) else ChangeKind.UPDATE


def autoname(request: CheckRequest) -> str | None:
    """Name a resource: the engine's proposal, else its logical name and seven hex digits; None where forbidden."""
    if not request.may_autoname:
        return None
    return request.proposed_name or f"{request.name}-{hashlib.sha256(request.seed).hexdigest()[:7]}"
