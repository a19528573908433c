"""Whom the stand-in for GCP speaks to: the sandbox, and nobody else."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.auth.transport.requests import Request
from requests import Session

from tests.sandbox.gcp.kit import PROJECT, SYNC_EMAIL, Gcp, key_file, run_gcp
from tests.sandbox.providers.harness import Connection, ports_of, start_providers

SECRET, VERSION = "gcp:secretmanager/secret:Secret", "gcp:secretmanager/secretVersion:SecretVersion"
PATIENCE_SECONDS = 1.5
"""Google's library looks for allowed locations from a thread of its own, at the first request."""


@pytest.fixture
def cloud() -> Iterator[Gcp]:
    """Google Cloud on this machine."""
    with run_gcp() as running:
        yield running


@pytest.fixture
def proxy() -> Iterator[socket.socket]:
    """Where everything goes that is not for this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_SECONDS)
        yield listener


def environment(cloud: Gcp, proxy: socket.socket) -> dict[str, str]:
    url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
    names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    local = dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1")
    return cloud.environment | dict.fromkeys(names, url) | local


@pytest.mark.parametrize("target", [None, SYNC_EMAIL], ids=["by the key", "by impersonation"])
def test_nothing_is_sent_to_another_machine(
    cloud: Gcp, proxy: socket.socket, tmp_path: Path, target: str | None
) -> None:
    settings = {"project": PROJECT, "credentials": json.dumps(key_file())}
    ports = tmp_path / "ports.json"
    with start_providers(ports, environment(cloud, proxy)) as process:
        connection = Connection(ports_of(process, ports)["gcp"])
        connection.configure(settings | ({"impersonateServiceAccount": target} if target else {}))
        secret = connection.create(SECRET, {"secretId": "database", "replication": {"auto": {}}})
        connection.create(VERSION, {"secret": secret.id, "secretData": "x"})
        connection.invoke("gcp:secretmanager/getSecrets:getSecrets")
        with pytest.raises(TimeoutError):
            proxy.accept()
        connection.channel.close()


def test_the_vendors_own_credentials_would_be_noticed(
    cloud: Gcp, proxy: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(cloud, proxy).items():
        monkeypatch.setenv(name, value)
    credentials = cloud.credentials(key_file())
    with Session() as session:
        credentials.before_request(Request(session), "GET", cloud.server.url, {})
        connection, _ = proxy.accept()
        with connection:
            assert connection.recv(4096).startswith(b"CONNECT iamcredentials.googleapis.com:443")
