"""The HTTPS server: its life, its certificates, the faults it can show, and many clients at once."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.exceptions import InvalidTag
from keeper_secrets_manager_core.dto.dtos import KeeperFileUpload
from keeper_secrets_manager_core.exceptions import KeeperError

from tests.sandbox.keeper.kit import AT_ROOT, DIRECT, SHARED, VAULT, client, stored_record, write_vault
from uss.sandbox.faults import Fault, FaultBoard, FaultKind
from uss.sandbox.keeper import KeeperServer
from uss.sandbox.vaultfile import VaultFileError


def url(server: KeeperServer, path: str) -> str:
    return f"https://{server.hostname}{path}"


def save_password(server: KeeperServer, password: str) -> None:
    (record,) = client(server).get_secrets([AT_ROOT])
    record.set_standard_field_value("password", password)
    client(server).save(record)


def password(server: KeeperServer) -> Any:
    return client(server).get_secrets([AT_ROOT])[0].password


# --- life


def test_the_server_listens_on_loopback_when_start_returns(server: KeeperServer) -> None:
    assert server.hostname == f"localhost:{server.port}"
    with socket.create_connection(("127.0.0.1", server.port)):
        pass


def test_the_port_is_closed_after_stop_and_stopping_twice_is_no_error(server: KeeperServer) -> None:
    port = server.port
    server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


def test_a_server_that_was_stopped_starts_again_for_the_same_clients(server: KeeperServer) -> None:
    configuration = client(server).config
    server.stop()
    server.start()
    assert configuration.config
    assert len(client(server).get_secrets()) == len(VAULT["records"])


def test_a_server_that_is_not_running_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"call start\(\) first"):
        _ = KeeperServer(tmp_path / "vault.yaml", tmp_path, FaultBoard()).port


def test_an_invalid_vault_file_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "vault.yaml"
    path.write_text("records: 1")
    with pytest.raises(VaultFileError, match="records"):
        KeeperServer(path, tmp_path, FaultBoard()).start()


def test_stop_ends_a_client_that_says_nothing(server: KeeperServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as silent:
        client(server).get_secrets()
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 5
        assert silent.recv(1) == b""


# --- certificates


def test_the_files_are_for_their_owner_only(server: KeeperServer) -> None:
    directory = server.ca_file.parent
    assert {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()} == {
        "keeper-ca.pem": 0o600,
        "keeper-server.pem": 0o600,
    }
    assert b"PRIVATE" not in server.ca_file.read_bytes()


def test_a_client_that_does_not_trust_the_certificate_cannot_connect(
    server: KeeperServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(requests.exceptions.SSLError):
        client(server).get_secrets()


def test_the_certificates_pass_strict_verification(server: KeeperServer) -> None:
    server_file = server.ca_file.with_name("keeper-server.pem")
    subprocess.run(
        ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", server.ca_file, server_file],
        check=True,
        capture_output=True,
    )


# --- requests that are no calls


def test_an_unknown_url_is_refused(server: KeeperServer, faults: FaultBoard) -> None:
    for method, path in (("POST", "/api/rest/sm/v1/nothing"), ("GET", "/api/rest/sm/v1/get_secret"), ("GET", "/")):
        answer = requests.request(method, url(server, path), timeout=10)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert faults.calls() == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"PublicKeyId": "99"},
        {"PublicKeyId": "99", "TransmissionKey": "AAAA"},
        {"PublicKeyId": "99", "TransmissionKey": "A" * 168},
        {"PublicKeyId": "99", "TransmissionKey": "\xe9"},
    ],
)
def test_a_call_that_is_not_sealed_is_refused(server: KeeperServer, headers: dict[str, str]) -> None:
    answer = requests.post(url(server, "/api/rest/sm/v1/get_secret"), data=b"x", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


def test_errors_have_the_keys_of_keepers_own(server: KeeperServer) -> None:
    answer = requests.post(url(server, "/api/rest/sm/v1/get_secret"), data=b"x", timeout=10)
    assert answer.json().keys() == {"path", "additional_info", "location", "error", "message", "key_id"}
    assert (answer.json()["error"], answer.json()["key_id"]) == ("key", "99")


def test_a_file_is_given_only_to_those_who_have_its_url(server: KeeperServer, vault_path: Path) -> None:
    files = [{"name": "a", "content": "1"}]
    write_vault(vault_path, {"records": [{**VAULT["records"][0], "files": files}]})
    address = client(server).get_secrets()[0].files[0].f["url"]
    assert requests.get(address, timeout=10).status_code == 200
    assert requests.get(address.partition("?")[0], timeout=10).status_code == 403
    assert requests.get(address[:-1] + "x", timeout=10).status_code == 403
    write_vault(vault_path, {"records": [VAULT["records"][0]]})
    assert requests.get(address, timeout=10).json()["error"] == "record_uid_not_found"


def test_an_upload_that_was_not_announced_is_refused(server: KeeperServer) -> None:
    answer = requests.post(url(server, "/uploads"), data={"token": "t"}, files={"file": b"x"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    answer = requests.post(url(server, "/uploads"), data=b"x", timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


# --- faults


def ask(faults: FaultBoard, kind: FaultKind, operation: str = "get_secret", seconds: float = 0.0) -> None:
    faults.add(Fault("keeper", operation, kind, times=1, seconds=seconds))


def test_denied_is_access_denied(server: KeeperServer, faults: FaultBoard) -> None:
    ask(faults, FaultKind.DENIED)
    with pytest.raises(KeeperError, match="access_denied"):
        client(server).get_secrets()
    assert client(server).get_secrets()


def test_a_throttled_client_waits_as_long_as_it_is_told_and_repeats(server: KeeperServer, faults: FaultBoard) -> None:
    ask(faults, FaultKind.THROTTLED, seconds=0.1)
    started = time.monotonic()
    assert client(server).get_secrets()
    assert 0.07 < time.monotonic() - started < 5
    assert faults.calls() == {"keeper": {"get_secret": 2}}


def test_a_throttled_answer_names_a_wait_only_when_there_is_one(server: KeeperServer, faults: FaultBoard) -> None:
    ask(faults, FaultKind.THROTTLED)
    answer = requests.post(url(server, "/api/rest/sm/v1/get_secret"), timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (403, "throttled")
    assert "retry_after" not in answer.json()


def test_a_slow_answer_comes_after_its_wait(server: KeeperServer, faults: FaultBoard) -> None:
    ask(faults, FaultKind.SLOW, seconds=0.3)
    started = time.monotonic()
    assert client(server).get_secrets()
    assert time.monotonic() - started >= 0.3


def test_stop_ends_a_slow_answer(server: KeeperServer, faults: FaultBoard) -> None:
    ask(faults, FaultKind.SLOW, seconds=600)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client(server).get_secrets)
        while not faults.calls():
            pass
        server.stop()
        assert isinstance(waiting.exception(timeout=10), requests.ConnectionError)


def test_a_dropped_call_has_no_effect(server: KeeperServer, faults: FaultBoard) -> None:
    ask(faults, FaultKind.DROPPED, "update_secret")
    with pytest.raises(requests.ConnectionError):
        save_password(server, "new")
    assert password(server) == "pass"


def test_a_lost_call_has_its_effect(server: KeeperServer, faults: FaultBoard) -> None:
    ask(faults, FaultKind.LOST, "update_secret")
    with pytest.raises(requests.ConnectionError):
        save_password(server, "new")
    assert password(server) == "new"


def test_a_garbled_answer_cannot_be_decrypted(server: KeeperServer, faults: FaultBoard) -> None:
    ask(faults, FaultKind.GARBLED)
    with pytest.raises(InvalidTag):
        client(server).get_secrets()


def test_an_error_is_not_json(server: KeeperServer, faults: FaultBoard) -> None:
    ask(faults, FaultKind.ERROR)
    with pytest.raises(requests.HTTPError, match="Status Code: 500"):
        client(server).get_secrets()


@pytest.mark.parametrize("operation", ["upload_file", "download_file"])
@pytest.mark.parametrize("kind", [FaultKind.DENIED, FaultKind.DROPPED, FaultKind.GARBLED, FaultKind.ERROR])
def test_files_have_faults_too(server: KeeperServer, faults: FaultBoard, operation: str, kind: FaultKind) -> None:
    ask(faults, kind, operation)
    (record,) = client(server).get_secrets([DIRECT])
    if operation == "upload_file" and kind is not FaultKind.GARBLED:
        with pytest.raises((KeeperError, requests.ConnectionError)):
            client(server).upload_file(record, KeeperFileUpload("n", "t", "text/plain", b"data"))
        assert client(server).get_secrets([DIRECT])[0].files == []
        return
    client(server).upload_file(record, KeeperFileUpload("n", "t", "text/plain", b"data"))
    (file,) = client(server).get_secrets([DIRECT])[0].files
    if operation == "download_file":
        with pytest.raises((InvalidTag, requests.ConnectionError)):
            file.get_file_data()
    assert file.get_file_data() == b"data"


def test_every_call_is_counted_once(server: KeeperServer, faults: FaultBoard) -> None:
    user = client(server)
    user.get_folders()
    (record,) = user.get_secrets([DIRECT])
    user.upload_file(record, KeeperFileUpload("n", "t", "text/plain", b"data"))
    user.get_secrets([DIRECT])[0].files[0].get_file_data()
    user.delete_secret([DIRECT])
    assert faults.calls() == {
        "keeper": {
            "add_file": 1,
            "delete_secret": 1,
            "download_file": 1,
            "get_folders": 1,
            "get_secret": 2,
            "upload_file": 1,
        }
    }


# --- many clients, many records


def test_many_clients_read_and_write_at_once(server: KeeperServer, vault_path: Path) -> None:
    uids = [f"Record{n:016d}" for n in range(12)]
    records = [{"uid": uid, "folder": SHARED, "title": uid, "fields": [{"type": "login", "value": []}]} for uid in uids]
    write_vault(vault_path, {**VAULT, "records": records})

    def work(uid: str) -> None:
        user = client(server)
        (record,) = user.get_secrets([uid])
        record.set_standard_field_value("login", f"by {uid}")
        user.save(record)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, uids))
    assert all(stored_record(vault_path, uid)["fields"][0]["value"] == [f"by {uid}"] for uid in uids)


def test_five_thousand_records_are_read_in_well_under_two_seconds(server: KeeperServer, vault_path: Path) -> None:
    records = [
        {
            "uid": f"Record{n:016d}",
            "folder": SHARED,
            "title": f"record {n}",
            "fields": [{"type": "login", "value": ["user"]}, {"type": "password", "value": [f"password {n}"]}],
        }
        for n in range(5000)
    ]
    vault_path.write_text(json.dumps({**VAULT, "records": records}))
    user = client(server)
    assert len(user.get_secrets()) == 5000
    started = time.monotonic()
    assert len(user.get_secrets([records[0]["uid"], records[-1]["uid"]])) == 2
    assert len(user.get_secrets()) == 5000
    assert time.monotonic() - started < 2


def test_nothing_is_logged(server: KeeperServer, faults: FaultBoard, capfd: pytest.CaptureFixture[str]) -> None:
    ask(faults, FaultKind.DROPPED)
    with pytest.raises(requests.ConnectionError):
        client(server).get_secrets()
    client(server).get_secrets()
    with socket.create_connection(("127.0.0.1", server.port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
        stranger.recv(1024)
    server.stop()
    assert capfd.readouterr() == ("", "")
