"""Resource options that every cloud's resources share."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import replace

import pulumi

from uss.clouds.interface import LogicalName
from uss.config import Configuration, OnDelete
from uss.engine.registration import Kind, Options, register
from uss.resources.interface import Declared
from uss.state import StateResource

PROVIDERS = "pulumi:providers:"
"""How the types of providers start."""


def retains(configuration: Configuration | None) -> bool:
    """Tell whether a resource that is no longer declared stays in the cloud."""
    return configuration is not None and configuration.on_delete is OnDelete.RETAIN


async def keep(
    kind: Kind, resource: StateResource, name: str, provider: Awaitable[str], configuration: Configuration | None
) -> Declared:
    """Register a resource that stays as the state holds it: it is declared with nothing but its name, and
    `ignore_changes` makes the engine keep the inputs it has.

    `name` is the configuration's; a resource that has its former name gets the new one.
    """
    logical = LogicalName.parse(resource.name)
    renamed = str(replace(logical, configuration=name)) if logical else resource.name
    options = Options(
        provider=provider,
        ignore_changes=("*",),
        retain_on_delete=retains(configuration),
        aliases=(resource.urn,) if renamed != resource.name else (),
    )
    await register(kind, renamed, {}, options)
    return Declared()


def keep_all(
    kinds: Mapping[str, Kind],
    resources: Iterable[StateResource],
    name: str,
    provider: Awaitable[str],
    configuration: Configuration | None,
) -> Iterator[Awaitable[Declared]]:
    """Return what keeps those of the resources that are of these kinds, which are by their types; see `keep`."""
    for resource in resources:
        if resource.type in kinds:
            yield keep(kinds[resource.type], resource, name, provider, configuration)


def former_providers(name: str, resources: Iterable[StateResource]) -> list[str | pulumi.Alias]:
    """Return the URNs of the providers that the configuration had under its former name."""
    return [entry.urn for entry in resources if entry.type.startswith(PROVIDERS) and entry.name != name]


def keeping_provider(name: str, resources: Iterable[StateResource]) -> pulumi.ResourceOptions:
    """Return the options of a configuration's provider that stays as the state holds it."""
    return pulumi.ResourceOptions(ignore_changes=["*"], aliases=former_providers(name, resources))
