"""A running AzureServer, and the vendor's own clients for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.azure.kit import Azure, Clients, VaultHolder, run_azure
from uss.sandbox.azure import AzureServer
from uss.sandbox.faults import FaultBoard


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    with run_azure(tmp_path / "tls") as azure:
        for name, value in azure.environment.items():
            monkeypatch.setenv(name, value)
        yield azure


@pytest.fixture
def azure(running: Azure) -> AzureServer:
    return running.server


@pytest.fixture
def vault(running: Azure) -> VaultHolder:
    return running.vault


@pytest.fixture
def faults(running: Azure) -> FaultBoard:
    return running.faults


@pytest.fixture
def clients(running: Azure) -> Clients:
    return running.clients
