"""The vault file as the store: it is read again when it changed, and written as a whole."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from keeper_secrets_manager_core.exceptions import KeeperError

from tests.leaks import leaks
from tests.sandbox.keeper.kit import AT_INNER, AT_ROOT, DIRECT, OTHER, VAULT, client, read_vault, write_vault
from uss.sandbox.keeper import KeeperServer
from uss.sandbox.keeper.snapshot import Snapshot
from uss.sandbox.keeper.store import VaultStore
from uss.sandbox.vaultfile import Vault, VaultFileError


def one_record(**content: Any) -> dict[str, Any]:
    return {"records": [{"uid": "R", "title": "t", "fields": [{"type": "text", "value": ["v"]}], **content}]}


def revision(path: Path, store: VaultStore, **content: Any) -> int:
    write_vault(path, one_record(**content))
    return store.read().revisions["R"]


def add_record(snapshot: Snapshot) -> Vault:
    record = snapshot.vault.records[0].model_copy(update={"uid": f"R{len(snapshot.vault.records)}"})
    return snapshot.vault.model_copy(update={"records": [*snapshot.vault.records, record]})


def test_an_edit_of_the_file_is_seen_by_the_next_call(server: KeeperServer, vault_path: Path) -> None:
    reader = client(server)
    for title in ("aaaa", "bbbb", "cccc"):
        # As long as before, and perhaps in the same tick of the file system's clock.
        write_vault(vault_path, {"records": [{"uid": DIRECT, "title": title}]})
        assert [record.title for record in reader.get_secrets()] == [title]
        assert server.vault.records[0].title == title


def test_an_edit_that_keeps_time_and_size_is_seen_when_it_followed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    write_vault(path, one_record(title="aaaa"))
    store = VaultStore(path)
    store.read()
    status = path.stat()
    write_vault(path, one_record(title="bbbb"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert store.read().vault.records[0].title == "bbbb"


def test_a_file_that_did_not_change_is_not_parsed_again(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    write_vault(path, VAULT)
    store = VaultStore(path)
    first = store.read()
    assert store.read() is first
    path.touch()
    assert store.read() is first


def test_a_record_keeps_its_revision_until_its_content_changes(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    write_vault(path, one_record())
    store = VaultStore(path)
    assert revision(path, store) == 1
    assert revision(path, store, title="other") == 2
    assert revision(path, store, title="other", notes=None) == 2
    assert revision(path, store) == 3
    assert revision(path, store, files=[{"name": "f", "content": "c"}]) == 4
    assert revision(path, store, fields=[{"type": "text", "value": [1]}]) == 5
    assert revision(path, store, fields=[{"type": "text", "value": [True]}]) == 6
    assert revision(path, store, fields=[{"type": "text", "value": [1.0]}]) == 7


def test_a_record_that_comes_back_does_not_start_over(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    write_vault(path, one_record())
    store = VaultStore(path)
    assert revision(path, store) == 1
    assert revision(path, store, title="other") == 2
    write_vault(path, {})
    assert store.read().revisions == {}
    assert revision(path, store) == 3


def test_moving_a_record_or_changing_another_leaves_its_revision(server: KeeperServer, vault_path: Path) -> None:
    direct, at_root, *others = VAULT["records"]
    write_vault(vault_path, {**VAULT, "records": [{**direct, "title": "x"}, {**at_root, "folder": OTHER}, *others]})
    revisions = {record.uid: record.revision for record in client(server).get_secrets()}
    assert (revisions[DIRECT], revisions[AT_ROOT], revisions[AT_INNER]) == (2, 1, 1)


def test_a_change_is_written_whole_and_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    write_vault(path, one_record())
    path.chmod(0o644)
    inode = path.stat().st_ino
    VaultStore(path).change(add_record)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_ino != inode
    assert [record["uid"] for record in read_vault(path)["records"]] == ["R", "R1"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_the_vault_file_stays_a_link(tmp_path: Path) -> None:
    target = tmp_path / "target.yaml"
    write_vault(target, one_record())
    link = tmp_path / "vault.yaml"
    link.symlink_to(target)
    VaultStore(link).change(add_record)
    assert link.is_symlink()
    assert len(read_vault(target)["records"]) == 2


def test_a_change_keeps_the_clouds(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    clouds = {"aws": {"account": "000000000001", "roles": [{"arn": "arn:aws:iam::000000000001:role/r", "trusts": []}]}}
    write_vault(path, {**one_record(), "clouds": clouds})
    VaultStore(path).change(add_record)
    assert read_vault(path)["clouds"] == clouds


def test_a_change_that_would_break_the_vault_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    write_vault(path, one_record())
    before = path.read_bytes()
    with pytest.raises(VaultFileError, match="the record UID R is used 2 times"):
        VaultStore(path).change(lambda snapshot: Vault(records=[*snapshot.vault.records, *snapshot.vault.records]))
    assert path.read_bytes() == before


def test_a_change_starts_again_when_the_file_was_edited_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    write_vault(path, one_record())
    seen: list[str] = []

    def edit(snapshot: Snapshot) -> Vault:
        seen.append(snapshot.vault.records[0].title)
        if len(seen) == 1:
            write_vault(path, one_record(title="edited meanwhile"))
        return add_record(snapshot)

    VaultStore(path).change(edit)
    assert seen == ["t", "edited meanwhile"]
    assert [record["title"] for record in read_vault(path)["records"]] == ["edited meanwhile"] * 2


def test_changes_from_many_threads_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    write_vault(path, one_record())
    store = VaultStore(path)
    threads = [threading.Thread(target=store.change, args=(add_record,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_vault(path)["records"]) == 9


def test_an_invalid_file_is_an_error_of_the_service_until_it_is_mended(server: KeeperServer, vault_path: Path) -> None:
    reader = client(server)
    vault_path.write_text("records: [{uid: R, title: t, fields: [{type: text, value: canary}]}]")
    with pytest.raises(KeeperError, match=r"invalid_vault_file.*records\.0\.fields\.0\.value") as caught:
        reader.get_secrets()
    assert leaks(str(caught.value), "canary") == {}
    with pytest.raises(VaultFileError):
        _ = server.vault
    write_vault(vault_path, VAULT)
    assert len(reader.get_secrets()) == len(VAULT["records"])


def test_nothing_is_written_over_an_invalid_file(server: KeeperServer, vault_path: Path) -> None:
    vault_path.write_text("records: [")
    with pytest.raises(KeeperError, match="invalid_vault_file"):
        client(server).delete_secret([DIRECT])
    assert vault_path.read_text() == "records: ["


def test_a_file_that_was_emptied_is_not_an_empty_vault(server: KeeperServer, vault_path: Path) -> None:
    vault_path.write_text("")
    with pytest.raises(KeeperError, match="as if it were being written"):
        client(server).get_secrets()
    vault_path.write_text("{}")
    assert client(server).get_secrets() == []


def test_a_file_that_is_gone_is_an_error_of_the_service(server: KeeperServer, vault_path: Path) -> None:
    vault_path.unlink()
    with pytest.raises(KeeperError, match="cannot be read"):
        client(server).get_secrets()


def test_a_file_that_is_empty_from_the_start_is_an_empty_vault(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    path.touch()
    assert VaultStore(path).read().vault == Vault()


def test_what_is_kept_in_memory_is_what_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    write_vault(path, VAULT)
    store = VaultStore(path)
    store.change(add_record)
    assert Vault.model_validate(yaml.safe_load(path.read_bytes())) == store.read().vault
