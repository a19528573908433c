"""Reading a real vault over HTTPS with Keeper's unmodified SDK: the whole of it, or one clear error."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import leaks
from uss.errors import (
    ConfigurationError,
    VaultDeniedError,
    VaultError,
    VaultIncompleteError,
    VaultThrottledError,
    VaultUnavailableError,
)
from uss.keeper import Access, Snapshot, read_vault
from uss.sandbox.faults import Fault, FaultBoard, FaultKind
from uss.sandbox.keeper import KeeperServer

VAULT: dict[str, Any] = {
    "folders": [
        {"uid": "FOLDER-production-0001", "name": "Production"},
        {"uid": "FOLDER-payments-000001", "name": "Payments", "parent": "FOLDER-production-0001"},
    ],
    "records": [
        {
            "uid": "RECORD-00000000000001",
            "folder": ["FOLDER-production-0001", "FOLDER-payments-000001"],
            "title": "Both",
            "fields": [{"type": "host", "label": "H", "value": [{"hostName": "h"}]}],
            "custom": [{"type": "secret", "label": "value", "value": ["canary"]}],
            "notes": "n",
            "files": [{"name": "a.txt", "content": "x"}],
        },
        {"uid": "RECORD-00000000000002", "title": "Shared by itself"},
    ],
}

Read = Callable[..., Snapshot]


@pytest.fixture
def faults() -> FaultBoard:
    """The faults of the vault."""
    return FaultBoard()


@pytest.fixture
def server(tmp_path: Path, faults: FaultBoard, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeeperServer]:
    """A vault."""
    path = tmp_path / "vault.yaml"
    path.write_text(json.dumps(VAULT))
    server = KeeperServer(path, tmp_path / "keeper", faults)
    server.start()
    for name in ("KSM_CONFIG", "KSM_CONFIG_FILE", "KSM_HOSTNAME", "KSM_TOKEN", "KSM_SKIP_VERIFY", "KSM_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca_file))
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("no_proxy", "localhost")
    yield server
    server.stop()


@pytest.fixture
def read(server: KeeperServer) -> Read:
    """Reads the vault as the program does."""
    access = Access(json.dumps(server.client_config()), "KSM_CONFIG")
    return lambda report=lambda _: None, **options: read_vault(access, report, **options)


def test_the_whole_vault_is_read_with_one_call_of_each_kind(read: Read, faults: FaultBoard) -> None:
    snapshot = read()
    assert {folder.path for folder in snapshot.folders.values()} == {"Production", "Production/Payments"}
    both, alone = snapshot.records
    assert both.folders == {"FOLDER-production-0001", "FOLDER-payments-000001"}
    assert [(entry.key, entry.values) for entry in both.fields if entry.type != "fileRef"] == [
        ("H", ({"hostName": "h"},)),
        ("value", ("canary",)),
    ]
    assert (both.title, both.notes, both.attachments) == ("Both", "n", ("a.txt",))
    assert alone.folders == frozenset()
    assert faults.calls() == {"keeper": {"get_folders": 1, "get_secret": 1}}
    assert leaks(repr(snapshot), "canary") == {}


@pytest.mark.parametrize("operation", ["get_secret", "get_folders"])
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.DENIED, VaultDeniedError),
        (FaultKind.DROPPED, VaultUnavailableError),
        (FaultKind.ERROR, VaultUnavailableError),
        (FaultKind.GARBLED, VaultIncompleteError),
    ],
)
def test_a_lasting_fault_is_one_clear_error(
    read: Read, faults: FaultBoard, operation: str, kind: FaultKind, error: type[VaultError]
) -> None:
    faults.add(Fault("keeper", operation, kind))
    with pytest.raises(error) as caught:
        read()
    assert "Nothing was changed" in str(caught.value)
    assert faults.calls()["keeper"][operation] == (1 if kind is FaultKind.DENIED else 3)


@pytest.mark.parametrize("operation", ["get_secret", "get_folders"])
@pytest.mark.parametrize("kind", [FaultKind.DROPPED, FaultKind.LOST, FaultKind.ERROR, FaultKind.GARBLED])
def test_a_passing_fault_is_healed_by_another_try(
    read: Read, faults: FaultBoard, operation: str, kind: FaultKind
) -> None:
    faults.add(Fault("keeper", operation, kind, times=1))
    assert len(read().records) == 2
    assert faults.calls()["keeper"][operation] == 2


def test_throttling_within_the_bound_is_waited_for_and_beyond_it_is_an_error(read: Read, faults: FaultBoard) -> None:
    faults.add(Fault("keeper", "get_secret", FaultKind.THROTTLED, times=3, seconds=0.02))
    assert len(read().records) == 2
    faults.add(Fault("keeper", "get_secret", FaultKind.THROTTLED, seconds=0.02))
    faults.reset_calls()
    with pytest.raises(VaultThrottledError, match="went on doing so"):
        read()
    assert faults.calls()["keeper"]["get_secret"] == 6


def test_a_vault_that_does_not_answer_is_given_up_after_the_deadline(read: Read, faults: FaultBoard) -> None:
    faults.add(Fault("keeper", "get_secret", FaultKind.SLOW, seconds=30))
    lines: list[str] = []
    with pytest.raises(VaultUnavailableError, match="gave no answer within"):
        read(lines.append, deadline=0.5, patience=0.2)
    assert len(lines) == 3
    assert "has not answered" in lines[0]


def test_a_record_that_cannot_be_decrypted_is_named(read: Read, server: KeeperServer, tmp_path: Path) -> None:
    broken = VAULT | {"records": [VAULT["records"][0], VAULT["records"][1] | {"undecryptable": True}]}
    (tmp_path / "vault.yaml").write_text(json.dumps(broken))
    with pytest.raises(VaultIncompleteError, match="record RECORD-00000000000002") as caught:
        read()
    assert "1 of the vault's parts" in str(caught.value)


def test_an_unknown_authority_is_told_with_the_variable(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with pytest.raises(VaultUnavailableError, match="REQUESTS_CA_BUNDLE"):
        read()


def test_authorities_that_are_not_there_are_told_with_the_variable(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/ca.pem")
    with pytest.raises(ConfigurationError, match=r"/no/such/ca\.pem.* Correct REQUESTS_CA_BUNDLE"):
        read()


def test_a_client_that_was_removed_is_denied(server: KeeperServer) -> None:
    stranger = json.dumps(server.client_config() | {"clientId": "AAAA"})
    with pytest.raises(VaultDeniedError, match="Keeper refused the application"):
        read_vault(Access(stranger, "KSM_CONFIG"), lambda _: None)


def test_a_vault_that_is_not_there_is_told(read: Read, server: KeeperServer) -> None:
    server.stop()
    with pytest.raises(VaultUnavailableError, match="could not be reached: ConnectionError"):
        read()


def change_vault(tmp_path: Path, **parts: Any) -> None:
    """Write another vault in the place of the one that is served."""
    (tmp_path / "vault.yaml").write_text(json.dumps(VAULT | parts))


def test_one_record_that_cannot_be_decrypted_takes_its_folder_and_the_run_with_it(read: Read, tmp_path: Path) -> None:
    first, second = VAULT["records"]
    change_vault(tmp_path, records=[first | {"undecryptable": True}, second])
    with pytest.raises(VaultIncompleteError, match="folder FOLDER-production-0001 with all its records") as caught:
        read()
    assert "Share it with the application anew" in str(caught.value)


def test_an_application_that_may_see_nothing_reads_an_empty_vault(read: Read, tmp_path: Path) -> None:
    change_vault(tmp_path, folders=[], records=[])
    assert read() == Snapshot({}, ())


def test_an_empty_folder_is_there_all_the_same(read: Read, tmp_path: Path) -> None:
    change_vault(tmp_path, records=[])
    found = read()
    assert found.records == ()
    assert found.records_in([found.folder("Production/Payments")], include_subfolders=True) == ()


def test_texts_come_as_the_vault_has_them(read: Read, tmp_path: Path) -> None:
    text = " Größe 日本 \u202e\r\n\t\U0001f600 e\u0301 "
    entry = {
        "uid": "RECORD-00000000000003",
        "folder": "FOLDER-payments-000001",
        "title": text,
        "notes": text,
        "fields": [{"type": "login", "label": text, "value": [text, 0, False, 1.5, {"a": None}]}],
    }
    change_vault(tmp_path, records=[entry])
    (found,) = read().records
    assert (found.title, found.notes, found.fields[0].label) == (text, text, text)
    assert found.fields[0].values == (text, 0, False, 1.5, {"a": None})


def test_records_are_ordered_by_uid_whatever_the_vaults_order(read: Read, tmp_path: Path) -> None:
    uids = [f"RECORD-0000000000000{digit}" for digit in "73915"]
    change_vault(tmp_path, records=[{"uid": uid, "folder": "FOLDER-payments-000001", "title": "t"} for uid in uids])
    assert [entry.uid for entry in read().records] == sorted(uids)


@pytest.mark.parametrize("operation", ["get_secret", "get_folders"])
def test_throttling_of_either_call_is_waited_for(read: Read, faults: FaultBoard, operation: str) -> None:
    faults.add(Fault("keeper", operation, FaultKind.THROTTLED, times=2, seconds=0.02))
    assert len(read().records) == 2
    assert faults.calls()["keeper"][operation] == 3


def test_a_slow_vault_within_the_deadline_is_waited_for_and_told(read: Read, faults: FaultBoard) -> None:
    faults.add(Fault("keeper", "get_secret", FaultKind.SLOW, seconds=0.6))
    lines: list[str] = []
    assert len(read(lines.append, deadline=60.0, patience=0.2).records) == 2
    assert lines
    assert all("waiting up to 60 s" in line for line in lines)


def test_a_quick_vault_is_not_talked_about(read: Read) -> None:
    lines: list[str] = []
    read(lines.append)
    assert lines == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param({"appKey": "A" * 43 + "="}, VaultIncompleteError, id="another application's key"),
        pytest.param({"appKey": "AAAA"}, VaultIncompleteError, id="a key that is cut off"),
        pytest.param({"privateKey": "AAAA"}, VaultDeniedError, id="no private key"),
        pytest.param({"hostname": "localhost:1"}, VaultUnavailableError, id="nobody there"),
    ],
)
def test_a_configuration_that_does_not_fit_is_one_clear_error_that_does_not_quote_it(
    server: KeeperServer, change: dict[str, str], error: type[VaultError]
) -> None:
    content = server.client_config() | change
    with pytest.raises(error, match="Nothing was changed") as caught:
        read_vault(Access(json.dumps(content), "KSM_CONFIG"), lambda _: None)
    told = f"{caught.value}{caught.value.__cause__!r}"
    assert not [key for key in ("privateKey", "appKey", "clientId") if content[key] in told]


@pytest.mark.parametrize("kind", [FaultKind.DENIED, FaultKind.ERROR, FaultKind.DROPPED, FaultKind.GARBLED])
def test_no_error_nor_what_it_is_chained_to_holds_a_value(read: Read, faults: FaultBoard, kind: FaultKind) -> None:
    faults.add(Fault("keeper", "get_folders", kind))  # the records have been read by then
    with pytest.raises(VaultError) as caught:
        read()
    assert leaks("".join(traceback.format_exception(caught.value)), "canary") == {}


def test_nothing_is_left_over_from_a_read_that_failed(read: Read, faults: FaultBoard) -> None:
    faults.add(Fault("keeper", "*", FaultKind.DENIED))
    with pytest.raises(VaultDeniedError):
        read()
    faults.clear()
    assert len(read().records) == 2
