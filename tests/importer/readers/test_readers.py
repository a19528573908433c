"""The reader of each cloud, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.importer.readers.test_azure import content
from tests.sync.clouds import CLOUDS, CloudUnderTest
from uss.clouds.interface import Target
from uss.importer.readers import reader
from uss.importer.readers.filters import Filters


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_each_cloud_has_its_reader(target: Callable[..., Target], cloud: CloudUnderTest) -> None:
    with reader(target(cloud, content() if cloud.name == "azure" else None), "cloud") as opened:
        assert type(opened).__module__ == f"uss.importer.readers.{cloud.name}"
        assert list(opened.list(Filters(name="there-is-none"))) == []


def test_another_target_has_none() -> None:
    with pytest.raises(TypeError, match="no reader for a Target"):
        reader(Target(locations=()), "cloud")


def test_no_vendors_sdk_is_imported_before_it_is_needed() -> None:
    code = "import sys, uss.importer.readers; print({'boto3', 'azure.core', 'google.auth'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
