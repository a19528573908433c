"""A record's resources are those of the providers' own SDKs, of which the sync declares fewer properties."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.sync.clouds import CLOUDS, CloudUnderTest, configure
from tests.sync.harness import Project, Sandbox, login, uid

PROGRAM = Path(__file__).parent / "programs" / "sdk_classes.py"
OF_THE_RUN = {"modified", "sourcePosition", "stackTrace"}
"""What the state says of the run that wrote it."""


def listed(exported: str) -> list[dict[str, Any]]:
    """The records' resources in an exported state."""
    return [entry for entry in json.loads(exported)["deployment"]["resources"] if uid(1) in entry["urn"]]


def resources(exported: str) -> list[dict[str, Any]]:
    """What the state holds of them, whatever run wrote it."""
    return [{key: value for key, value in entry.items() if key not in OF_THE_RUN} for entry in listed(exported)]


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_the_sdk_s_own_classes_say_the_same(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest, tmp_path: Path
) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1")))
    configure(ready, cloud, tags={"team": "a"})
    ready.up_well()
    before = ready.exported("--show-secrets")
    assert len(listed(before)) == (1 if cloud.name == "azure" else 2)
    assert not any("stackTrace" in entry for entry in listed(before))
    file = tmp_path / "exported.json"
    file.write_text(before, encoding="utf-8")
    shutil.copy(PROGRAM, ready.folder / "__main__.py")
    sandbox.control.reset_calls()
    ready.up_well("--diff", EXPORTED=str(file))
    after = ready.exported("--show-secrets")
    assert resources(after) == resources(before)
    assert all("stackTrace" in entry for entry in listed(after))
    assert cloud.calls(sandbox) == set()
