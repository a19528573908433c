"""What the stack's last checkpoint holds, as values: `uss.engine.state` asks the engine for it.

The outputs have secret values in clear: nothing of them may be printed, and `repr` shows none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StateResource:
    """A resource in the checkpoint. `name` is its logical name."""

    urn: str
    type: str
    name: str
    outputs: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class StackState:
    """The checkpoint's resources, and the stack outputs of the last update that ended well."""

    resources: tuple[StateResource, ...] = ()
    stack_outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
