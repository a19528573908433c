"""A local AWS that can refuse calls, and an engine's view of a provider over gRPC."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import boto3
import grpc
from google.protobuf.struct_pb2 import Struct

# Not the one of pulumi.runtime.proto: the two cannot be in one process, and Google's client brings this one.
from google.rpc import status_pb2
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from uss.sandbox.providers.values import Decoded, Properties, decode, encode

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
ACCOUNT = "123456789012"


@dataclass
class Refusal:
    """An error that AWS answers an operation with, `times` times."""

    code: str
    message: str
    times: int = 1_000
    status: int = 400


@dataclass
class Cloud:
    """moto behind a gate that counts calls by operation and refuses those that a test names."""

    url: str = ""
    calls: Counter[str] = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)
    """The operations in the order of their calls."""
    refusals: dict[str, Refusal] = field(default_factory=dict)
    _app: Any = field(default_factory=lambda: DomainDispatcherApplication(create_backend_app))
    _open: ExitStack = field(default_factory=ExitStack)

    def client(self, region: str = "us-east-1", account: str = ACCOUNT) -> SecretsManagerClient:
        """Return a client of Secrets Manager in an account; it is closed with the cloud."""
        keys: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        if account != ACCOUNT:
            with closing(boto3.client("sts", region_name=region, endpoint_url=self.url, **keys)) as sts:
                role = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/reader", RoleSessionName="reader")
            given = role["Credentials"]
            keys = {
                "aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"],
            }
        client = boto3.client("secretsmanager", region_name=region, endpoint_url=self.url, **keys)
        self._open.callback(client.close)
        return client

    def close(self) -> None:
        """Close all clients."""
        self._open.close()

    def serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a call (WSGI)."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        operation = _operation(environ.get("HTTP_X_AMZ_TARGET", ""), body)
        self.calls[operation] += 1
        self.order.append(operation)
        refusal = self.refusals.get(operation)
        if refusal is None or refusal.times == 0:
            answer: Iterable[bytes] = self._app(environ, start_response)
            return answer
        refusal.times -= 1
        content = (
            f"<ErrorResponse><Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error></ErrorResponse>"
            if operation in ("AssumeRole", "GetCallerIdentity")
            else json.dumps({"__type": refusal.code, "message": refusal.message})
        )
        start_response(f"{refusal.status} Refused", [("Content-Type", "text/plain")])
        return [content.encode()]


def _operation(target: str, body: bytes) -> str:
    if target:
        return target.rpartition(".")[2]
    return parse_qs(body.decode(errors="replace")).get("Action", ["other"])[0]


@dataclass(frozen=True)
class Resource:
    """A resource as the engine keeps it in the state."""

    id: str
    inputs: Properties
    outputs: Properties
    secrets: frozenset[str]


class Connection:
    """One connection of an engine to a provider: what it sends and reads, as plain values."""

    def __init__(self, port: int) -> None:
        # Channels to one address share a connection otherwise.
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)

    def configure(self, config: Properties) -> None:
        """Send the configuration, nested values as JSON in strings."""
        flat = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
        self.stub.Configure(provider_pb2.ConfigureRequest(args=struct(flat)))

    def check(
        self, kind: str, news: Properties, olds: Properties | None = None, **more: Any
    ) -> provider_pb2.CheckResponse:
        """Check inputs."""
        request = provider_pb2.CheckRequest(type=kind, name="logical", randomSeed=b"seed", **more)
        request.news.CopyFrom(struct(news))
        request.olds.CopyFrom(struct(olds or {}))
        answer: provider_pb2.CheckResponse = self.stub.Check(request)
        return answer

    def create(self, kind: str, news: Properties, secrets: Collection[str] = (), preview: bool = False) -> Resource:
        """Check inputs that are sound, then create."""
        checked = self.check(kind, news)
        assert not checked.failures
        inputs = decode(checked.inputs).properties
        answer = self.stub.Create(
            provider_pb2.CreateRequest(type=kind, properties=struct(inputs, secrets), preview=preview)
        )
        outputs = decode(answer.properties)
        return Resource(answer.id, inputs, outputs.properties, outputs.secrets)

    def diff(
        self, kind: str, old: Resource, news: Properties, ignore: Collection[str] = ()
    ) -> provider_pb2.DiffResponse:
        """Check inputs and compare them with a resource."""
        checked = self.check(kind, news, old.inputs)
        assert not checked.failures
        request = provider_pb2.DiffRequest(type=kind, id=old.id, news=checked.inputs, ignoreChanges=ignore)
        request.olds.CopyFrom(struct(old.outputs))
        answer: provider_pb2.DiffResponse = self.stub.Diff(request)
        return answer

    def update(self, kind: str, old: Resource, news: Properties, preview: bool = False) -> Resource:
        """Check inputs and update a resource."""
        inputs = self.check(kind, news, old.inputs).inputs
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(type=kind, id=old.id, olds=struct(old.outputs), news=inputs, preview=preview)
        )
        outputs = decode(answer.properties)
        return Resource(old.id, decode(inputs).properties, outputs.properties, outputs.secrets)

    def read(self, kind: str, resource_id: str, old: Resource | None = None) -> Resource | None:
        """Refresh a resource, or import one; None if it is gone."""
        request = provider_pb2.ReadRequest(type=kind, id=resource_id)
        if old:
            request.inputs.CopyFrom(struct(old.inputs))
            request.properties.CopyFrom(struct(old.outputs))
        answer = self.stub.Read(request)
        if not answer.id:
            return None
        outputs = decode(answer.properties)
        return Resource(answer.id, decode(answer.inputs).properties, outputs.properties, outputs.secrets)

    def delete(self, kind: str, old: Resource) -> None:
        """Delete a resource."""
        self.stub.Delete(provider_pb2.DeleteRequest(type=kind, id=old.id, properties=struct(old.outputs)))

    def invoke(self, token: str, **arguments: Any) -> Decoded:
        """Call a function."""
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=struct(arguments)))
        return decode(getattr(answer, "return"))


def struct(properties: Properties, secrets: Collection[str] = ()) -> Struct:
    """Write properties as a message."""
    message = Struct()
    encode(properties, secrets, message)
    return message


def half_made(error: grpc.RpcError) -> provider_pb2.ErrorResourceInitFailed:
    """Return what an error tells the engine to keep in the state."""
    assert isinstance(error, grpc.Call)
    detail = provider_pb2.ErrorResourceInitFailed()
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            status_pb2.Status.FromString(value if isinstance(value, bytes) else value.encode()).details[0].Unpack(
                detail
            )
    return detail


def settings(cloud: Cloud, **more: Any) -> Properties:
    """Return a provider configuration for the local cloud."""
    return {
        "region": "us-east-1",
        "accessKey": "test",
        "secretKey": "test",
        "endpoints": [{"secretsmanager": cloud.url, "sts": cloud.url}],
    } | more


Connect = Callable[..., Connection]
"""Opens a connection configured for the local cloud, with more settings."""


@contextmanager
def start_providers(ports_file: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the providers' process; it is ended with its input."""
    command = [sys.executable, "-m", "uss.sandbox.providers", "--ports-file", str(ports_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | environment) as process:
        try:
            yield process
        finally:
            if process.stdin and not process.stdin.closed:
                process.stdin.close()
            process.wait(10)


def ports_of(process: subprocess.Popen[bytes], ports_file: Path) -> dict[str, int]:
    """Return the ports that a process of providers serves, as soon as it says so."""
    limit = time.monotonic() + 30
    while not ports_file.exists():
        assert process.poll() is None, "the providers' process has ended"
        assert time.monotonic() < limit, "the providers' process writes no ports"
        time.sleep(0.02)
    ports: dict[str, int] = json.loads(ports_file.read_text())
    return ports


@dataclass(frozen=True)
class Project:
    """A Pulumi project with one stack, run by the real engine."""

    folder: Path
    environment: Mapping[str, str] = field(repr=False)

    def write(self, program: str) -> None:
        """Write the program, in the place of an earlier one."""
        (self.folder / "__main__.py").write_text(program)

    def run(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        """Run a command of the engine; return what it printed."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=dict(self.environment) | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def up(self, fails: bool = False, **environment: str) -> str:
        """Update the stack without a preview."""
        return self.run("up", "--yes", "--skip-preview", fails=fails, **environment)

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the resources in the state by logical name."""
        exported = json.loads(self.run("stack", "export"))
        return {resource["urn"].rpartition("::")[2]: resource for resource in exported["deployment"]["resources"]}
