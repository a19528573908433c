"""The clouds that secrets can go to: each one's rules and targets, a file a cloud.

A configuration, a record's name or tags and the state's resources enter; a target, held secrets, moves and faults
leave. Nothing in here has effects, and nothing imports the plan, Pulumi or a vendor's SDK.
"""

from uss.clouds.aws import Aws
from uss.clouds.azure import Azure
from uss.clouds.gcp import Gcp
from uss.clouds.interface import Cloud
from uss.config import CloudType

CLOUDS: dict[CloudType, Cloud] = {cloud.type: cloud for cloud in (Aws(), Azure(), Gcp())}

__all__ = ["CLOUDS", "Cloud"]
