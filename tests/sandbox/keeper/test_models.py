"""What Keeper's own client does to the records and folders of the vault."""

from __future__ import annotations

from pathlib import Path

import pytest
from keeper_secrets_manager_core.dto.dtos import RecordCreate, RecordField
from keeper_secrets_manager_core.dto.payload import CreateOptions
from keeper_secrets_manager_core.exceptions import KeeperError

from tests.leaks import leaks
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
    assert leaks(str(caught.value), "canary") == {}


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
