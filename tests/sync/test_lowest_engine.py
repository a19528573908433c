"""The lowest release of Pulumi that this project promises: the main job, and a state that was lost.

`make test` builds it beside the one in use.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.sync.clouds import CLOUDS, CloudUnderTest
from tests.sync.harness import Project, Sandbox, login, password, uid
from uss.sandbox.engine import LOWEST, find_engine


@pytest.fixture
def lowest(sandbox: Sandbox) -> dict[str, str]:
    """The environment in which `pulumi` is the lowest release."""
    engine = find_engine(LOWEST)
    assert engine, "There is no engine of the lowest release yet: run `make lowest`."
    python, _, rest = sandbox.environment["PATH"].partition(os.pathsep)
    return {"PATH": os.pathsep.join([python, str(engine), rest])}


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_the_main_job_and_a_lost_state(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest, lowest: dict[str, str]
) -> None:
    newest, ready.environment = ready.environment, ready.environment | lowest
    version = subprocess.run(["pulumi", "version"], env=ready.environment, capture_output=True, text=True, check=True)
    assert version.stdout.strip().removeprefix("v") == LOWEST.cli

    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1"), login(uid(2), "Second", "p2")))
    ready.up_well()
    assert cloud.values(ready) == {"First": password("p1"), "Second": password("p2")}
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "q1"), login(uid(2), "Retitled", "p2")))
    ready.up_well()
    expected = {"First": password("q1"), "Retitled": password("p2")}
    assert cloud.values(ready) == expected

    shutil.rmtree(ready.state / ".pulumi")
    ready.init()
    assert "2 to recover" in ready.preview()
    ready.up_well()
    assert cloud.values(ready) == expected
    # Whoever updates Pulumi goes on with the same state.
    ready.environment = newest
    assert ready.preview("--expect-no-changes").code == 0
