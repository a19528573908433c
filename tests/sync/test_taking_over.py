"""Secrets that were there before, and configurations that had another name."""

from __future__ import annotations

import pytest

from tests.sync.clouds import CLOUDS, CloudUnderTest, configure
from tests.sync.harness import Project, Sandbox, login, password, uid

pytestmark = pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)


def test_adopted_secrets_become_the_stacks_and_equal_values_are_not_written(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "Same", "p1"), login(uid(2), "Other", "p2")))
    cloud.put_foreign(ready, "Same", password("p1"))
    cloud.put_foreign(ready, "Other", password("before"))
    configure(ready, cloud, adopt=[uid(1), "Other"])
    preview = ready.preview()
    assert "2 secrets: 2 to adopt" in preview
    if cloud.name == "azure":
        assert preview.output.count("cannot be told there: it is written once") >= 2
    else:
        assert f'adopt {ready.prefix}Same (record "Same"): it is there, and its value is the record\'s' in preview
        assert f'adopt {ready.prefix}Other (record "Other"): it is there, and its value differs' in preview
    assert "before" not in preview.output.replace("before it", "")
    before = cloud.versions(ready, "Same")
    ready.up_well()
    assert cloud.values(ready) == {"Same": password("p1"), "Other": password("p2")}
    assert cloud.versions(ready, "Same") == before + (1 if cloud.name == "azure" else 0)
    assert cloud.marks(ready, "Other")["keeper-record-uid"] == uid(2)
    assert ready.preview("--expect-no-changes").code == 0


def test_what_the_sync_says_nothing_of_stays(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    """Descriptions, expiry dates and aliases that somebody gave a secret before it was adopted."""
    sandbox.write_vault(cloud.vault(login(uid(1), "Same", "p1")))
    cloud.put_foreign(ready, "Same", password("p1"))
    before = cloud.describe(ready, "Same")
    assert before
    configure(ready, cloud, adopt=[uid(1)])
    for value in ("p1", "p2"):
        sandbox.edit(lambda found, value=value: found[uid(1)]["fields"][1].update(value=[value]))
        ready.up_well()
        assert cloud.values(ready) == {"Same": password(value)}
        assert cloud.describe(ready, "Same") == before
    if cloud.name == "aws":
        sandbox.edit(lambda found: found[uid(1)].update(title="Retitled"))
        ready.up_well()
        assert cloud.describe(ready, "Retitled") == before


def test_another_stacks_secret_is_never_adopted(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1")))
    ready.up_well()
    ready.stack = "another"
    ready.init()
    configure(ready, cloud, adopt=[uid(1)])
    sandbox.edit(lambda found: found[uid(1)]["fields"][1].update(value=["p2"]))
    run = ready.up_well()
    assert "is not synced: conflict: " in run
    assert 'which the stack "test" of project "uss" manages' in run
    assert cloud.values(ready) == {"First": password("p1")}


def test_a_renamed_configuration_moves_nothing(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    records = [login(uid(number), f"R {number}", "p1") for number in range(12)]
    sandbox.write_vault(cloud.vault(*records))
    ready.up_well()
    configure(ready, cloud, name="new-name")
    stopped = ready.up()
    assert stopped.code != 0
    assert "give the new one `formerly: cloud`" in stopped.errors[0] or "name in use" in stopped
    configure(ready, cloud, name="new-name", formerly="cloud", dryRun=True)
    sandbox.control.reset_calls()
    ready.up_well()
    configure(ready, cloud, name="new-name", formerly="cloud")
    assert "12 secrets: 12 unchanged" in ready.preview()
    ready.up_well()
    assert cloud.calls(sandbox) == set()
    configure(ready, cloud, name="new-name")
    ready.up_well("--expect-no-changes")
    sandbox.edit(lambda found: found[uid(1)]["fields"][1].update(value=["p2"]))
    ready.up_well()
    assert cloud.values(ready) == {f"R-{n}": password("p2" if n == 1 else "p1") for n in range(12)}


def test_a_disabled_configurations_secrets_are_not_recovered_into_another(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "First", "p1")))
    ready.up_well()
    keys = cloud.configuration() | {"namePrefix": ready.prefix}
    ready.configure(keys | {"enabled": False}, keys | {"name": "second"})
    run = ready.up_well()
    assert 'name in use: the configuration "cloud" of this stack has a secret of this name there' in run
    ready.configure(keys)
    ready.up_well()
    assert cloud.values(ready) == {"First": password("p1")}
