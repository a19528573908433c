"""The vault's state and its rules: what a change means, and which changes are refused. Knows nothing of HTTP or keys.

Where Keeper's own service cannot be observed the rules are: an update that names another revision than the record's
is refused; a folder that is not empty is deleted only by force; a folder deleted by force takes with it the folders
inside it and the records that no other folder shows.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from uss.sandbox.keeper.exceptions import BadRequestError, StaleRevisionError
from uss.sandbox.keeper.snapshot import Snapshot, attachments
from uss.sandbox.keeper.store import VaultStore
from uss.sandbox.vaultfile import Vault, VaultFileAttachment, VaultFolder, VaultRecord, validation_faults

_CONTENT_KEYS = frozenset({"title", "type", "fields", "custom", "notes"})


class KeeperVault:
    """The vault behind the service, kept in the vault file."""

    def __init__(self, store: VaultStore) -> None:
        self._store = store
        self._open_rotations: dict[str, VaultRecord] = {}
        """The records as they were before an update that still waits to be finalized or rolled back, by UID."""

    def read(self) -> Snapshot:
        """Return the vault as it is now."""
        return self._store.read()

    def create_record(self, uid: str, shared_folder: str, subfolder: str | None, content: bytes) -> None:
        """Add a record, `content` being its JSON."""

        def edit(snapshot: Snapshot) -> Vault:
            if uid in snapshot.records:
                raise BadRequestError(f"The vault already has a record {uid}")
            folder = snapshot.place_in(shared_folder, subfolder)
            record = _record({"uid": uid, "folder": folder}, content)
            return _with(snapshot.vault, records=[*snapshot.vault.records, record])

        self._store.change(edit)

    def update_record(
        self,
        uid: str,
        revision: int | None,
        content: bytes,
        *,
        rotation: bool = False,
        unlinked: Collection[str] = (),
    ) -> None:
        """Replace a record's content, and take away the files in `unlinked`.

        A `rotation` keeps the former record until `finalize` or `roll_back`. Raises `StaleRevisionError`.
        """
        before: list[VaultRecord] = []

        def edit(snapshot: Snapshot) -> Vault:
            record = snapshot.record(uid)
            _check_revision(snapshot, uid, revision)
            before[:] = [record]
            return _replaced(snapshot.vault, _updated(record, content, unlinked))

        self._store.change(edit)
        if rotation:
            self._open_rotations.setdefault(uid, before[0])

    def finalize(self, uid: str) -> None:
        """Let the last update stand; one that is not open stands already."""
        self.read().record(uid)
        self._open_rotations.pop(uid, None)

    def roll_back(self, uid: str) -> None:
        """Give a record the content it had before the open update, in the folders where it is now."""
        before = self._open_rotations.get(uid)

        def edit(snapshot: Snapshot) -> Vault:
            now = snapshot.record(uid)
            if before is None:
                raise BadRequestError(f"Record {uid} has no open update to roll back")
            moved = now.folder != before.folder
            return _replaced(snapshot.vault, before.model_copy(update={"folder": now.folder}) if moved else before)

        self._store.change(edit)
        self._open_rotations.pop(uid, None)

    def delete_records(self, uids: Iterable[str]) -> list[str]:
        """Delete records and return the UIDs of those that were there."""
        deleted: list[str] = []

        def edit(snapshot: Snapshot) -> Vault:
            deleted[:] = [uid for uid in dict.fromkeys(uids) if uid in snapshot.records]
            if not deleted:
                return snapshot.vault
            gone = frozenset(deleted)
            return _with(
                snapshot.vault, records=[record for record in snapshot.vault.records if record.uid not in gone]
            )

        self._store.change(edit)
        for uid in deleted:
            self._open_rotations.pop(uid, None)
        return deleted

    def announce_file(self, uid: str, revision: int | None, content: bytes, file_uid: str) -> None:
        """Replace a record's content as the announcement of a new file does."""

        def edit(snapshot: Snapshot) -> Vault:
            record = snapshot.record(uid)
            _check_revision(snapshot, uid, revision)
            return _replaced(snapshot.vault, _updated(record, content, (file_uid,)))

        self._store.change(edit)

    def attach(self, uid: str, file: VaultFileAttachment) -> None:
        """Add a file to a record, in place of one with the same UID."""

        def edit(snapshot: Snapshot) -> Vault:
            record = snapshot.record(uid)
            files = [known for known in record.files if known.uid != file.uid]
            return _replaced(snapshot.vault, record.model_copy(update={"files": [*files, file]}))

        self._store.change(edit)

    def create_folder(self, uid: str, shared_folder: str, subfolder: str | None, name: str) -> None:
        """Add a folder in a shared folder, or in `subfolder` inside it."""

        def edit(snapshot: Snapshot) -> Vault:
            if uid in snapshot.folders:
                raise BadRequestError(f"The vault already has a folder {uid}")
            parent = snapshot.place_in(shared_folder, subfolder)
            folder = VaultFolder(uid=uid, name=name, parent=parent)
            return _with(snapshot.vault, folders=[*snapshot.vault.folders, folder])

        self._store.change(edit)

    def rename_folder(self, uid: str, name: str) -> None:
        """Give a folder another name."""

        def edit(snapshot: Snapshot) -> Vault:
            renamed = snapshot.folder(uid).model_copy(update={"name": name})
            folders = [renamed if folder.uid == uid else folder for folder in snapshot.vault.folders]
            return _with(snapshot.vault, folders=folders)

        self._store.change(edit)

    def delete_folders(self, uids: Iterable[str], *, force: bool) -> dict[str, str | None]:
        """Delete folders one by one; return, for those that were there, why they were kept or None when deleted."""
        results: dict[str, str | None] = {}

        def edit(snapshot: Snapshot) -> Vault:
            results.clear()
            vault = snapshot.vault
            for uid in uids:
                if not any(folder.uid == uid for folder in vault.folders):
                    continue
                inside = _folders_under(vault, uid)
                filled = len(inside) > 1 or any(uid in record.folder_uids for record in vault.records)
                results[uid] = f"Folder {uid} is not empty" if filled and not force else None
                vault = vault if results[uid] else _without_folders(vault, inside)
            return vault

        self._store.change(edit)
        return results


