"""The documentation builds strictly, and the strictness catches what it is for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT


def build(folder: Path) -> tuple[int, str]:
    """Build the documentation that is in the folder."""
    command = [sys.executable, "-m", "mkdocs", "build", "--config-file", str(folder / "mkdocs.yml")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the documentation."""
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    return tmp_path


def test_it_builds_clean_and_calls_no_other_site(copy: Path) -> None:
    code, output = build(copy)
    assert (code, "WARNING" in output) == (0, False), output
    pages = [page.read_text(encoding="utf-8") for page in (copy / "site").rglob("*.html")]
    assert len(pages) > 20
    for page in pages:
        assert "fonts.googleapis.com" not in page
        assert 'src="http' not in page


@pytest.mark.parametrize(
    ("page", "text", "told"),
    [
        ("stray.md", "# Stray", "exist in the docs directory, but are not included"),
        ("index.md", "[away](nowhere.md)", "'nowhere.md', but the target is not found"),
        ("index.md", "[away](aws.md#no-such-part)", "does not contain an anchor '#no-such-part'"),
    ],
)
def test_what_leads_nowhere_fails(copy: Path, page: str, text: str, told: str) -> None:
    with (copy / "docs" / page).open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")
    code, output = build(copy)
    assert code != 0
    assert told in output
