"""The clouds that secrets can go to."""

from uss.clouds.aws import Aws
from uss.clouds.azure import Azure
from uss.clouds.gcp import Gcp
from uss.clouds.interface import Cloud
from uss.config import CloudType

CLOUDS: dict[CloudType, Cloud] = {cloud.type: cloud for cloud in (Aws(), Azure(), Gcp())}

__all__ = ["CLOUDS", "Cloud"]
