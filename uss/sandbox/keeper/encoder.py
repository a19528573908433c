"""Records, files and folders as the service hands them out: as JSON, encrypted under the keys of those who may read."""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Callable, Iterable
from typing import Any

from uss.sandbox.keeper import crypto
from uss.sandbox.keeper.clients import Application
from uss.sandbox.keeper.snapshot import Placement, Snapshot, attachments
from uss.sandbox.vaultfile import VaultField, VaultFileAttachment, VaultLink, VaultRecord

Entry = dict[str, Any]

_SEALED_LINKS = ("ai_settings", "jit_settings")
"""The kinds of link whose data is encrypted with the record's key; the others are plain (SDK, `KeeperRecordLink`)."""


class Encoder:
    """Encrypts for the application's clients; what did not change is not encrypted again."""

    def __init__(self, application: Application, file_url: Callable[[str, str], str]) -> None:
        self._application = application
        self._file_url = file_url
        self._entries: dict[tuple[str, str | None], tuple[int, Entry]] = {}
        """The encrypted records by record and shared folder, with their revision."""

    def folder_key(self, uid: str) -> bytes:
        """Return the key of a shared folder or of a folder inside one."""
        return self._application.key("folder", uid)

    def record_key(self, uid: str) -> bytes:
        """Return the key of a record."""
        return self._application.key("record", uid)

    def file_key(self, record_uid: str, file_uid: str) -> bytes:
        """Return the key of a file."""
        return self._application.key("file", record_uid, file_uid)

    def place(self, place: Placement, revision: int, *, links: bool) -> Entry:
        """Return a record as it is shown in one place."""
        key = place.record.uid, place.root
        known = self._entries.get(key)
        if known is None or known[0] != revision:
            wrap = self._application.app_key if place.root is None else self.folder_key(place.root)
            known = revision, self._record(place.record, revision, wrap)
            self._entries[key] = known
        entry = {**known[1], "innerFolderUid": place.inner}
        if not links:
            del entry["links"]
        return entry

    def shared_folder(self, uid: str, records: Iterable[Entry]) -> Entry:
        """Return a shared folder with its records, as `get_secret` has it."""
        sealed = crypto.seal(self._application.app_key, self.folder_key(uid))
        return {"folderUid": uid, "folderKey": crypto.to_base64(sealed), "records": list(records)}

    def folders(self, snapshot: Snapshot) -> list[Entry]:
        """Return all folders, as `get_folders` has them: the SDK needs shared folders before what lies inside."""
        return [self._folder(snapshot, uid, root) for uid, root in snapshot.roots.items()]

    def _folder(self, snapshot: Snapshot, uid: str, root: str) -> Entry:
        folder = snapshot.folders[uid]
        key = self.folder_key(uid)
        # A folder at any depth is under its shared folder's key, not its parent's.
        inside = uid != root
        sealed = crypto.seal_cbc(self.folder_key(root), key) if inside else crypto.seal(self._application.app_key, key)
        return {
            "folderUid": uid,
            "folderKey": crypto.to_base64(sealed),
            "parent": folder.parent or "",
            "data": crypto.to_base64(crypto.seal_cbc(key, json.dumps({"name": folder.name}).encode())),
        }

    def _record(self, record: VaultRecord, revision: int, wrap: bytes) -> Entry:
        key = self.record_key(record.uid)
        data = os.urandom(64) if record.undecryptable else crypto.seal(key, json.dumps(_record_json(record)).encode())
        files = [self._file(record, key, uid, file) for uid, file in attachments(record).items()]
        return {
            "recordUid": record.uid,
            "recordKey": crypto.to_base64(crypto.seal(wrap, key)),
            "data": crypto.to_base64(data),
            "revision": revision,
            "isEditable": True,
            "files": files or None,
            "links": [_link(link, key) for link in record.links],
        }

    def _file(self, record: VaultRecord, record_key: bytes, uid: str, file: VaultFileAttachment) -> Entry:
        key = self.file_key(record.uid, uid)
        return {
            "fileUid": uid,
            "fileKey": crypto.to_base64(crypto.seal(record_key, key)),
            "data": crypto.to_base64(crypto.seal(key, json.dumps(_file_json(file)).encode())),
            "url": self._file_url(record.uid, uid),
            "thumbnailUrl": None,
        }


def _record_json(record: VaultRecord) -> dict[str, Any]:
    fields = [_field_json(field) for field in record.fields]
    file_uids = list(attachments(record))
    if file_uids:
        references = next((field for field in fields if field["type"] == "fileRef"), None)
        if references is None:
            references = {"type": "fileRef", "value": []}
            fields.append(references)
        references["value"] = [*references["value"], *(uid for uid in file_uids if uid not in references["value"])]
    content: dict[str, Any] = {
        "title": record.title,
        "type": record.type,
        "fields": fields,
        "custom": [_field_json(field) for field in record.custom],
    }
    return content if record.notes is None else {**content, "notes": record.notes}


def _field_json(field: VaultField) -> dict[str, Any]:
    return field.model_dump(by_alias=True, exclude_none=True, exclude={"value"}) | {"value": field.value}


def _file_json(file: VaultFileAttachment) -> dict[str, Any]:
    return {
        "name": file.name,
        "title": file.title or file.name,
        "type": file.type or mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "size": len(file.data()),
        "lastModified": file.last_modified or 0,
    }


def _link(link: VaultLink, record_key: bytes) -> Entry:
    data = None if link.data is None else json.dumps(link.data).encode()
    if data is not None and link.path in _SEALED_LINKS:
        data = crypto.seal(record_key, data)
    return {
        "recordUid": link.record_uid,
        "path": link.path,
        "data": None if data is None else crypto.to_base64(data),
    }
