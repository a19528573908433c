"""Figures: what was measured, against what, and what it should reach; as JSON, as a table, as one line."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_MARKS = ("<!-- the table of `make bench` -->", "<!-- the table's end -->")
_PACKAGES = ("pulumi", "pulumi-aws", "keeper-secrets-manager-core", "keeper-secrets-manager-cli")


@dataclass(frozen=True)
class Figure:
    """One comparison of medians."""

    name: str
    what: str
    """In words, for the table."""
    measured: float
    unit: str
    against: str
    """What it is compared with, in words."""
    other: float
    ratio: float
    reach: float | None
    """The most that the ratio may be, or None where nothing was set."""
    runs: int


def figure(
    name: str,
    what: str,
    measured: float,
    against: str,
    other: float,
    *,
    reach: float | None,
    runs: int,
    unit: str = "s",
) -> Figure:
    """Compare two measured values of the same unit."""
    return Figure(
        name, what, round(measured, 3), unit, against, round(other, 3), round(measured / other, 3), reach, runs
    )


def save(scene: str, figures: Sequence[Figure]) -> dict[str, Any]:
    """Put a scene's figures into the results beside those of the others, and return all."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results[scene] = {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": _machine(),
        "versions": {name: version(name) for name in _PACKAGES},
        "figures": [asdict(entry) for entry in figures],
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return results


def write_table(results: dict[str, Any]) -> None:
    """Write the table into the documentation's page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_MARKS[0])
    after = rest.partition(_MARKS[1])[2]
    PAGE.write_text("\n".join([before + _MARKS[0], "", *_table(results), "", _MARKS[1] + after]), encoding="utf-8")


def line(results: dict[str, Any]) -> str:
    """All ratios as `name=value`, in one line."""
    return " ".join(f"{entry['name']}={entry['ratio']}" for entry in _figures(results))


def _table(results: dict[str, Any]) -> Iterable[str]:
    yield "| what | measured | against | ratio | to reach | runs |"
    yield "|---|---:|---|---:|---:|---:|"
    for entry in _figures(results):
        reach = "" if entry["reach"] is None else f"{entry['reach']:g}"
        missed = entry["reach"] is not None and entry["ratio"] > entry["reach"]
        ratio = f"**{entry['ratio']:.2f}**" if missed else f"{entry['ratio']:.2f}"
        other = f"{entry['against']}: {_number(entry['other'])} {entry['unit']}"
        cells = (entry["what"], f"{_number(entry['measured'])} {entry['unit']}", other, ratio, reach, entry["runs"])
        yield "| " + " | ".join(map(str, cells)) + " |"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _figures(results: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return (entry for scene in results.values() for entry in scene["figures"])


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memory": f"{psutil.virtual_memory().total / 1024**3:.0f} GiB",
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    names = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return next((name.partition(":")[2].strip() for name in names if name.startswith("model name")), "unknown")
