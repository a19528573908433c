"""What Keeper's own client reads from the vault, and does to it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeper_secrets_manager_core.dto.dtos import KeeperFileUpload, RecordCreate, RecordField
from keeper_secrets_manager_core.dto.payload import CreateOptions, QueryOptions, UpdateOptions
from keeper_secrets_manager_core.exceptions import KeeperError

from tests.sandbox.keeper.kit import (
    AT_DEEP,
    AT_INNER,
    AT_ROOT,
    DEEP,
    DIRECT,
    INNER,
    OTHER,
    SHARED,
    VAULT,
    client,
    read_vault,
    stored_record,
    write_vault,
)
from uss.sandbox.keeper import KeeperServer


def login(title: str) -> RecordCreate:
    record = RecordCreate("login", title)
    record.fields = [RecordField("login", "new"), RecordField("password", "secret", required=True, privacyScreen=True)]
    record.custom = [RecordField("text", ["a", "b"], label="Two")]
    record.notes = "made by the client"
    return record


def query(server: KeeperServer, **filters: Any) -> Any:
    options = QueryOptions(filters.get("records"), filters.get("folders"), filters.get("links"))
    return client(server).get_secrets_with_options(options, full_response=True)


# --- reading


def test_all_records_are_read_with_the_folder_that_holds_each(server: KeeperServer) -> None:
    places = {r.uid: (r.folder_uid or None, r.inner_folder_uid) for r in client(server).get_secrets()}
    assert places == {
        DIRECT: (None, None),
        AT_ROOT: (SHARED, None),
        AT_INNER: (SHARED, INNER),
        AT_DEEP: (SHARED, DEEP),
    }


def test_nothing_is_read_that_the_client_cannot_decrypt(server: KeeperServer) -> None:
    response = query(server)
    assert (response.bad_records, response.bad_folders) == ([], [])
    assert response.warnings is None


def test_shared_folders_are_listed_also_when_they_are_empty(server: KeeperServer) -> None:
    assert {folder.uid for folder in query(server).folders} == {SHARED, OTHER}


def test_one_record_is_read_by_its_uid(server: KeeperServer) -> None:
    (record,) = client(server).get_secrets([AT_ROOT])
    assert (record.title, record.type, record.password) == ("at root", "login", "pass")
    assert record.field("login", single=True) == "root"
    assert record.is_editable


def test_an_unknown_uid_gives_an_empty_answer(server: KeeperServer) -> None:
    response = query(server, records=["AAAAAAAAAAAAAAAAAAAAAA"])
    assert (response.records, response.folders) == ([], [])


def test_a_shared_folders_filter_gives_all_that_lies_in_it(server: KeeperServer) -> None:
    assert {r.uid for r in query(server, folders=[SHARED]).records} == {AT_ROOT, AT_INNER, AT_DEEP}


def test_an_inner_folders_filter_gives_the_records_in_it(server: KeeperServer) -> None:
    assert [r.uid for r in query(server, folders=[DEEP]).records] == [AT_DEEP]


def test_an_empty_folders_filter_gives_the_empty_folder(server: KeeperServer) -> None:
    response = query(server, folders=[OTHER])
    assert response.records == []
    assert [folder.uid for folder in response.folders] == [OTHER]


def test_both_filters_must_let_a_record_through(server: KeeperServer) -> None:
    assert query(server, records=[AT_ROOT], folders=[INNER]).records == []
    assert [r.uid for r in query(server, records=[AT_ROOT], folders=[SHARED]).records] == [AT_ROOT]


def test_notation_reads_a_field_by_uid_and_by_title(server: KeeperServer) -> None:
    assert client(server).get_notation(f"keeper://{AT_ROOT}/field/password") == "pass"
    assert client(server).get_notation_results("keeper://at root/field/login") == ["root"]


def test_a_record_in_several_folders_is_shown_in_each(server: KeeperServer, vault_path: Path) -> None:
    shown = {**VAULT["records"][1], "folder": [SHARED, DEEP, OTHER]}
    write_vault(vault_path, {**VAULT, "records": [shown]})
    places = [(r.folder_uid, r.inner_folder_uid) for r in client(server).get_secrets([AT_ROOT])]
    assert sorted(places, key=str) == sorted([(SHARED, None), (SHARED, DEEP), (OTHER, None)], key=str)
    # Notation takes one record shown several times for one.
    assert client(server).get_notation(f"{AT_ROOT}/field/password") == "pass"


def test_an_undecryptable_record_hides_itself_and_its_shared_folder(server: KeeperServer, vault_path: Path) -> None:
    direct, at_root, *others = VAULT["records"]
    broken = [{**record, "undecryptable": True} for record in (direct, at_root)]
    write_vault(vault_path, {**VAULT, "records": [*broken, *others]})
    response = query(server)
    assert [bad["r"]["recordUid"] for bad in response.bad_records] == [DIRECT]
    assert [bad["f"]["folderUid"] for bad in response.bad_folders] == [SHARED]


def test_uids_of_any_shape_work(server: KeeperServer, vault_path: Path) -> None:
    folders = [
        {"uid": "a folder/\N{SNOWMAN}", "name": "f"},
        {"uid": "-x", "name": "g", "parent": "a folder/\N{SNOWMAN}"},
    ]
    files = [{"uid": "a/b?c", "name": "n", "content": "text"}]
    record = {"uid": "short / \N{SNOWMAN}", "folder": "-x", "title": "t", "files": files}
    write_vault(vault_path, {"folders": folders, "records": [record]})
    (read,) = client(server).get_secrets(["short / \N{SNOWMAN}"])
    assert (read.folder_uid, read.inner_folder_uid) == ("a folder/\N{SNOWMAN}", "-x")
    assert read.files[0].get_file_data() == b"text"
    assert [folder.name for folder in client(server).get_folders()] == ["f", "g"]


AWKWARD = [
    "-----BEGIN KEY-----\nAAAA\r\nBBBB\n-----END KEY-----\n",
    "  spaces around  ",
    "ends with newlines\n\n\n",
    "\ttab\t",
    "007",
    "null",
    "true",
    "",
    "ünïcödé \N{GRINNING FACE} \N{LINE SEPARATOR}\N{NEXT LINE}\N{ZERO WIDTH NO-BREAK SPACE}",
    "\0\x07\x1b\x7f",
    "x" * 60_000,
]


def test_awkward_texts_reach_the_client_unchanged(server: KeeperServer, vault_path: Path) -> None:
    record = {"uid": DIRECT, "title": "t", "fields": [{"type": "text", "value": AWKWARD}]}
    write_vault(vault_path, {"records": [record]})
    assert client(server).get_secrets()[0].field("text") == AWKWARD


def test_values_of_every_json_type_reach_the_client_unchanged(server: KeeperServer, vault_path: Path) -> None:
    values = [1, 1.5, True, None, {"hostName": "h", "port": "5432", "deep": [{"a": []}]}]
    record = {"uid": DIRECT, "title": "t", "type": "general", "custom": [{"type": "x", "label": "l", "value": values}]}
    write_vault(vault_path, {"records": [record]})
    assert client(server).get_secrets()[0].custom_field("l") == values


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example writes the whole vault
)
@given(texts=st.lists(st.text(), min_size=1), title=st.text())
def test_any_text_reaches_the_client_unchanged(
    server: KeeperServer, vault_path: Path, texts: list[str], title: str
) -> None:
    record = {"uid": DIRECT, "title": title, "notes": title, "fields": [{"type": "text", "value": texts}]}
    write_vault(vault_path, {"records": [record]})
    (read,) = client(server).get_secrets()
    assert (read.title, read.dict["notes"], read.field("text")) == (title, title, texts)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example writes on what the last one left
)
@given(texts=st.lists(st.text(), min_size=1))
def test_any_text_that_a_client_writes_is_in_the_file(server: KeeperServer, vault_path: Path, texts: list[str]) -> None:
    (record,) = client(server).get_secrets([DIRECT])
    record.field("login", texts)
    client(server).save(record)
    assert stored_record(vault_path, DIRECT)["fields"][0]["value"] == texts
    assert server.vault.records[0].fields[0].value == texts


# --- links


def test_links_are_given_when_asked_for(server: KeeperServer, vault_path: Path) -> None:
    links = [
        {"recordUid": DIRECT, "path": "meta", "data": {"allowedSettings": {"rotation": True}, "version": 1}},
        {"recordUid": AT_ROOT, "data": {"is_admin": True}},
        {"recordUid": AT_INNER},
        {"recordUid": DIRECT, "path": "ai_settings", "data": {"model": "m"}},
    ]
    write_vault(vault_path, {**VAULT, "records": [{**VAULT["records"][0], "links": links}, *VAULT["records"][1:]]})
    record = next(r for r in query(server, links=True).records if r.uid == DIRECT)
    meta, admin, bare, sealed = record.get_links()
    assert meta.allows_rotation()
    assert admin.is_admin_user()
    assert (bare.record_uid, bare.data) == (AT_INNER, None)
    assert sealed.get_decrypted_data(record.record_key_bytes) == '{"model": "m"}'


def test_links_are_left_out_otherwise(server: KeeperServer, vault_path: Path) -> None:
    links = [{"recordUid": AT_ROOT}]
    write_vault(vault_path, {"records": [{**VAULT["records"][0], "links": links}]})
    assert client(server).get_secrets()[0].links == []


# --- writing records


def test_a_record_is_created_in_a_shared_folder(server: KeeperServer, vault_path: Path) -> None:
    uid = client(server).create_secret(OTHER, login("created"))
    (record,) = client(server).get_secrets([uid])
    assert (record.title, record.folder_uid, record.inner_folder_uid, record.revision) == ("created", OTHER, None, 1)
    assert stored_record(vault_path, uid) == {
        "uid": uid,
        "folder": OTHER,
        "title": "created",
        "type": "login",
        "fields": [
            {"type": "login", "value": ["new"]},
            {"type": "password", "value": ["secret"], "required": True, "privacyScreen": True},
        ],
        "custom": [{"type": "text", "label": "Two", "value": ["a", "b"]}],
        "notes": "made by the client",
    }


@pytest.mark.parametrize(("subfolder", "inner"), [(None, None), (SHARED, None), (INNER, INNER), (DEEP, DEEP)])
def test_a_record_is_created_at_any_depth(server: KeeperServer, subfolder: str | None, inner: str | None) -> None:
    uid = client(server).create_secret_with_options(CreateOptions(SHARED, subfolder), login("deep"))
    (record,) = client(server).get_secrets([uid])
    assert (record.folder_uid, record.inner_folder_uid) == (SHARED, inner)


def test_a_record_is_not_created_in_a_folder_of_another_shared_folder(server: KeeperServer) -> None:
    with pytest.raises(KeeperError, match="folder_uid_not_found"):
        client(server).create_secret_with_options(CreateOptions(OTHER, INNER), login("nowhere"))


def test_a_record_with_unknown_keys_is_refused_and_not_shown(server: KeeperServer) -> None:
    (record,) = client(server).get_secrets([DIRECT])
    record.raw_json = '{"title": "t", "type": "login", "fields": [], "surprise": "canary"}'
    with pytest.raises(KeeperError, match="surprise") as caught:
        client(server).save(record)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("data", ["not json", "[]", '{"type": "login"}', '{"title": "t", "fields": [{"value": []}]}'])
def test_data_that_is_no_record_is_refused(server: KeeperServer, vault_path: Path, data: str) -> None:
    before = vault_path.read_bytes()
    (record,) = client(server).get_secrets([DIRECT])
    record.raw_json = data
    with pytest.raises(KeeperError, match="bad_request"):
        client(server).save(record)
    assert vault_path.read_bytes() == before


def test_an_update_is_written_to_the_file(server: KeeperServer, vault_path: Path) -> None:
    (record,) = client(server).get_secrets([AT_ROOT])
    record.title = "renamed"
    record.set_standard_field_value("password", " new\n")
    client(server).save(record)
    stored = stored_record(vault_path, AT_ROOT)
    assert (stored["title"], stored["folder"], stored["fields"][1]["value"]) == ("renamed", SHARED, [" new\n"])


def test_an_update_grows_the_revision(server: KeeperServer) -> None:
    (record,) = client(server).get_secrets([AT_ROOT])
    record.set_standard_field_value("password", "new")
    client(server).save(record)
    assert client(server).get_secrets([AT_ROOT])[0].revision == record.revision + 1


def test_an_update_of_a_stale_record_is_refused(server: KeeperServer) -> None:
    (stale,) = client(server).get_secrets([AT_ROOT])
    (fresh,) = client(server).get_secrets([AT_ROOT])
    fresh.set_standard_field_value("password", "first")
    client(server).save(fresh)
    stale.set_standard_field_value("password", "second")
    with pytest.raises(KeeperError, match="out_of_sync"):
        client(server).save(stale)
    assert client(server).get_secrets([AT_ROOT])[0].password == "first"


def test_an_update_of_a_record_that_is_gone_is_refused(server: KeeperServer) -> None:
    (record,) = client(server).get_secrets([AT_ROOT])
    client(server).delete_secret([AT_ROOT])
    with pytest.raises(KeeperError, match="record_uid_not_found"):
        client(server).save(record)


def test_notes_that_an_update_leaves_out_are_gone(server: KeeperServer, vault_path: Path) -> None:
    (record,) = client(server).get_secrets([AT_DEEP])
    del record.dict["notes"]
    record._update()
    client(server).save(record)
    assert "notes" not in stored_record(vault_path, AT_DEEP)


def test_deleting_names_the_records_that_were_there(server: KeeperServer, vault_path: Path) -> None:
    answer = client(server).delete_secret([AT_ROOT, "AAAAAAAAAAAAAAAAAAAAAA", DIRECT])
    assert [(entry["recordUid"], entry["responseCode"]) for entry in answer] == [(AT_ROOT, "ok"), (DIRECT, "ok")]
    assert {record["uid"] for record in read_vault(vault_path)["records"]} == {AT_INNER, AT_DEEP}


def test_deleting_nothing_leaves_the_file_alone(server: KeeperServer, vault_path: Path) -> None:
    before = vault_path.stat()
    assert client(server).delete_secret(["AAAAAAAAAAAAAAAAAAAAAA"]) == []
    assert vault_path.stat() == before


# --- transactions


def rotate(server: KeeperServer, password: str) -> None:
    (record,) = client(server).get_secrets([AT_ROOT])
    record.set_standard_field_value("password", password)
    client(server).save(record, transaction_type="rotation")


def test_a_rotation_that_is_finalized_stands(server: KeeperServer) -> None:
    rotate(server, "rotated")
    client(server).complete_transaction(AT_ROOT)
    assert client(server).get_secrets([AT_ROOT])[0].password == "rotated"
    with pytest.raises(KeeperError, match="no open update"):
        client(server).complete_transaction(AT_ROOT, rollback=True)


def test_a_rotation_is_rolled_back_to_the_content_before_the_first_try(server: KeeperServer) -> None:
    rotate(server, "first try")
    assert client(server).get_secrets([AT_ROOT])[0].password == "first try"
    rotate(server, "second try")
    client(server).complete_transaction(AT_ROOT, rollback=True)
    (record,) = client(server).get_secrets([AT_ROOT])
    assert (record.password, record.folder_uid) == ("pass", SHARED)
    assert record.revision == 4


@pytest.mark.parametrize("transaction_type", [None, "general"])
def test_any_other_update_stands_at_once(server: KeeperServer, transaction_type: str | None) -> None:
    (record,) = client(server).get_secrets([AT_ROOT])
    record.set_standard_field_value("password", "new")
    client(server).save(record, transaction_type=transaction_type)
    client(server).complete_transaction(AT_ROOT)
    with pytest.raises(KeeperError, match="no open update"):
        client(server).complete_transaction(AT_ROOT, rollback=True)


@pytest.mark.parametrize("rollback", [True, False])
def test_a_transaction_of_an_unknown_record_is_refused(server: KeeperServer, rollback: bool) -> None:
    with pytest.raises(KeeperError, match="record_uid_not_found"):
        client(server).complete_transaction("AAAAAAAAAAAAAAAAAAAAAA", rollback=rollback)


# --- folders


def test_folders_of_any_depth_are_read_with_names_and_parents(server: KeeperServer) -> None:
    folders = {f.folder_uid: (f.name, f.parent_uid) for f in client(server).get_folders()}
    assert folders == {
        SHARED: ("Production", ""),
        INNER: ("inner", SHARED),
        DEEP: ("deep", INNER),
        OTHER: ("Other", ""),
    }


def test_a_folder_is_created_renamed_and_deleted(server: KeeperServer, vault_path: Path) -> None:
    uid = client(server).create_folder(CreateOptions(SHARED, DEEP), "new \N{SNOWMAN}")
    assert read_vault(vault_path)["folders"][-1] == {"uid": uid, "name": "new \N{SNOWMAN}", "parent": DEEP}
    client(server).update_folder(uid, "renamed")
    assert {f.folder_uid: f.name for f in client(server).get_folders()}[uid] == "renamed"
    assert client(server).delete_folder([uid]) == [{"folderUid": uid, "responseCode": "ok", "errorMessage": ""}]
    assert uid not in {f.folder_uid for f in client(server).get_folders()}


def test_a_folder_is_created_in_the_shared_folder_itself(server: KeeperServer) -> None:
    uid = client(server).create_folder(CreateOptions(OTHER, None), "new")
    assert {f.folder_uid: f.parent_uid for f in client(server).get_folders()}[uid] == OTHER


def test_a_shared_folder_is_renamed(server: KeeperServer) -> None:
    client(server).update_folder(SHARED, "renamed")
    assert {f.folder_uid: f.name for f in client(server).get_folders()}[SHARED] == "renamed"


def test_a_folder_is_not_created_in_a_folder_of_another_shared_folder(server: KeeperServer) -> None:
    with pytest.raises(KeeperError, match="folder_uid_not_found"):
        client(server).create_folder(CreateOptions(OTHER, INNER), "new")


@pytest.mark.parametrize("uid", [DEEP, INNER])
def test_a_folder_that_is_not_empty_is_kept(server: KeeperServer, uid: str) -> None:
    (answer,) = client(server).delete_folder([uid])
    assert (answer["folderUid"], answer["responseCode"]) == (uid, "not_empty")
    assert "is not empty" in answer["errorMessage"]
    assert uid in {f.folder_uid for f in client(server).get_folders()}


def test_a_folder_deleted_by_force_takes_its_content_with_it(server: KeeperServer, vault_path: Path) -> None:
    shown_twice = {**VAULT["records"][3], "uid": "ShownTwice___________5", "folder": [DEEP, OTHER]}
    write_vault(vault_path, {**VAULT, "records": [*VAULT["records"], shown_twice]})
    client(server).delete_folder([INNER], force_deletion=True)
    assert {f.folder_uid for f in client(server).get_folders()} == {SHARED, OTHER}
    assert {r.uid: r.folder_uid for r in client(server).get_secrets()} == {
        DIRECT: "",
        AT_ROOT: SHARED,
        shown_twice["uid"]: OTHER,
    }


def test_deleting_an_unknown_folder_is_no_error(server: KeeperServer) -> None:
    assert client(server).delete_folder(["AAAAAAAAAAAAAAAAAAAAAA"]) == []


# --- files


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
