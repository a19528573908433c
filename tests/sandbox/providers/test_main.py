"""The providers' process."""

from __future__ import annotations

import signal
from pathlib import Path

from google.protobuf.empty_pb2 import Empty

from tests.sandbox.providers.harness import Connection, ports_of, start_providers


def test_the_ports_are_written_once_the_servers_answer_and_closing_the_input_ends_them(tmp_path: Path) -> None:
    with start_providers(tmp_path / "ports.json", {}) as process:
        connection = Connection(ports_of(process, tmp_path / "ports.json")["aws"])
        assert connection.stub.GetPluginInfo(Empty()).version
        connection.channel.close()
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["ports.json"]


def test_a_termination_signal_ends_them(tmp_path: Path) -> None:
    with start_providers(tmp_path / "ports.json", {}) as process:
        ports_of(process, tmp_path / "ports.json")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
