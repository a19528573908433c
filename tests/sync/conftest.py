"""One sandbox for each worker, and a fresh project for each test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.clouds import CloudUnderTest, configure
from tests.sync.harness import Project, Sandbox, plain_prefix, running_sandbox, vault


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that runs as long as the tests do."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """The sandbox without faults, calls or records."""
    shared_sandbox.write_vault(vault())
    shared_sandbox.control.clear_faults()
    shared_sandbox.control.reset_calls()
    return shared_sandbox


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    """A project whose secrets no other test's meet; its configuration is written."""
    prefix = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:80] + "/"
    project = Project(sandbox, tmp_path, prefix)
    project.configure()
    return project


@pytest.fixture
def ready(project: Project, cloud: CloudUnderTest) -> Project:
    """The project for the test's cloud, with a prefix that every cloud takes."""
    project.prefix = plain_prefix(project.prefix)
    configure(project, cloud)
    return project
