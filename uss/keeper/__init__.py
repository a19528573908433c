"""The vault, read through Keeper Secrets Manager: the only code that imports Keeper's SDK is in here.

An application's access enters; a snapshot of its folders and records leaves. Nothing in here imports a cloud, the plan
or Pulumi: a record does not know where it goes.
"""

from uss.keeper.access import Access, find_access
from uss.keeper.client import VaultReading, read_vault
from uss.keeper.pam import PamConfiguration, pam_configuration
from uss.keeper.records import Field, Record
from uss.keeper.snapshot import Folder, FolderLookupError, Snapshot

__all__ = [
    "Access",
    "Field",
    "Folder",
    "FolderLookupError",
    "PamConfiguration",
    "Record",
    "Snapshot",
    "VaultReading",
    "find_access",
    "pam_configuration",
    "read_vault",
]
