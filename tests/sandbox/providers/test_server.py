"""The provider protocol, apart from what a resource kind does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Never

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2

from tests.leaks import leaks
from tests.sandbox.providers.harness import SECRET, Connect, Connection, Resource, struct
from uss.sandbox.providers.interface import Package
from uss.sandbox.providers.server import serve
from uss.sandbox.providers.values import Properties

Diff = provider_pb2.DiffResponse
IDENTITY = "aws:index/getCallerIdentity:getCallerIdentity"
ROLES = {name: f"arn:aws:iam::{digit * 12}:role/{name}" for name, digit in (("one", "1"), ("two", "2"))}


def crash(config: str, arguments: Properties) -> Never:
    raise ValueError(arguments["value"])


class Crashing(Package[str]):
    """A package whose only function fails in a way that nobody foresaw."""

    name: ClassVar = "crashing"
    kinds: ClassVar = {}
    functions: ClassVar = {"crashing:index:crash": crash}

    def version(self) -> str:
        """Return any version."""
        return "1.0.0"

    def configure(self, inputs: Properties) -> str:
        """Accept any configuration."""
        return "configured"

    def close(self, config: str) -> None:
        """Hold nothing open."""


@pytest.fixture
def crashing() -> Iterator[Connection]:
    """A connection to the package that crashes."""
    running = serve(Crashing())
    connection = Connection(running.port)
    yield connection
    connection.channel.close()
    running.stop()


def test_connections_keep_their_identities_and_regions_apart_at_the_same_time(connect: Connect) -> None:
    one = connect(assumeRoles=[{"roleArn": ROLES["one"]}], region="us-east-1")
    two = connect(assumeRoles=[{"roleArn": ROLES["two"]}], region="eu-west-1")

    def create(number: int) -> tuple[str, str]:
        name, connection = ("one", one) if number % 2 else ("two", two)
        return name, connection.create(SECRET, {"name": f"same-{number // 2}"}).id

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create, range(24)))
    assert all(
        (":us-east-1:111111111111:" if name == "one" else ":eu-west-1:222222222222:") in arn for name, arn in made
    )


def test_a_connection_that_was_never_configured_is_refused(provider_port: int) -> None:
    connection = Connection(provider_port)
    with pytest.raises(grpc.RpcError, match="was not configured on this connection"):
        connection.invoke(IDENTITY)
    connection.channel.close()


def test_a_handshake_forgets_what_an_earlier_connection_left(provider: Connection) -> None:
    answer = provider.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    assert answer.accept_secrets and answer.accept_resources and answer.accept_outputs
    with pytest.raises(grpc.RpcError, match="was not configured on this connection"):
        provider.invoke(IDENTITY)


def test_any_change_of_a_provider_is_an_update(provider: Connection) -> None:
    def diff(news: Properties) -> provider_pb2.DiffResponse:
        request = provider_pb2.DiffRequest(old_inputs=struct({"region": "us-east-1"}), news=struct(news))
        answer: provider_pb2.DiffResponse = provider.stub.DiffConfig(request)
        return answer

    assert diff({"region": "us-east-1"}).changes == Diff.DIFF_NONE
    changed = diff({"region": "eu-west-1", "assumeRoles": "[]"})
    assert (changed.changes, list(changed.diffs), list(changed.replaces)) == (
        Diff.DIFF_SOME,
        ["assumeRoles", "region"],
        [],
    )


def test_the_plugins_version_is_that_of_the_sdk(provider: Connection) -> None:
    assert provider.stub.GetPluginInfo(Empty()).version == "7.51.1"


def test_resources_and_functions_that_are_not_there_are_named(provider: Connection) -> None:
    with pytest.raises(grpc.RpcError, match="no resource aws:s3/bucket:Bucket"):
        provider.delete("aws:s3/bucket:Bucket", Resource("x", {}, {}, frozenset()))
    with pytest.raises(grpc.RpcError, match="no function aws:s3/getBucket:getBucket"):
        provider.invoke("aws:s3/getBucket:getBucket")


def test_an_error_that_nobody_foresaw_shows_its_place_and_not_its_text(crashing: Connection) -> None:
    crashing.configure({})
    with pytest.raises(grpc.RpcError) as failed:
        crashing.invoke("crashing:index:crash", value="canary")
    assert leaks(str(failed.value), "canary") == {}
    assert "failed in Invoke: ValueError at " in str(failed.value)
