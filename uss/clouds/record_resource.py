"""Resources of which there are as many as records.

A provider's SDK makes an Output, with its futures and a task, for every property that a resource can have. Over
thousands of resources that is most of the program's time, and the sync reads two or three of them. So these resources
are declared by the same types and inputs, and only with the properties that are set or read.
`tests/sync/test_record_resources.py` holds them against the SDK's own classes.
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


class RecordResource(pulumi.CustomResource):
    """A resource of a kind, under an explicit provider."""

    def __init__(self, kind: Kind, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        """Register it. `inputs` are named as in the provider's schema; one that is None is not given."""
        given = {key: value for key, value in inputs.items() if value is not None}
        options = copy(opts)
        options.additional_secret_outputs = list(kind.secret)
        super().__init__(kind.type, name, dict.fromkeys(kind.reads) | given, options)

    def output(self, name: str) -> pulumi.Output[Any]:
        """Return an input, or an output that its kind reads, by its name in the provider's schema."""
        output: pulumi.Output[Any] = pulumi.get(self, name)
        return output
