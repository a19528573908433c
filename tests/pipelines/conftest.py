"""The sandbox and its projects, and the platforms' APIs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipelines.standin import StandIn, running_stand_in
from tests.sync.conftest import project, sandbox, shared_sandbox

__all__ = ["project", "sandbox", "shared_sandbox"]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """The APIs of the three platforms, with an empty pull request on each."""
    with running_stand_in() as running:
        yield running
