"""What is installed beside the sync does not see what the sync sees."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONFIGURATION = "from uss.config import parse_configurations as parse; parse([], 'x', secret=False)"
CONTROL = "from pydantic import BaseModel; type('Model', (BaseModel,), {})"

SPYING = """
class plugin:
    @staticmethod
    def new_schema_validator(*_, **__):
        print("loaded")
        return None, None, None
"""


def output(code: str, path: Path) -> str:
    """What the code prints where pydantic's plugin is installed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYDANTIC_DISABLE_PLUGINS"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_no_plugin_of_pydantic_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "spying.py").write_text(SPYING, encoding="utf-8")
    metadata = tmp_path / "spying-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: spying\nVersion: 1\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text("[pydantic]\nspying = spying:plugin\n", encoding="utf-8")
    assert "loaded" in output(CONTROL, tmp_path)
    assert output(CONFIGURATION, tmp_path) == ""
