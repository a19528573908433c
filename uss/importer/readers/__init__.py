"""The reader of a configuration's cloud. A vendor's SDK takes a while to import, so only the one that is needed is.

A target and filters enter; a cloud's secrets leave, listed and read. Nothing in here imports what becomes of them, and
nothing outside imports a vendor's own client for them.
"""

from __future__ import annotations

from uss.clouds.aws import AwsTarget
from uss.clouds.azure import AzureTarget
from uss.clouds.gcp import GcpTarget
from uss.clouds.interface import Target
from uss.importer.readers.interface import Reader


def reader(target: Target, configuration: str) -> Reader:
    """Return the reader of a configuration's target, to be closed; raise `CloudError` or `ConfigurationError`.

    Raises `ImportError` where the extra `import` is not installed.
    """
    match target:
        case AwsTarget():
            from uss.importer.readers import aws  # noqa: PLC0415

            return aws.connect(target, configuration)
        case AzureTarget():
            from uss.importer.readers import azure  # noqa: PLC0415

            return azure.connect(target, configuration)
        case GcpTarget():
            from uss.importer.readers import gcp  # noqa: PLC0415

            return gcp.connect(target, configuration)
    raise TypeError(f"there is no reader for a {type(target).__name__}")
