"""Folders by UID and path, and the records in them."""

from __future__ import annotations

import pytest

from tests.builders import record
from uss.keeper import FolderLookupError, Snapshot
from uss.keeper.snapshot import build_folders

FOLDERS = build_folders(
    [("A", "Production", None), ("B", "Payments", "A"), ("C", "EU", "B"), ("D", "Test", None), ("E", "Test", None)]
)
SNAPSHOT = Snapshot(
    FOLDERS,
    tuple(
        record(uid, uid, folders=folders)
        for uid, folders in {"R1": ["A"], "R2": ["B"], "R3": ["C"], "R4": ["A", "D"], "R5": []}.items()
    ),
)


@pytest.mark.parametrize(
    ("reference", "uid"),
    [("A", "A"), ("Production", "A"), ("Production/Payments/EU", "C"), ("/Production/Payments/", "B"), ("E", "E")],
)
def test_a_folder_is_found_by_uid_or_path(reference: str, uid: str) -> None:
    assert SNAPSHOT.folder(reference).uid == uid


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("Test", '2 folders have the path "Test". Name one by its UID: D, E.'),
        ("Produktion", 'sees no folder "Produktion". It sees 4, among them: "Production"'),
        ("production", 'sees no folder "production"'),
        ("Payments", 'sees no folder "Payments"'),
        ("", 'sees no folder ""'),
    ],
)
def test_a_reference_that_is_not_one_folder_is_told(reference: str, text: str) -> None:
    with pytest.raises(FolderLookupError) as caught:
        SNAPSHOT.folder(reference)
    assert text in str(caught.value)


def test_an_application_without_folders_is_told_so() -> None:
    with pytest.raises(FolderLookupError, match="sees no folders at all"):
        Snapshot({}, ()).folder("A")


@pytest.mark.parametrize(
    ("folders", "deep", "uids"),
    [
        ("A", False, ["R1", "R4"]),
        ("A", True, ["R1", "R2", "R3", "R4"]),
        ("B", True, ["R2", "R3"]),
        ("AD", False, ["R1", "R4"]),
        ("E", True, []),
    ],
)
def test_records_of_folders_come_once_and_ordered(folders: str, deep: bool, uids: list[str]) -> None:
    found = SNAPSHOT.records_in([FOLDERS[uid] for uid in folders], include_subfolders=deep)
    assert [entry.uid for entry in found] == uids


@pytest.mark.parametrize("entries", [[("A", "a", "X")], [("A", "a", "B"), ("B", "b", "A")]])
def test_a_folder_without_a_root_is_refused(entries: list[tuple[str, str, str | None]]) -> None:
    with pytest.raises(ValueError, match="not among the folders"):
        build_folders(entries)


def test_a_record_is_found_by_its_uid() -> None:
    assert SNAPSHOT.record("R5") is not None
    assert SNAPSHOT.record("R9") is None


def test_a_uid_comes_before_a_path_of_the_same_text() -> None:
    folders = build_folders([("A", "B", None), ("B", "A", None)])
    assert Snapshot(folders, ()).folder("A").uid == "A"


def test_names_that_are_alike_at_different_depths_are_different_paths() -> None:
    folders = build_folders([("1", "Prod", None), ("2", "Prod", "1"), ("3", "Prod", "2")])
    found = Snapshot(folders, ())
    assert [found.folder(path).uid for path in ("Prod", "Prod/Prod", "Prod/Prod/Prod")] == ["1", "2", "3"]


def test_a_slash_in_a_name_can_make_a_path_that_is_not_unique_and_that_is_told() -> None:
    folders = build_folders([("1", "a/b", None), ("2", "a", None), ("3", "b", "2")])
    with pytest.raises(FolderLookupError, match=r'2 folders have the path "a/b"\. Name one by its UID: 1, 3\.'):
        Snapshot(folders, ()).folder("a/b")


def test_the_hint_lists_a_few_folders_and_escapes_their_names() -> None:
    folders = build_folders([(str(number), f"f{number}\x1b", None) for number in range(50)])
    with pytest.raises(FolderLookupError) as caught:
        Snapshot(folders, ()).folder("nothing like it")
    text = str(caught.value)
    assert text.isprintable()
    assert "It sees 50, among them: " in text
    assert text.count("\\x1b") == 5


def test_the_order_of_folders_does_not_matter_for_their_paths() -> None:
    entries: list[tuple[str, str, str | None]] = [("A", "a", None), ("B", "b", "A"), ("C", "c", "B")]
    assert build_folders(entries) == build_folders(entries[::-1])


def test_a_record_in_a_folder_and_in_one_below_it_comes_once() -> None:
    both = Snapshot(FOLDERS, (record("R1", "x", folders=["A", "C"]),))
    for deep in (False, True):
        assert [entry.uid for entry in both.records_in([FOLDERS["A"], FOLDERS["C"]], include_subfolders=deep)] == ["R1"]


def test_no_folders_hold_no_records() -> None:
    assert SNAPSHOT.records_in([], include_subfolders=True) == ()
