"""Who holds a sandbox's folder, and what belongs to it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from uss.sandbox.layout import Hold, Layout, find_holder


def test_a_folder_is_held_by_one_until_it_lets_go(tmp_path: Path) -> None:
    layout, first, second = Layout(tmp_path), Hold(Layout(tmp_path)), Hold(Layout(tmp_path))
    assert find_holder(layout) is None
    assert first.take() is None
    assert second.take() == find_holder(layout) == os.getpid()
    assert not second.wait(0)
    first.close()
    assert second.take() is None
    second.close()


def test_a_lock_whose_file_was_removed_by_its_last_holder_is_taken_anew(tmp_path: Path) -> None:
    layout, first, second = Layout(tmp_path), Hold(Layout(tmp_path)), Hold(Layout(tmp_path))
    assert first.take() is None
    layout.clean()
    tmp_path.mkdir(exist_ok=True)
    assert second.take() is None
    assert find_holder(layout) == os.getpid()
    first.close()
    second.close()


def test_a_private_file_is_for_its_owner_alone_and_replaces_the_last_one(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for text in ("one", "two"):
        layout.write_private(layout.state, text)
    assert layout.state.read_text() == "two"
    assert stat.S_IMODE(layout.state.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["sandbox.json"]


def test_cleaning_keeps_pulumis_folder_and_what_is_not_the_sandboxs(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for folder in (layout.keeper, layout.pulumi):
        folder.mkdir()
    for file in (layout.state, layout.log, layout.keeper / "key.pem", tmp_path / "notes.txt"):
        file.write_text("x")
    layout.clean(layout.log)
    assert sorted(os.listdir(tmp_path)) == ["notes.txt", "pulumi", "sandbox.log"]


def test_a_new_folder_is_for_its_owner_alone_and_one_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    Layout(tmp_path / "new").prepare()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    (tmp_path / "new" / "notes.txt").write_text("x")
    (tmp_path / "new").chmod(0o755)
    Layout(tmp_path / "new").prepare()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o755
    assert os.listdir(tmp_path / "new") == ["notes.txt"]
