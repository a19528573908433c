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
