"""The service's answers: reads what a call asks, has `models` do it, and encrypts what comes of it."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from uss.sandbox.keeper import crypto, payloads
from uss.sandbox.keeper.clients import Application
from uss.sandbox.keeper.encoder import Encoder, Entry
from uss.sandbox.keeper.envelope import Envelope
from uss.sandbox.keeper.exceptions import AccessDeniedError, BadRequestError, RecordNotFoundError
from uss.sandbox.keeper.models import KeeperVault
from uss.sandbox.keeper.snapshot import Placement, Snapshot, attachments
from uss.sandbox.vaultfile import VaultFileAttachment, validation_faults

Answer = Mapping[str, Any] | None

FILES = "/files/"
"""Where files are downloaded from: the record's UID and the file's follow."""
UPLOADS = "/uploads"
"""Where files are uploaded to."""
UPLOADED = 201
"""The status that tells a client that its file has arrived."""


class _FileData(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    name: str
    title: str | None = None
    type: str | None = None
    last_modified: int | None = None


@dataclass(frozen=True)
class _Upload:
    """A file that was announced and may now be uploaded."""

    record_uid: str
    file_uid: str
    key: bytes
    size: int
    data: _FileData


class KeeperResponses:
    """One method for each operation of the service."""

    def __init__(self, application: Application, vault: KeeperVault, base_url: str) -> None:
        self._application = application
        self._vault = vault
        self._base_url = base_url
        self._encoder = Encoder(application, self._file_url)
        self._uploads: dict[str, _Upload] = {}

    def get_secret(self, call: Envelope) -> Answer:
        """Return the records that the application may read and the filters let through; bind a new device."""
        payload = payloads.parse(payloads.GetPayload, call.content)
        answer = self._secrets(self._vault.read(), payload)
        if call.public_key is None:
            return answer
        sealed_app_key = self._application.bind(call.client_id, call.public_key)
        if sealed_app_key is None:
            return answer
        owner = crypto.public_point(self._application.owner_key)
        binding = {"encryptedAppKey": crypto.to_base64(sealed_app_key), "appOwnerPublicKey": crypto.to_base64(owner)}
        return {**answer, **binding}

    def get_folders(self, call: Envelope) -> Answer:
        """Return all folders of the application."""
        return {"folders": self._encoder.folders(self._vault.read())}

    def create_secret(self, call: Envelope) -> Answer:
        """Add a record to a folder."""
        payload = payloads.parse(payloads.CreatePayload, call.content)
        # The shared folder is looked up first: its key exists for any UID.
        self._vault.read().place_in(payload.folder_uid, payload.sub_folder_uid)
        folder_key = self._encoder.folder_key(payload.folder_uid)
        key = self._agreed_key(payload.record_key, folder_key, payload.folder_key)
        content = crypto.unseal(key, crypto.from_base64(payload.data))
        self._vault.create_record(payload.record_uid, payload.folder_uid, payload.sub_folder_uid, content)
        return None

    def update_secret(self, call: Envelope) -> Answer:
        """Replace a record's data; take away the files whose links are to be removed."""
        payload = payloads.parse(payloads.UpdatePayload, call.content)
        self._vault.read().record(payload.record_uid)
        self._vault.update_record(
            payload.record_uid,
            payload.revision,
            crypto.unseal(self._encoder.record_key(payload.record_uid), crypto.from_base64(payload.data)),
            rotation=payload.transaction_type == "rotation",
            unlinked=frozenset(payload.links_to_remove or ()),
        )
        return None

    def finalize_secret_update(self, call: Envelope) -> Answer:
        """Let an update stand."""
        self._vault.finalize(payloads.parse(payloads.CompleteTransactionPayload, call.content).record_uid)
        return None

    def rollback_secret_update(self, call: Envelope) -> Answer:
        """Take an update back."""
        self._vault.roll_back(payloads.parse(payloads.CompleteTransactionPayload, call.content).record_uid)
        return None

    def delete_secret(self, call: Envelope) -> Answer:
        """Delete records; the answer names those that were there."""
        deleted = self._vault.delete_records(payloads.parse(payloads.DeletePayload, call.content).record_uids)
        return {"records": [{"recordUid": uid, "responseCode": "ok", "errorMessage": ""} for uid in deleted]}

    def create_folder(self, call: Envelope) -> Answer:
        """Add a folder inside a shared folder."""
        payload = payloads.parse(payloads.CreateFolderPayload, call.content)
        self._vault.read().place_in(payload.shared_folder_uid, payload.parent_uid)
        shared_key = self._encoder.folder_key(payload.shared_folder_uid)
        key = crypto.unseal_cbc(shared_key, crypto.from_base64(payload.shared_folder_key))
        name = _folder_name(crypto.unseal_cbc(key, crypto.from_base64(payload.data)))
        self._vault.create_folder(payload.folder_uid, payload.shared_folder_uid, payload.parent_uid, name)
        return None

    def update_folder(self, call: Envelope) -> Answer:
        """Rename a folder."""
        payload = payloads.parse(payloads.UpdateFolderPayload, call.content)
        self._vault.read().folder(payload.folder_uid)
        key = self._encoder.folder_key(payload.folder_uid)
        self._vault.rename_folder(
            payload.folder_uid, _folder_name(crypto.unseal_cbc(key, crypto.from_base64(payload.data)))
        )
        return None

    def delete_folder(self, call: Envelope) -> Answer:
        """Delete folders; the answer names those that were there, and why one was kept."""
        payload = payloads.parse(payloads.DeleteFolderPayload, call.content)
        results = self._vault.delete_folders(payload.folder_uids, force=payload.force_deletion)
        return {
            "folders": [
                {"folderUid": uid, "responseCode": "ok" if kept is None else "not_empty", "errorMessage": kept or ""}
                for uid, kept in results.items()
            ]
        }

    def add_file(self, call: Envelope) -> Answer:
        """Announce a file; the answer says where to upload it. The record has the file once it has arrived."""
        payload = payloads.parse(payloads.FileUploadPayload, call.content)
        self._vault.read().record(payload.owner_record_uid)
        record_key = self._encoder.record_key(payload.owner_record_uid)
        key = self._agreed_key(payload.file_record_key, record_key, payload.link_key)
        data = _file_data(crypto.unseal(key, crypto.from_base64(payload.file_record_data)))
        content = crypto.unseal(record_key, crypto.from_base64(payload.owner_record_data))
        file_uid = payload.file_record_uid
        self._vault.announce_file(payload.owner_record_uid, payload.owner_record_revision, content, file_uid)
        token = secrets.token_urlsafe(32)
        self._uploads[token] = _Upload(payload.owner_record_uid, file_uid, key, payload.file_size, data)
        return {
            "url": self._base_url + UPLOADS,
            "parameters": json.dumps({"token": token}),
            "successStatusCode": UPLOADED,
        }

    def upload_file(self, form: Mapping[str, bytes]) -> None:
        """Take an announced file; `form` is what `add_file` asked for, with the encrypted bytes as `file`."""
        upload = self._uploads.get(form.get("token", b"").decode("ascii", "replace"))
        if upload is None:
            raise AccessDeniedError("The upload was not announced by add_file")
        sealed = form.get("file", b"")
        if len(sealed) != upload.size:
            raise BadRequestError(f"The file has {len(sealed)} encrypted bytes, not the {upload.size} announced")
        content = crypto.to_base64(crypto.unseal(upload.key, sealed))
        described = upload.data.model_dump(exclude_none=True)
        file = VaultFileAttachment(uid=upload.file_uid, content_base64=content, **described)
        self._vault.attach(upload.record_uid, file)

    def download_file(self, record_uid: str, file_uid: str, signature: str) -> bytes:
        """Return a file's encrypted bytes to whoever has the URL that `get_secret` gave."""
        if not hmac.compare_digest(signature.encode(), self._file_signature(record_uid, file_uid).encode()):
            raise AccessDeniedError("The file's URL is not one that the service gave")
        file = attachments(self._vault.read().record(record_uid)).get(file_uid)
        if file is None:
            raise RecordNotFoundError(f"Record {record_uid} has no file {file_uid}")
        return crypto.seal(self._encoder.file_key(record_uid, file_uid), file.data())

    def _secrets(self, snapshot: Snapshot, payload: payloads.GetPayload) -> dict[str, Any]:
        records: list[Entry] = []
        in_folders = {uid: list[Entry]() for uid in _shown_roots(snapshot, payload)}
        wanted_records = frozenset(payload.requested_records or ())
        wanted_folders = frozenset(payload.requested_folders or ())
        for place in snapshot.placements:
            if _lets_through(place, wanted_records, wanted_folders):
                revision = snapshot.revisions[place.record.uid]
                entry = self._encoder.place(place, revision, links=bool(payload.request_links))
                (records if place.root is None else in_folders.setdefault(place.root, [])).append(entry)
        app_data = json.dumps({"title": "Sandbox", "type": "general"}).encode()
        return {
            "appData": crypto.to_base64(crypto.seal(self._application.app_key, app_data)),
            "expiresOn": 0,
            "warnings": None,
            "records": records,
            "folders": [self._encoder.shared_folder(uid, entries) for uid, entries in in_folders.items()],
        }

    def _agreed_key(self, for_owner: str, parent_key: bytes, under_parent: str) -> bytes:
        """Open a new key that comes sealed twice, for the application's owner and under the key of what holds it."""
        key = crypto.unseal(parent_key, crypto.from_base64(under_parent))
        if crypto.unseal_for(self._application.owner_key, crypto.from_base64(for_owner)) != key:
            raise BadRequestError("The key sealed for the owner is not the key sealed for the folder or record")
        return key

    def _file_url(self, record_uid: str, file_uid: str) -> str:
        signature = self._file_signature(record_uid, file_uid)
        return f"{self._base_url}{FILES}{quote(record_uid, safe='')}/{quote(file_uid, safe='')}?signature={signature}"

    def _file_signature(self, record_uid: str, file_uid: str) -> str:
        return self._application.key("url", record_uid, file_uid).hex()


