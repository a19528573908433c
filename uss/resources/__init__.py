"""What is asked of a cloud and declared there, a file a cloud, under a configuration's Sync Identity.

A settled plan, whose it is and what the state holds enter; findings leave, and registrations to be awaited. Nothing in
here imports the report, the program or a command, and no lower floor imports it: rules know no resources.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from uss.config import CloudType

if TYPE_CHECKING:
    from uss.resources.interface import Resources


def resources_of(cloud: CloudType) -> Resources:
    """Return the module of a cloud, which has its name. To import it takes half a second, for the provider's SDK."""
    return cast("Resources", import_module(f"{__name__}.{cloud.value}"))
