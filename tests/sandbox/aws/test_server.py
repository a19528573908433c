"""The server's own life."""

from __future__ import annotations

import socket

import pytest

from tests.sandbox.aws.conftest import Clients, VaultHolder
from uss.sandbox.aws import AwsServer
from uss.sandbox.faults import FaultBoard


def test_a_stopped_server_closes_its_port(vault: VaultHolder, faults: FaultBoard) -> None:
    server = AwsServer(vault, faults)
    server.start()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_a_server_that_never_started_can_be_stopped(vault: VaultHolder, faults: FaultBoard) -> None:
    AwsServer(vault, faults).stop()


def test_a_second_server_in_one_process_is_refused(aws: AwsServer, vault: VaultHolder, faults: FaultBoard) -> None:
    second = AwsServer(vault, faults)
    with pytest.raises(RuntimeError, match="stop it first"):
        second.start()
    second.stop()


def test_a_start_begins_empty(aws: AwsServer, clients: Clients, vault: VaultHolder, faults: FaultBoard) -> None:
    clients.secrets().create_secret(Name="database", SecretString="x")
    aws.stop()
    with_nothing = AwsServer(vault, faults)
    with_nothing.start()
    try:
        assert with_nothing.dump() == {}
    finally:
        with_nothing.stop()


def test_the_secret_key_of_the_administrator_is_in_no_repr_of_the_server(aws: AwsServer) -> None:
    assert aws.ambient.secret_access_key not in repr(aws)