def _with(vault: Vault, **parts: Any) -> Vault:
    return vault.model_copy(update=parts)


def _replaced(vault: Vault, record: VaultRecord) -> Vault:
    return _with(vault, records=[record if known.uid == record.uid else known for known in vault.records])


def _check_revision(snapshot: Snapshot, uid: str, revision: int | None) -> None:
    current = snapshot.revisions[uid]
    if revision != current:
        raise StaleRevisionError(f"Record {uid} is at revision {current}, not {revision}: read it again and repeat")


def _record(base: Mapping[str, Any], content: bytes) -> VaultRecord:
    """Make a record of what the service keeps of it and its JSON, which the client wrote."""
    try:
        parsed = json.loads(content)
    except ValueError:
        raise BadRequestError("The record's data is not JSON") from None
    if not isinstance(parsed, dict):
        raise BadRequestError("The record's data is not a JSON object")
    unknown = sorted(parsed.keys() - _CONTENT_KEYS)
    if unknown:
        raise BadRequestError(f"The record's data has keys that a typed record has not: {', '.join(unknown)}")
    given = {key: value for key, value in parsed.items() if value is not None}
    try:
        return VaultRecord.model_validate({**base, **given})
    except ValidationError as error:
        raise BadRequestError(f"The record's data is not a typed record: {validation_faults(error)}") from None


def _updated(record: VaultRecord, content: bytes, unlinked: Collection[str]) -> VaultRecord:
    """Return a record with new content, without the files in `unlinked`.

    What the content's `fileRef` field says of attached files is left out: the vault file has them under `files`.
    """
    known = attachments(record)
    kept = [file for uid, file in known.items() if uid not in unlinked]
    base = record.model_dump(by_alias=True, exclude_unset=True, exclude={*_CONTENT_KEYS, "files"})
    if record.files:
        base["files"] = [file.model_dump(by_alias=True, exclude_unset=True) for file in kept]
    updated = _record(base, content)
    attached = {*known, *unlinked}
    fields = [
        field.model_copy(update={"value": [uid for uid in field.value if uid not in attached]})
        if field.type == "fileRef"
        else field
        for field in updated.fields
    ]
    return updated.model_copy(update={"fields": fields})


def _folders_under(vault: Vault, uid: str) -> set[str]:
    """Return the UIDs of a folder and of all folders inside it."""
    inside = {uid}
    while True:
        more = {folder.uid for folder in vault.folders if folder.parent in inside} - inside
        if not more:
            return inside
        inside |= more


def _without_folders(vault: Vault, gone: set[str]) -> Vault:
    records: list[VaultRecord] = []
    for record in vault.records:
        left = [uid for uid in record.folder_uids if uid not in gone]
        if len(left) == len(record.folder_uids):
            records.append(record)
        elif left:
            records.append(record.model_copy(update={"folder": left}))
    return _with(vault, folders=[folder for folder in vault.folders if folder.uid not in gone], records=records)
