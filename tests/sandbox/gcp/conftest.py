"""A running GcpServer; the vendor's clients reach nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.gcp.kit import Gcp, run_gcp


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calls to other machines fail at once: google-auth asks for an account's allowed locations on its own."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "localhost,127.0.0.1")


@pytest.fixture
def gcp() -> Iterator[Gcp]:
    """A Google Cloud that holds nothing yet."""
    with run_gcp() as running:
        yield running


@pytest.fixture
def client(gcp: Gcp) -> Any:
    """The administrator's client of Secret Manager."""
    return gcp.client()
