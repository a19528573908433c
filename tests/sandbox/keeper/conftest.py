"""A running Keeper vault for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.keeper.kit import VAULT, write_vault
from uss.sandbox.faults import FaultBoard
from uss.sandbox.keeper import KeeperServer

_OTHER_CONFIGURATION = (
    "KSM_CONFIG",
    "KSM_CONFIG_FILE",
    "KSM_HOSTNAME",
    "KSM_TOKEN",
    "KSM_SKIP_VERIFY",
    "KSM_CACHE_DIR",
)


@pytest.fixture
def vault_path(tmp_path: Path) -> Path:
    """The vault file, with the vault of `kit.VAULT`."""
    path = tmp_path / "vault.yaml"
    write_vault(path, VAULT)
    return path


@pytest.fixture
def faults() -> FaultBoard:
    """The faults that the server is asked for."""
    return FaultBoard()


@pytest.fixture
def server(
    vault_path: Path, tmp_path: Path, faults: FaultBoard, monkeypatch: pytest.MonkeyPatch
) -> Iterator[KeeperServer]:
    """A vault that Keeper's client in this process trusts."""
    started = KeeperServer(vault_path, tmp_path / "keeper", faults)
    started.start()
    for name in _OTHER_CONFIGURATION:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(started.ca_file))
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    yield started
    started.stop()
