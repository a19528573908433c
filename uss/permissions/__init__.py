"""The least that a configuration's Sync Identity must be allowed, as documents and commands: pure, one file a cloud.

A target and its configuration enter; documents, commands and notes for a person leave. Nothing in here imports Pulumi
or a vendor's SDK, and no cloud is asked.

`tests/sync/test_permissions.py` proves each action: with it the sync goes through, without it a step does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from uss.config import CloudType
from uss.permissions.interface import CloudPermissions


def permissions_of(cloud: CloudType) -> CloudPermissions:
    """Return the module of a cloud, which has its name."""
    return cast(CloudPermissions, import_module(f"{__name__}.{cloud.value}"))
