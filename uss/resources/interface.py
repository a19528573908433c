"""What the program asks of a cloud's resources: the module of each cloud in this folder answers it.

`provider`, `declare` and `keep` register Pulumi resources; `look` asks the cloud through the provider, under the Sync
Identity, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pulumi

from uss.clouds.interface import Findings, Ownership
from uss.planning.plan import ConfigurationPlan
from uss.state import StateResource


@dataclass(frozen=True)
class Declared:
    """What became of a declaration: all resources of one record, or one resource that stays as the state holds it."""

    record_uid: str = ""
    """Empty where it is no secret of the plan's."""
    outcome: Mapping[str, Any] = field(default_factory=dict)
    """What the stack's outputs say of the secret: its `arn` or id, its `version`."""
    failure: str | None = None
    """What the engine took for a success and is none, in words: a copy did not arrive."""


@dataclass(frozen=True)
class Work:
    """One configuration's part of a run, as its cloud's resources get it."""

    plan: ConfigurationPlan
    ownership: Ownership
    provider: pulumi.ProviderResource
    """It acts as the configuration's Sync Identity."""
    resources: Sequence[StateResource] = field(repr=False)
    """What the state holds for the configuration."""


class Resources(Protocol):
    """What the module of a cloud has. `resources` is always what the state holds for the configuration."""

    def provider(
        self, plan: ConfigurationPlan, ownership: Ownership, resources: Iterable[StateResource]
    ) -> pulumi.ProviderResource:
        """Register the provider that acts as the configuration's Sync Identity."""

    async def look(self, work: Work) -> Findings:
        """Ask the cloud what stands already where the plan would create something.

        Raises `CloudError` when there is no answer.
        """

    def declare(self, work: Work) -> Iterator[Awaitable[Declared]]:
        """Return what registers the resources of a plan's secrets, and those that it keeps as they are, when it is
        awaited: all at once would be slow (`uss.resources.pacing`).
        """

    def keep(self, name: str, resources: Iterable[StateResource]) -> Iterator[Awaitable[Declared]]:
        """Return what registers all that the state holds for the configuration `name` exactly as it is there, provider
        included.
        """
