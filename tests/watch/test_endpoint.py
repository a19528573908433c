"""The HTTP endpoint, and when the loop counts as stuck."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from uss.errors import ConfigurationError
from uss.watch.endpoint import serving
from uss.watch.telemetry import Telemetry


def get(port: int, path: str) -> tuple[int, str]:
    """What is answered."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_metrics_health_and_nothing_else_are_served() -> None:
    telemetry = Telemetry("org/uss/test", 60)
    telemetry.looked("unchanged", 0.2)
    with serving(telemetry, "127.0.0.1", 0) as port:
        status, text = get(port, "/metrics")
        assert status == 200
        assert 'uss_watch_info{stack="org/uss/test"' in text
        assert 'uss_watch_looks_total{result="unchanged"} 1.0' in text
        assert "process_resident_memory_bytes" in text
        assert get(port, "/healthz") == (200, "ok\n")
        assert get(port, "/") == (404, "There is /metrics and /healthz.\n")


def test_a_loop_that_goes_round_no_more_is_told() -> None:
    telemetry = Telemetry("test", -1000)  # its next beat is overdue at once
    with serving(telemetry, "127.0.0.1", 0) as port:
        assert get(port, "/healthz") == (503, "stuck\n")
        telemetry.working()  # an update may take as long as it takes
        assert get(port, "/healthz") == (200, "ok\n")


def test_an_address_that_is_taken_is_told() -> None:
    with (
        serving(Telemetry("test", 60), "127.0.0.1", 0) as port,
        pytest.raises(ConfigurationError, match=f"--listen: 127.0.0.1:{port} cannot be listened on"),
        serving(Telemetry("test", 60), "127.0.0.1", port),
    ):
        pass
