"""The control's door and its refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from uss.sandbox.control import ControlServer, SandboxClient, fault_from
from uss.sandbox.layout import Layout, SandboxError


def _refuse(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise ValueError("no such thing")


@pytest.fixture
def server() -> Iterator[ControlServer]:
    server = ControlServer({"GET /calls": lambda _: {"aws": {"a": 1}}, "POST /faults": _refuse})
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def layout(server: ControlServer, tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.write_private(layout.state, json.dumps({"pid": 1, "controlUrl": server.url, "token": server.token}))
    return layout


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_who_does_not_know_the_token_gets_nothing(server: ControlServer, headers: dict[str, str]) -> None:
    answer = requests.get(f"{server.url}/calls", headers=headers, timeout=10)
    assert (answer.status_code, list(answer.json())) == (401, ["error"])


def test_a_client_of_the_folder_is_answered(layout: Layout) -> None:
    assert SandboxClient(layout).calls() == {"aws": {"a": 1}}


def test_a_refusal_reaches_the_client_in_words(layout: Layout) -> None:
    with pytest.raises(SandboxError, match="refuses GET /dump: there is no GET /dump"):
        SandboxClient(layout).dump()
    with pytest.raises(SandboxError, match="refuses POST /faults: no such thing"):
        SandboxClient(layout).add_fault(fault_from({"service": "aws", "operation": "*", "kind": "slow"}))


def test_a_fault_of_an_unknown_kind_or_key_is_no_fault() -> None:
    with pytest.raises(ValueError, match="'broken' is not a valid FaultKind"):
        fault_from({"service": "aws", "operation": "*", "kind": "broken"})
    with pytest.raises(TypeError, match="colour"):
        fault_from({"service": "aws", "operation": "*", "kind": "slow", "colour": "red"})


def test_a_server_that_never_started_can_be_stopped() -> None:
    ControlServer({}).stop()
