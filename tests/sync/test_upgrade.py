"""A stack of an earlier day goes on: with today's program it previews no change, and writes nothing.

The earlier program comes out of this repository's own history: the newest commit that is three hours older than the
last one. `USS_UPGRADE_FROM` names another.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.sync.clouds import CLOUDS, vault_of_all
from tests.sync.harness import ROOT, Project, Sandbox, login, password, plain_prefix, uid

HOURS = 3


def git(*arguments: str) -> bytes:
    """The output of a `git` command in this repository."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def earlier_commit() -> str:
    """The commit to upgrade from; the oldest one that is here where none is old enough."""
    if given := os.environ.get("USS_UPGRADE_FROM"):
        return given
    limit = int(git("log", "-1", "--format=%ct")) - HOURS * 3600
    older = git("rev-list", "-1", "--first-parent", f"--before={limit}", "HEAD") or git("rev-list", "HEAD")
    return older.decode().split()[-1]


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A folder with the earlier program."""
    folder = tmp_path / "earlier"
    content = git("archive", earlier_commit(), "uss", "__main__.py", "Pulumi.yaml")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def test_a_stack_of_an_earlier_day_goes_on(sandbox: Sandbox, tmp_path: Path, earlier: Path) -> None:
    (tmp_path / "project").mkdir()
    project = Project(sandbox, tmp_path / "project", plain_prefix("upgrade"), program=earlier)
    project.configure(
        *(
            cloud.configuration() | {"name": cloud.name, "namePrefix": f"{project.prefix}{cloud.name}-"}
            for cloud in CLOUDS
        )
    )
    sandbox.write_vault(vault_of_all(*(login(uid(n), f"Record {n}", f"p{n}") for n in range(3))))
    project.up_well(PYTHONPATH=str(earlier), **sandbox.cold)
    expected = {f"{cloud.name}-Record-{n}": password(f"p{n}") for cloud in CLOUDS for n in range(3)}

    shutil.copy(ROOT / "__main__.py", project.folder)
    sandbox.control.reset_calls()
    unchanged = project.preview("--expect-no-changes")
    assert unchanged.code == 0, unchanged.output
    project.up_well("--expect-no-changes")
    assert {cloud.name: cloud.calls(sandbox) for cloud in CLOUDS} == {cloud.name: set() for cloud in CLOUDS}
    assert {name: value for cloud in CLOUDS for name, value in cloud.values(project).items()} == expected
