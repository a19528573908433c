"""A local AWS, a provider served in this process, and connections to it."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from tests.sandbox.azure.kit import PAM_CLIENT, PAM_SECRET, SUBSCRIPTION, TENANT, Azure, run_azure
from tests.sandbox.gcp.kit import PROJECT, Gcp, key_file, run_gcp
from tests.sandbox.providers.harness import Cloud, Connect, Connection, Project, ports_of, settings, start_providers
from uss.sandbox.engine import find_engine
from uss.sandbox.providers.aws import AwsPackage
from uss.sandbox.providers.azure import AzurePackage
from uss.sandbox.providers.gcp import GcpPackage
from uss.sandbox.providers.server import serve


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """An empty AWS on this machine."""
    gate = Cloud()
    server = make_server("127.0.0.1", 0, gate.serve, threaded=True)
    gate.url = f"http://127.0.0.1:{server.port}"
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield gate
    finally:
        gate.close()
        with urllib.request.urlopen(urllib.request.Request(f"{gate.url}/moto-api/reset", method="POST")):  # noqa: S310 - loopback
            pass
        server.shutdown()
        thread.join()


@pytest.fixture
def provider_port() -> Iterator[int]:
    """A port where the package `aws` is served."""
    running = serve(AwsPackage())
    yield running.port
    running.stop()


@pytest.fixture
def connect(cloud: Cloud, provider_port: int) -> Iterator[Connect]:
    """Open connections, each configured for the local cloud and with what the caller adds."""
    with ExitStack() as opened:

        def open_connection(**more: Any) -> Connection:
            connection = Connection(provider_port)
            opened.callback(connection.channel.close)
            connection.configure(settings(cloud, **more))
            return connection

        yield open_connection


@pytest.fixture
def provider(connect: Connect) -> Connection:
    """A connection with no settings but those of the local cloud."""
    return connect()


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """Azure on this machine, and the environment of a process that finds it."""
    with run_azure(tmp_path / "tls") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def connect_azure(azure: Azure) -> Iterator[Connect]:
    """Open connections to the package `azure-native`, each configured with the PAM Configuration's identity."""
    running = serve(AzurePackage())
    pam = {"subscriptionId": SUBSCRIPTION, "tenantId": TENANT, "clientId": PAM_CLIENT, "clientSecret": PAM_SECRET}
    with ExitStack() as opened:
        opened.callback(running.stop)

        def open_connection(**more: Any) -> Connection:
            connection = Connection(running.port)
            opened.callback(connection.channel.close)
            connection.configure(pam | more)
            return connection

        yield open_connection


@pytest.fixture
def gcp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gcp]:
    """Google Cloud on this machine, and the environment of a process that finds it and nothing else."""
    with run_gcp() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "localhost,127.0.0.1")
        yield running


@pytest.fixture
def connect_gcp(gcp: Gcp) -> Iterator[Connect]:
    """Open connections to the package `gcp`, each configured with the PAM Configuration's key."""
    running = serve(GcpPackage())
    pam = {"project": PROJECT, "credentials": json.dumps(key_file()), "addPulumiAttributionLabel": False}
    with ExitStack() as opened:
        opened.callback(running.stop)

        def open_connection(**more: Any) -> Connection:
            connection = Connection(running.port)
            opened.callback(connection.channel.close)
            connection.configure({key: value for key, value in (pam | more).items() if value is not None})
            return connection

        yield open_connection


@pytest.fixture
def project(cloud: Cloud, tmp_path: Path) -> Iterator[Project]:
    """A Pulumi project with an empty stack, whose engine finds the providers' process and the local cloud."""
    engine = find_engine()
    if engine is None:
        pytest.skip("there is no Pulumi engine on this machine")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: standin\nruntime: python\n")
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(engine), os.environ["PATH"]]),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE": "passphrase",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        # The engine would look for the real plugin on the network, though it is attached to a provider.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    ports_file = tmp_path / "ports.json"
    with start_providers(ports_file, environment) as process:
        environment["PULUMI_DEBUG_PROVIDERS"] = f"aws:{ports_of(process, ports_file)['aws']}"
        made = Project(folder, environment)
        made.run("stack", "init", "dev")
        yield made
