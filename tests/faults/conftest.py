"""The fixtures of the tests of the sync, and names that no other point has: what one left must not meet the next."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.sync.conftest import project, sandbox, shared_sandbox
from tests.sync.harness import Project

__all__ = ["own", "project", "sandbox", "shared_sandbox"]


@pytest.fixture
def own(project: Project) -> Project:
    """The project, with a prefix of its own that every cloud takes."""
    project.prefix = f"t{uuid4().hex[:12]}-"
    return project
