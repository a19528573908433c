"""What the vault held at one moment: the folders and records that the application may read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from uss.keeper.records import Record
from uss.text import shown


class FolderLookupError(LookupError):
    """A reference names no folder, or more than one: the text says which and what there is instead."""


@dataclass(frozen=True)
class Folder:
    """A shared folder (`parent` is None) or a folder inside one. `path` is its names from the shared folder down,
    joined by slashes.
    """

    uid: str
    name: str
    parent: str | None
    path: str


@dataclass(frozen=True)
class Snapshot:
    """All folders by UID, and all records, each once."""

    folders: Mapping[str, Folder]
    records: tuple[Record, ...]

    def folder(self, reference: str) -> Folder:
        """Return the folder with this UID or this path; raise `FolderLookupError` if there is not exactly one."""
        if reference in self.folders:
            return self.folders[reference]
        path = reference.strip("/")
        found = [folder for folder in self.folders.values() if folder.path == path]
        if len(found) > 1:
            uids = ", ".join(sorted(folder.uid for folder in found))
            raise FolderLookupError(f"{len(found)} folders have the path {shown(path)}. Name one by its UID: {uids}.")
        if not found:
            raise FolderLookupError(f"the application sees no folder {shown(reference)}. {self._instead(path)}")
        return found[0]

    def shared_folder(self, folder: Folder) -> Folder:
        """Return the shared folder that a folder is, or lies in."""
        while folder.parent is not None:
            folder = self.folders[folder.parent]
        return folder

    def lies_in(self, folder: Folder, uids: Iterable[str]) -> bool:
        """Tell whether a folder is one of these, or lies below one."""
        return bool(self._ancestry(folder.uid).intersection(uids))

    def record(self, uid: str) -> Record | None:
        """Return the record with this UID, wherever it lies, or None."""
        return self._by_uid.get(uid)

    def records_in(self, folders: Iterable[Folder], *, include_subfolders: bool) -> tuple[Record, ...]:
        """Return the records of these folders in the order of their UIDs, each once."""
        wanted = {folder.uid for folder in folders}
        if include_subfolders:
            wanted = {uid for uid in self.folders if wanted.intersection(self._ancestry(uid))}
        return tuple(record for record in self.records if wanted.intersection(record.folders))

    @cached_property
    def _by_uid(self) -> dict[str, Record]:
        return {record.uid: record for record in self.records}

    def _ancestry(self, uid: str) -> set[str]:
        """The folder itself and all folders above it."""
        line: set[str] = set()
        current: str | None = uid
        while current is not None and current not in line:
            line.add(current)
            folder = self.folders.get(current)
            current = folder.parent if folder else None
        return line

    def _instead(self, path: str) -> str:
        paths = sorted({folder.path for folder in self.folders.values()})
        if not paths:
            return "It sees no folders at all: share one with it in Keeper."
        nearest = get_close_matches(path, paths, n=3, cutoff=0.4) or paths[:5]
        return (
            f"It sees {len(paths)}, among them: {', '.join(shown(name) for name in nearest)}. "
            "Correct the reference, or share the folder with the application in Keeper."
        )


def build_folders(entries: Iterable[tuple[str, str, str | None]]) -> dict[str, Folder]:
    """Return folders by UID from (uid, name, parent's UID); raise `ValueError` when a parent is not among them."""
    known = {uid: (name, parent) for uid, name, parent in entries}
    return {
        uid: Folder(uid=uid, name=name, parent=parent, path="/".join(_names(uid, known)))
        for uid, (name, parent) in known.items()
    }


def _names(uid: str, known: Mapping[str, tuple[str, str | None]]) -> list[str]:
    names: list[str] = []
    seen: set[str] = set()
    current: str | None = uid
    while current is not None:
        if current not in known or current in seen:
            raise ValueError(f"folder {uid} lies in folder {current}, which is not among the folders answered")
        seen.add(current)
        name, current = known[current]
        names.insert(0, name)
    return names
