"""The server's own life."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from tests.sandbox.gcp.kit import AUTOMATIC, PARENT, PROJECT, Gcp
from uss.sandbox.faults import FaultBoard
from uss.sandbox.gcp import GcpServer
from uss.sandbox.vaultfile import Vault


def test_a_stopped_server_closes_its_port() -> None:
    server = GcpServer(Vault, FaultBoard())
    port = urlsplit(server.url).port or 0
    server.start()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_server_that_never_started_can_be_stopped() -> None:
    GcpServer(Vault, FaultBoard()).stop()


def test_calls_at_the_same_time_are_all_served(gcp: Gcp) -> None:
    client = gcp.client()

    def create(number: int) -> None:
        client.create_secret(parent=PARENT, secret_id=f"secret-{number}", secret=AUTOMATIC)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(40)))
    assert len(gcp.server.dump()[PROJECT]) == 40


def test_the_ambient_key_names_the_servers_own_token_endpoint(gcp: Gcp) -> None:
    assert gcp.server.ambient["token_uri"] == f"{gcp.server.url}/token"
