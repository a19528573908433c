"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel

from tests.docs.pages import ROOT
from uss.cli.reference import reference
from uss.config import Configuration, Limits

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_reference_is_what_the_models_say() -> None:
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert page == reference(), "run `make reference`"
    for model, prefix in ((Configuration, ""), (Limits, "limits.")):
        for name, field in model.model_fields.items():
            assert f"| `{prefix}{to_camel(name)}` | " in page
            assert f" | {field.description} | " in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"
