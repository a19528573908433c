"""The stack file: which one it is, what is read from it, and that a change leaves the rest of it alone."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
import yaml

from tests.sync.harness import ROOT
from uss.errors import ConfigurationError
from uss.workplace.stackfile import find_stack_file

FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))}
ODD = """\
# The head.
encryptionsalt: v1:abc=:v1:def:ghi==
config:
    uss:configurations:
    # Before.
    -   name: "one"   # beside
        type: aws
        folders: ['A', "B"]
        adopt:
        -   X0   # why

    -   {name: two, type: gcp, folders: [C]}
    other:key: 007
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, which is the current folder."""
    (tmp_path / "Pulumi.yaml").write_text("name: uss\nstackConfigDir: stacks\n", encoding="utf-8")
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, newline: str = "\n") -> Path:
    """Write the file of the stack `test`."""
    path = folder / "stacks" / "Pulumi.test.yaml"
    path.write_text(text, encoding="utf-8", newline=newline)
    return path


@pytest.mark.parametrize("name", FILES)
def test_adopting_adds_lines_and_changes_none(folder: Path, name: str) -> None:
    path = write(folder, FILES[name])
    stack_file = find_stack_file("test")
    (first, *_) = stack_file.configurations
    stack_file.change_adopted(first.name, ["U1", "U2"], [])
    stack_file.change_adopted(first.name, ["U2", "U3"], [])
    lines = [*difflib.ndiff(FILES[name].splitlines(), path.read_text(encoding="utf-8").splitlines())]
    assert [line for line in lines if line.startswith("-")] == []
    added = [line[1:].strip() for line in lines if line.startswith("+")]
    assert added == ["adopt:", "- U1", "- U2", "- U3"]
    assert find_stack_file("test").configuration(first.name).adopt == ["U1", "U2", "U3"]


def test_what_a_person_wrote_in_another_way_stays_too(folder: Path) -> None:
    path = write(folder, ODD)
    find_stack_file("org/uss/test").change_adopted("one", ["X1"], [])
    text = path.read_text(encoding="utf-8")
    assert [line for line in ODD.splitlines() if line.strip() not in text] == []
    find_stack_file("test").change_adopted("two", ["X2"], [])
    before, after = yaml.safe_load(ODD), yaml.safe_load(path.read_text(encoding="utf-8"))
    before["config"]["uss:configurations"][0]["adopt"].append("X1")
    before["config"]["uss:configurations"][1]["adopt"] = ["X2"]
    assert after == before
    assert "# why" in path.read_text(encoding="utf-8")


def test_what_is_managed_now_is_taken_out(folder: Path) -> None:
    path = write(folder, ODD)
    find_stack_file("test").change_adopted("one", ["X1"], ["X0"])
    assert find_stack_file("test").configuration("one").adopt == ["X1"]
    find_stack_file("test").change_adopted("one", [], ["X1"])
    assert "adopt" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "x-a: &shared []\nconfig:\n  uss:configurations:\n"
        "    - {name: one, folders: [A], adopt: *shared}\n    - {name: two, folders: [A], adopt: *shared}\n",
        "x-a: &base {folders: [A], adopt: []}\nconfig:\n  uss:configurations:\n"
        "    - <<: *base\n      name: one\n    - <<: *base\n      name: two\n",
    ],
)
def test_a_list_that_configurations_share_is_not_changed_for_the_other(folder: Path, text: str) -> None:
    write(folder, text)
    find_stack_file("test").change_adopted("one", ["X1"], [])
    after = find_stack_file("test")
    assert [entry.adopt for entry in after.configurations] == [["X1"], []]


def test_line_ends_mode_and_link_stay(folder: Path) -> None:
    path = write(folder, FILES["Pulumi.example-aws.yaml"], "\r\n")
    path.chmod(0o640)
    real = path.rename(folder / "real.yaml")
    path.symlink_to(real)
    stack_file = find_stack_file("test")
    stack_file.change_adopted(stack_file.configurations[0].name, ["U1"], [])
    assert path.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    content = real.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") > 5
    assert sorted(entry.name for entry in folder.iterdir()) == ["Pulumi.yaml", "real.yaml", "stacks"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "There is no stacks/Pulumi.test.yaml"),
        ("config: [", "stacks/Pulumi.test.yaml cannot be read"),
        ("config:\n  uss:configurations:\n    secure: abc\n", "uss:configurations is encrypted"),
        ("config: {}\n", "uss:configurations is missing"),
        ("config:\n  uss:configurations:\n    - name: one\n", r"folders \(of \"one\"\): is missing"),
    ],
)
def test_a_file_that_does_not_serve_is_told(folder: Path, text: str | None, told: str) -> None:
    if text is not None:
        write(folder, text)
    with pytest.raises(ConfigurationError, match=told):
        find_stack_file("test")


def test_a_folder_without_a_project_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"There is no Pulumi\.yaml in this folder"):
        find_stack_file("test")


def test_without_pulumi_the_stack_must_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(ConfigurationError, match="Which stack\\? Give its name as --stack"):
        find_stack_file(None)
