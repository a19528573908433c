"""What the documentation says of the log that Pulumi's engine keeps of each run."""

from __future__ import annotations

from pathlib import Path

from tests.sync.harness import Project, Sandbox, login, uid, vault


def test_a_file_in_the_place_of_its_folder_turns_it_off_without_a_word(
    project: Project, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.write_vault(vault(login(uid(1), "First", "p1")))
    usual_home, home = tmp_path / "usual", tmp_path / "home"
    home.mkdir()
    (home / "logs").touch()
    usual = project.preview(PULUMI_HOME=str(usual_home))
    without = project.preview(PULUMI_HOME=str(home))
    assert [path.suffix for path in (usual_home / "logs").iterdir()] == [".log"]
    assert (home / "logs").read_bytes() == b""
    assert without.code == 0
    assert without.told == usual.told
