"""Every record type, in both regions, to the byte."""

from __future__ import annotations

from tests.sync.every_type import CASES, expected, records
from tests.sync.harness import Project, Sandbox, vault


def test_sixty_records_of_every_type_land_in_both_regions_as_the_rules_say(project: Project, sandbox: Sandbox) -> None:
    assert len(CASES) == 60
    sandbox.write_vault(vault(*records()))
    project.up_well()
    for region in ("us-east-1", "eu-west-1"):
        assert project.secrets(region) == expected()
    sandbox.control.reset_calls()
    preview = project.preview("--expect-no-changes")
    assert preview.code == 0, preview.output
    assert sandbox.calls() == {}
