"""One sandbox for each worker, whose clouds the readers reach through the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.builders import SOURCE
from tests.builders import record as record_of
from tests.sync.clouds import CloudUnderTest
from tests.sync.harness import FOLDER, Sandbox, plain_prefix, running_sandbox, vault
from uss.clouds import CLOUDS
from uss.clouds.interface import Target
from uss.config import CloudType, parse_configurations
from uss.keeper import Field, PamConfiguration, pam_configuration


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that runs as long as the tests do."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox without faults, calls or records, and this process pointed to it."""
    shared_sandbox.write_vault(vault())
    shared_sandbox.control.clear_faults()
    shared_sandbox.control.reset_calls()
    for name, value in shared_sandbox.environment.items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
    return shared_sandbox


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """What the names of the test's own secrets begin with; every cloud takes it."""
    return plain_prefix(re.sub(r"[^A-Za-z0-9]+", "-", request.node.name))


@pytest.fixture
def target(sandbox: Sandbox) -> Callable[..., Any]:
    """Write a cloud's vault file, and return where its configuration's secrets go; keys that are None are left out."""

    def make(cloud: CloudUnderTest, content: Any = None, **keys: Any) -> Target:
        content = content or cloud.vault()
        sandbox.write_vault(content)
        given = cloud.configuration() | {"type": cloud.name, "folders": [FOLDER]} | keys
        given = {key: value for key, value in given.items() if value is not None}
        [configuration] = parse_configurations([given], SOURCE)
        pam = _pam(content, given.get("pamConfiguration"))
        return CLOUDS[CloudType(cloud.name)].target(configuration, pam, SOURCE)

    return make


def _pam(content: Any, uid: str | None) -> PamConfiguration | None:
    for record in content["records"]:
        if record["uid"] == uid:
            fields = tuple(Field(entry["type"], entry["label"], tuple(entry["value"])) for entry in record["fields"])
            return pam_configuration(record_of(uid or "", record["title"], *fields, kind=record["type"]))
    return None
