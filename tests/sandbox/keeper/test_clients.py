"""Who may use the vault: one-time tokens, ready configurations, and those that are refused."""

from __future__ import annotations

import base64
import json

import pytest
from keeper_secrets_manager_core import SecretsManager
from keeper_secrets_manager_core.exceptions import KeeperError
from keeper_secrets_manager_core.storage import InMemoryKeyValueStorage
from requests import ConnectionError as RequestsConnectionError

from tests.sandbox.keeper.kit import VAULT, client, token_client
from uss.sandbox.faults import Fault, FaultBoard, FaultKind
from uss.sandbox.keeper import KeeperServer
from uss.sandbox.keeper.clients import Application


def configured(configuration: dict[str, str]) -> SecretsManager:
    return SecretsManager(config=InMemoryKeyValueStorage(json.dumps(configuration)))


def test_a_one_time_token_binds_a_client_that_then_reads_and_writes(server: KeeperServer) -> None:
    bound = token_client(server, server.one_time_token())
    response = bound.get_secrets(full_response=True)
    assert len(response.records) == len(VAULT["records"])
    assert response.appData.title == "Sandbox"
    record = response.records[0]
    record.set_standard_field_value("login", "changed")
    bound.save(record)
    assert client(server).get_secrets([record.uid])[0].field("login", single=True) == "changed"


def test_a_bound_client_keeps_working_from_its_configuration(server: KeeperServer) -> None:
    bound = token_client(server, server.one_time_token())
    bound.get_secrets()
    stored = {key.value: value for key, value in bound.config.config.items()}
    assert len(configured(stored).get_secrets()) == len(VAULT["records"])


def test_a_token_is_spent_by_the_first_client(server: KeeperServer) -> None:
    token = server.one_time_token()
    token_client(server, token).get_secrets()
    with pytest.raises(KeeperError, match="access_denied"):
        token_client(server, token).get_secrets()


def test_a_client_that_never_heard_the_answer_binds_again(server: KeeperServer, faults: FaultBoard) -> None:
    faults.add(Fault("keeper", "get_secret", FaultKind.LOST, times=1))
    unlucky = token_client(server, server.one_time_token())
    with pytest.raises(RequestsConnectionError):
        unlucky.get_secrets()
    assert len(unlucky.get_secrets()) == len(VAULT["records"])


def test_reading_folders_does_not_spend_a_token(server: KeeperServer) -> None:
    token = server.one_time_token()
    with pytest.raises(KeeperError, match="appKey"):
        token_client(server, token).get_folders()
    assert token_client(server, token).get_secrets()


def test_an_invented_token_is_refused(server: KeeperServer) -> None:
    token = base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
    with pytest.raises(KeeperError, match="access_denied"):
        token_client(server, token).get_secrets()


def test_an_unknown_client_is_refused(server: KeeperServer) -> None:
    stranger = server.client_config() | {"clientId": base64.b64encode(bytes(64)).decode()}
    with pytest.raises(KeeperError, match="access_denied"):
        configured(stranger).get_secrets()


def test_a_signature_of_another_client_is_refused(server: KeeperServer) -> None:
    forged = server.client_config() | {"privateKey": server.client_config()["privateKey"]}
    with pytest.raises(KeeperError, match="access_denied, message=Signature is invalid"):
        configured(forged).get_secrets()


def test_a_client_without_the_servers_key_is_told_which_key_to_use(server: KeeperServer) -> None:
    keyless = {key: value for key, value in server.client_config().items() if not key.startswith("server")}
    with pytest.raises(ValueError, match="public key at 99 does not exist"):
        configured(keyless).get_secrets()


def test_a_client_that_has_the_key_under_another_name_is_put_right(server: KeeperServer) -> None:
    renamed = configured(server.client_config() | {"serverPublicKeyId": "7"})
    assert len(renamed.get_secrets()) == len(VAULT["records"])


def test_a_call_sealed_for_another_key_is_refused(server: KeeperServer) -> None:
    other = Application().configuration(server.hostname)["serverPublicKey"]
    with pytest.raises(KeeperError, match="bad_request"):
        configured(server.client_config() | {"serverPublicKey": other}).get_secrets()


def test_tokens_and_configurations_are_new_each_time(server: KeeperServer) -> None:
    assert server.one_time_token() != server.one_time_token()
    assert server.client_config()["clientId"] != server.client_config()["clientId"]


def test_a_token_never_looks_like_an_option(server: KeeperServer) -> None:
    assert not any(server.one_time_token().startswith("-") for _ in range(200))
