"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel

from uss.config import Configuration, Limits

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_key_of_a_configuration_is_explained_in_the_models_own_words() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for model, prefix in ((Configuration, ""), (Limits, "limits.")):
        for name, field in model.model_fields.items():
            assert f"| `{prefix}{to_camel(name)}` | {field.description} |" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"
