"""What the stand-ins tell the engine while they work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2

from tests.leaks import Form, leaks
from tests.sandbox.gcp.kit import PROJECT, key_file
from tests.sandbox.providers.harness import Connect

CANARY = "canary-of-the-provider's-log"
SECRET, VERSION = "gcp:secretmanager/secret:Secret", "gcp:secretmanager/secretVersion:SecretVersion"


class Engine(engine_pb2_grpc.EngineServicer):
    """The engine's side of the log."""

    def __init__(self) -> None:
        self.told: list[engine_pb2.LogRequest] = []

    def Log(self, request: engine_pb2.LogRequest, context: object) -> Empty:  # noqa: N802 - the protocol names it
        """Keep a message."""
        self.told.append(request)
        return Empty()


@pytest.fixture
def engine() -> Iterator[tuple[Engine, str]]:
    """An engine, and its address."""
    servicer, server = Engine(), grpc.server(ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, f"127.0.0.1:{port}"
    server.stop(None).wait()


def make_version(connect_gcp: Connect, address: str) -> None:
    """Create a secret and its version over a connection of the engine at the address."""
    provider = connect_gcp()
    provider.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address=address))
    provider.configure({"project": PROJECT, "credentials": json.dumps(key_file())})
    secret = provider.create(SECRET, {"secretId": "one", "replication": {"auto": {}}})
    made = provider.create(VERSION, {"secret": secret.id, "secretData": CANARY}, preview=True)
    assert made.id == ""
    assert provider.create(VERSION, {"secret": secret.id, "secretData": CANARY}).id


def test_gcp_tells_a_new_value_in_base64_and_in_no_preview(connect_gcp: Connect, engine: tuple[Engine, str]) -> None:
    servicer, address = engine
    make_version(connect_gcp, address)
    (message,) = servicer.told
    assert message.severity == engine_pb2.DEBUG
    assert message.message.startswith("[DEBUG] Creating new SecretVersion: map[string]interface {}{")
    assert leaks(message.message, CANARY) == {CANARY: {Form.BASE64}}


def test_an_engine_that_does_not_listen_is_no_hindrance(connect_gcp: Connect) -> None:
    make_version(connect_gcp, "127.0.0.1:1")
