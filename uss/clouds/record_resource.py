"""Resources of which there are as many as records.

A provider's SDK makes an Output, with its futures and a task, for every property that a resource can have, and sends
the stack of calls that led to each, which the state keeps. Over thousands of resources that is much of the program's
time and a quarter of the state, and the sync reads two or three properties. So these resources are declared by the
same types and inputs, and only with the properties that are set or read. `tests/sync/test_record_resources.py` holds
them against the SDK's own classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

import pulumi


@dataclass(frozen=True)
class Kind:
    """A type of resource, and its properties in the provider's schema."""

    type: str
    reads: tuple[str, ...] = ()
    """Outputs that the sync reads, besides its inputs and the ID."""
    secret: tuple[str, ...] = ()
    """Outputs that the SDK tells the engine to keep as secrets, whatever the provider says of them."""


def record_resource(
    kind: Kind, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions
) -> pulumi.CustomResource:
    """Register a resource of a kind; `opts` names its provider. `inputs` are named as in the provider's schema, and one
    that is None is not given. A value is marked as a secret by whoever gives it: nothing else does, as a class of the
    SDK may.

    A class of its own would look better, and the SDK would then send the stack of calls: it looks for the class that a
    program uses among the callers, and for a `CustomResource` itself finds none.
    """
    given = {key: value for key, value in inputs.items() if value is not None}
    options = copy(opts)
    options.additional_secret_outputs = list(kind.secret)
    return pulumi.CustomResource(kind.type, name, dict.fromkeys(kind.reads) | given, options)


def output(resource: pulumi.CustomResource, name: str) -> pulumi.Output[Any]:
    """Return an input of a resource, or an output that its kind reads, by its name in the provider's schema."""
    found: pulumi.Output[Any] = pulumi.get(resource, name)
    return found
