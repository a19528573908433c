"""What the documentation says of the log that Pulumi's engine keeps of each run."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.sync.harness import Project, Sandbox, login, uid, vault


def test_a_file_in_the_place_of_its_folder_turns_it_off_without_a_word(ready: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "First", "p1")))
    logs = Path(ready.environment["PULUMI_HOME"]) / "logs"
    usual = ready.preview()
    assert list(logs.iterdir())
    shutil.rmtree(logs)
    logs.touch()
    try:
        without = ready.preview()
        assert without.code == 0
        assert told(without.output) == told(usual.output)
        assert logs.read_bytes() == b""
    finally:
        logs.unlink()


def told(output: str) -> list[str]:
    """The lines of a run, without those that only show that it goes on, and without what it took."""
    lines = (line.strip() for line in output.splitlines())
    return [line for line in lines if line and not line.startswith(("@", "Duration"))]
