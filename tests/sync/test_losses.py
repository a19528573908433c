"""What many readers would lose stops the run before a call is made, whatever takes it from them."""

from __future__ import annotations

import pytest

from tests.sync.clouds import CLOUDS, CloudUnderTest
from tests.sync.harness import Project, Sandbox, login, pam_record, password, uid, vault
from tests.sync.test_approvals import approval

RECORDS = [login(uid(number), f"R-{number}", "p") for number in range(11)]
NAMES = {f"R-{number}" for number in range(11)}


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_another_prefix_or_many_new_titles_stop_until_they_are_approved(
    project: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    project.prefix = "tlosses-"
    project.configure(cloud.configuration() | {"namePrefix": "tlosses-a-"})
    sandbox.write_vault(cloud.vault(*RECORDS))
    project.up_well()
    before = cloud.values(project)
    assert before == {f"a-{name}": password("p") for name in NAMES}

    sandbox.write_vault(cloud.vault(*({**entry, "title": entry["title"] + "-new"} for entry in RECORDS)))
    sandbox.control.reset_calls()
    retitled = project.up()
    assert retitled.code != 0
    assert len(retitled.errors) == 1, retitled.output
    assert (
        "take 11 of 11 secrets from where their readers find them (11 renamed, because their records were" in retitled
    )
    assert cloud.calls(sandbox) == set()

    sandbox.write_vault(cloud.vault(*RECORDS))
    project.configure(cloud.configuration() | {"namePrefix": "tlosses-b-"})
    sandbox.control.reset_calls()
    prefixed = project.up()
    assert prefixed.code != 0
    assert '(11 renamed, because `namePrefix` is now "tlosses-b-")' in prefixed.errors[0]
    assert "limits.maxDeletes is 10" in prefixed.errors[0]
    assert cloud.calls(sandbox) == set()
    assert cloud.values(project) == before
    assert approval(prefixed) != approval(retitled)

    project.up_well(USS_APPROVE=approval(prefixed))
    assert cloud.values(project) == {f"b-{name}": password("p") for name in NAMES}


@pytest.mark.parametrize("mode", ["replicate", "independent"])
@pytest.mark.parametrize("place", ["stack file", "PAM Configuration"])
def test_a_region_less_stops_until_it_is_approved(project: Project, sandbox: Sandbox, mode: str, place: str) -> None:
    project.configure({"regionMode": mode})
    sandbox.write_vault(vault(*RECORDS))
    project.up_well()
    assert project.secrets("eu-west-1").keys() == NAMES
    if place == "stack file":
        project.configure({"regionMode": mode, "regions": ["us-east-1"]})
    else:
        sandbox.write_vault(vault(*RECORDS, pam=pam_record(**{"Region Names": "us-east-1"})))
    sandbox.control.reset_calls()
    stopped = project.up()
    assert stopped.code != 0
    assert "11 taken out of eu-west-1, because the configuration no longer has that region" in stopped.errors[0]
    assert sandbox.calls() == {}
    assert project.secrets("eu-west-1").keys() == NAMES
    project.up_well(USS_APPROVE=approval(stopped))
    assert project.secrets("eu-west-1") == {}
    assert project.secrets().keys() == NAMES
