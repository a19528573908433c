"""The page about operations names the metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path

from uss.watch.telemetry import Telemetry

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_every_metric_is_explained_and_none_else() -> None:
    suffixes = {"counter": "_total", "info": "_info"}
    exported = {metric.name + suffixes.get(metric.type, "") for metric in Telemetry("test", 60).registry.collect()}
    text = PAGE.read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `(uss_watch_\w+)` \|", text, re.MULTILINE))
    assert explained == {name for name in exported if name.startswith("uss_")}
    assert set(re.findall(r"uss_watch_\w+", text)) == explained
