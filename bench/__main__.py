"""`python -m bench [SCENE ...]`: measure, save bench/results.json, write the table into docs/benchmarks.md."""

from __future__ import annotations

import os
import sys
import time

from bench import figures
from bench.scenes import SCENES


def main(names: list[str]) -> None:
    """Measure the scenes of these names, or all; print each figure, and last one line of all ratios."""
    if unknown := set(names) - SCENES.keys():
        raise SystemExit(f"There is no scene {', '.join(sorted(unknown))}. There are: {', '.join(SCENES)}.")
    # Else every measured program compiles its packages anew, which hides all differences.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    results = {}
    for name in names or SCENES:
        _say(f"{name} ...")
        started = time.monotonic()
        results = figures.save(name, found := SCENES[name]())
        for entry in found:
            reach = "" if entry.reach is None else f" (to reach: {entry.reach:g})"
            _say(f"  {entry.what}: {entry.measured} {entry.unit}; {entry.against}: {entry.other}; {entry.ratio}{reach}")
        _say(f"  took {time.monotonic() - started:.0f} s")
    figures.write_table(results)
    _say(figures.line(results))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
