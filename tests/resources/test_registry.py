"""Each cloud's modules are found by its name, and are what is asked of them."""

from __future__ import annotations

import pytest

from uss.config import CloudType
from uss.permissions import aws as aws_permissions
from uss.permissions import azure as azure_permissions
from uss.permissions import gcp as gcp_permissions
from uss.permissions import permissions_of
from uss.resources import aws, azure, gcp, resources_of
from uss.resources.interface import Resources

MODULES: dict[CloudType, Resources] = {CloudType.AWS: aws, CloudType.AZURE: azure, CloudType.GCP: gcp}
"""The type is the test: mypy compares what each module has with the protocol."""
PERMISSIONS = {CloudType.AWS: aws_permissions, CloudType.AZURE: azure_permissions, CloudType.GCP: gcp_permissions}


@pytest.mark.parametrize("cloud", CloudType)
def test_a_cloud_is_found_by_its_name(cloud: CloudType) -> None:
    assert resources_of(cloud) is MODULES[cloud]
    assert permissions_of(cloud) is PERMISSIONS[cloud]
