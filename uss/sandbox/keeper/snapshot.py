"""One reading of the vault: its content, the records' revisions, and where each record is shown."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from uss.sandbox.keeper.exceptions import FolderNotFoundError, RecordNotFoundError
from uss.sandbox.vaultfile import Vault, VaultFileAttachment, VaultFolder, VaultRecord


@dataclass(frozen=True)
class Placement:
    """A place where a record is shown."""

    record: VaultRecord
    root: str | None
    """The UID of the shared folder; None for a record that is shared one by one."""
    inner: str | None
    """The UID of the folder inside the shared folder; None in the shared folder itself."""


@dataclass(frozen=True)
class Snapshot:
    """The vault as it was at one moment. Nothing in it changes."""

    vault: Vault
    revisions: Mapping[str, int]

    @cached_property
    def folders(self) -> dict[str, VaultFolder]:
        """The folders by UID."""
        return {folder.uid: folder for folder in self.vault.folders}

    @cached_property
    def records(self) -> dict[str, VaultRecord]:
        """The records by UID."""
        return {record.uid: record for record in self.vault.records}

    @cached_property
    def roots(self) -> dict[str, str]:
        """The UID of each folder's shared folder, shared folders first, and each folder behind its parent."""
        roots: dict[str, str] = {}
        for folder in self.vault.folders:
            way = list(self._way_up(folder, roots))
            for uid in reversed(way):
                parent = self.folders[uid].parent
                roots[uid] = uid if parent is None else roots[parent]
        return dict(sorted(roots.items(), key=lambda item: item[0] != item[1]))

    def _way_up(self, folder: VaultFolder, known: Mapping[str, str]) -> Iterator[str]:
        at: VaultFolder | None = folder
        while at is not None and at.uid not in known:
            yield at.uid
            at = None if at.parent is None else self.folders[at.parent]

    @cached_property
    def placements(self) -> tuple[Placement, ...]:
        """All places of all records, in the order of the vault file."""
        return tuple(place for record in self.vault.records for place in self._places(record))

    def _places(self, record: VaultRecord) -> Iterator[Placement]:
        if not record.folder_uids:
            yield Placement(record, None, None)
        for uid in record.folder_uids:
            root = self.roots[uid]
            yield Placement(record, root, None if uid == root else uid)

    def record(self, uid: str) -> VaultRecord:
        """Return a record; raise `RecordNotFoundError`."""
        if uid not in self.records:
            raise RecordNotFoundError(f"The vault has no record {uid}")
        return self.records[uid]

    def folder(self, uid: str) -> VaultFolder:
        """Return a folder; raise `FolderNotFoundError`."""
        if uid not in self.folders:
            raise FolderNotFoundError(f"The vault has no folder {uid}")
        return self.folders[uid]

    def place_in(self, shared_folder: str, subfolder: str | None) -> str:
        """Return the UID of the folder that a call means by a shared folder and, perhaps, a folder inside it.

        Raises `FolderNotFoundError` when the first is not a shared folder or the second does not lie in it.
        """
        if self.roots.get(shared_folder) != shared_folder:
            raise FolderNotFoundError(f"{shared_folder} is not a shared folder of the application")
        place = subfolder or shared_folder
        if self.roots.get(place) != shared_folder:
            raise FolderNotFoundError(f"{place} is not a folder inside the shared folder {shared_folder}")
        return place


def attachments(record: VaultRecord) -> dict[str, VaultFileAttachment]:
    """Return a record's files by UID; a file whose UID the vault file leaves out has one made of UID and name."""
    files: dict[str, VaultFileAttachment] = {}
    for file in record.files:
        uid = file.uid
        same_name = 0
        while uid is None or (file.uid is None and uid in files):
            uid = _made_up_uid(record.uid, file.name, str(same_name))
            same_name += 1
        files[uid] = file
    return files


def _made_up_uid(*parts: str) -> str:
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    # The first bit is cleared, for a UID that starts with a dash would look like an option of a command.
    return base64.urlsafe_b64encode(bytes([digest[0] & 0x7F]) + digest[1:16]).decode().rstrip("=")
