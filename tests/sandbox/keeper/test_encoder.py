"""What Keeper's own client reads from the vault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeper_secrets_manager_core.dto.payload import QueryOptions

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
    stored_record,
    write_vault,
)
from uss.sandbox.keeper import KeeperServer


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