def _shown_roots(snapshot: Snapshot, payload: payloads.GetPayload) -> list[str]:
    """Return the shared folders that are shown even when they have no record to show."""
    if payload.requested_records:
        return []
    wanted = payload.requested_folders or snapshot.folders
    shown = {snapshot.roots[uid] for uid in wanted if uid in snapshot.roots}
    return [uid for uid, root in snapshot.roots.items() if uid == root and uid in shown]


def _lets_through(place: Placement, records: Collection[str], folders: Collection[str]) -> bool:
    """Tell whether the filters let a record's place through; an empty filter lets everything through.

    How the service applies a folder filter inside shared folders is not documented. Here a shared folder's UID stands
    for all that lies in it, another folder's for the records directly in it.
    """
    if records and place.record.uid not in records:
        return False
    return not folders or place.root in folders or place.inner in folders


def _folder_name(content: bytes) -> str:
    try:
        name = json.loads(content)["name"]
    except (ValueError, KeyError, TypeError):
        raise BadRequestError("The folder's data is not a JSON object with a name") from None
    if not isinstance(name, str):
        raise BadRequestError("The folder's name is not text")
    return name


def _file_data(content: bytes) -> _FileData:
    try:
        return _FileData.model_validate_json(content)
    except ValidationError as error:
        raise BadRequestError(f"The file's data is not as it should be: {validation_faults(error)}") from None
