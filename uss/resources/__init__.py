"""What is asked of a cloud and declared there, a file a cloud, under a configuration's Sync Identity.

A settled plan, whose it is and what the state holds enter; findings leave, and registrations to be awaited. Nothing in
here imports the report, the program or a command, and no lower floor imports it: rules know no resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uss.config import CloudType

if TYPE_CHECKING:
    from uss.resources.interface import Resources


def resources_of(cloud: CloudType) -> Resources:
    """Return the module that speaks Pulumi for a cloud; to import it takes half a second, for the provider's SDK."""
    match cloud:
        case CloudType.AWS:
            from uss.resources import aws  # noqa: PLC0415

            return aws
        case CloudType.AZURE:
            from uss.resources import azure  # noqa: PLC0415

            return azure
        case CloudType.GCP:
            from uss.resources import gcp  # noqa: PLC0415

            return gcp
