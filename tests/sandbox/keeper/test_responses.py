"""Files: Keeper's own client uploads, downloads and unlinks them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from keeper_secrets_manager_core.dto.dtos import KeeperFileUpload
from keeper_secrets_manager_core.dto.payload import UpdateOptions
from keeper_secrets_manager_core.exceptions import KeeperError

from tests.sandbox.keeper.kit import (
    DIRECT,
    VAULT,
    client,
    stored_record,
    write_vault,
)
from uss.sandbox.keeper import KeeperServer


def with_files(path: Path, *files: dict[str, Any]) -> None:
    write_vault(path, {**VAULT, "records": [{**VAULT["records"][0], "files": list(files)}]})


def upload(server: KeeperServer, name: str, data: bytes) -> str:
    (record,) = client(server).get_secrets([DIRECT])
    file = KeeperFileUpload(name=name, title=f"title of {name}", mime_type="text/x-test", data=data)
    uid: str = client(server).upload_file(record, file)
    return uid


def test_files_of_the_vault_file_are_downloaded(server: KeeperServer, vault_path: Path) -> None:
    data = bytes(range(256))
    with_files(
        vault_path,
        {"name": "a.txt", "content": "text\n"},
        {"name": "b.bin", "contentBase64": base64.b64encode(data).decode()},
    )
    (record,) = client(server).get_secrets()
    text, binary = record.files
    assert (text.name, text.title, text.type, text.size, text.get_file_data()) == ("a.txt",) * 2 + (
        "text/plain",
        5,
        b"text\n",
    )
    assert (binary.type, binary.get_file_data()) == ("application/octet-stream", data)
    assert record.field("fileRef") == [text.f["fileUid"], binary.f["fileUid"]]


def test_files_of_the_same_name_are_two_files(server: KeeperServer, vault_path: Path) -> None:
    with_files(vault_path, {"name": "a", "content": "1"}, {"name": "a", "content": "2"})
    (record,) = client(server).get_secrets()
    assert [file.get_file_data() for file in record.files] == [b"1", b"2"]
    assert record.files[0].f["fileUid"] != record.files[1].f["fileUid"]


def test_a_file_is_uploaded_and_read_by_notation(server: KeeperServer, vault_path: Path) -> None:
    data = bytes(range(256)) * 300 + b"\r\n--\r\n"
    uid = upload(server, "up.bin", data)
    (record,) = client(server).get_secrets([DIRECT])
    (file,) = record.files
    assert (file.f["fileUid"], file.title, file.type, file.size) == (uid, "title of up.bin", "text/x-test", len(data))
    assert file.last_modified > 0
    assert file.get_file_data() == data
    assert client(server).get_notation(f"{DIRECT}/file/up.bin") == data
    assert record.field("fileRef") == [uid]
    stored = stored_record(vault_path, DIRECT)["files"][0]
    assert (stored["uid"], base64.b64decode(stored["contentBase64"])) == (uid, data)


def test_an_empty_file_is_uploaded(server: KeeperServer) -> None:
    upload(server, "empty", b"")
    assert client(server).get_secrets([DIRECT])[0].files[0].size == 0


def test_a_second_upload_keeps_the_first_file(server: KeeperServer) -> None:
    uids = [upload(server, "one", b"1"), upload(server, "two", b"2")]
    (record,) = client(server).get_secrets([DIRECT])
    assert [file.f["fileUid"] for file in record.files] == uids
    assert record.field("fileRef") == uids


def test_an_upload_grows_the_revision(server: KeeperServer) -> None:
    (before,) = client(server).get_secrets([DIRECT])
    upload(server, "one", b"1")
    assert client(server).get_secrets([DIRECT])[0].revision > before.revision


def test_an_upload_to_a_stale_record_is_refused(server: KeeperServer) -> None:
    (stale,) = client(server).get_secrets([DIRECT])
    upload(server, "one", b"1")
    with pytest.raises(KeeperError, match="out_of_sync"):
        client(server).upload_file(stale, KeeperFileUpload("two", "two", "text/plain", b"2"))


def test_a_file_is_unlinked(server: KeeperServer, vault_path: Path) -> None:
    kept = upload(server, "kept", b"1")
    gone = upload(server, "gone", b"2")
    (record,) = client(server).get_secrets([DIRECT])
    client(server).save_with_options(record, UpdateOptions(None, [gone]))
    (record,) = client(server).get_secrets([DIRECT])
    assert [file.f["fileUid"] for file in record.files] == [kept]
    assert record.field("fileRef") == [kept]
    assert [file["uid"] for file in stored_record(vault_path, DIRECT)["files"]] == [kept]


def test_a_file_without_a_uid_in_the_vault_file_is_unlinked(server: KeeperServer, vault_path: Path) -> None:
    with_files(vault_path, {"name": "a", "content": "1"}, {"name": "b", "content": "2"})
    (record,) = client(server).get_secrets()
    client(server).save_with_options(record, UpdateOptions(None, [record.files[0].f["fileUid"]]))
    assert stored_record(vault_path, DIRECT)["files"] == [{"name": "b", "content": "2"}]


def test_other_references_in_a_file_field_are_kept(server: KeeperServer, vault_path: Path) -> None:
    fields = [{"type": "fileRef", "value": ["elsewhere"]}, {"type": "login", "value": ["me"]}]
    files = [{"uid": "U", "name": "a", "content": "1"}]
    write_vault(vault_path, {"records": [{"uid": DIRECT, "title": "t", "fields": fields, "files": files}]})
    (record,) = client(server).get_secrets()
    assert record.field("fileRef") == ["elsewhere", "U"]
    client(server).save(record)
    assert stored_record(vault_path, DIRECT)["fields"] == fields
    assert client(server).get_secrets()[0].revision == record.revision
