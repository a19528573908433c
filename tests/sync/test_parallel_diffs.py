"""What the documentation says of diffs in parallel: the same is planned, and the same is done."""

from __future__ import annotations

import pytest

from tests.sync.clouds import CLOUDS, CloudUnderTest, configure
from tests.sync.harness import PARALLEL_DIFFS, Project, Sandbox, login, password, uid

COUNT = 12


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_a_run_with_changes_of_every_kind_is_the_same(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    configure(ready, cloud, limits={"maxDeletePercent": 50})  # two leave, and three get another name
    titles = {number: f"Record-{number}" for number in range(COUNT)}
    values = dict.fromkeys(titles, "p")
    sandbox.write_vault(cloud.vault(*(login(uid(n), title, values[n]) for n, title in titles.items())))
    ready.up_well(**PARALLEL_DIFFS)
    for number in (0, 1, 2):
        values[number] = "q"
    for number in (2, 3, 4):
        titles[number] = f"Moved-{number}"
    for gone, new in ((5, COUNT), (6, COUNT + 1)):
        del titles[gone]
        titles[new], values[new] = f"New-{new}", "p"
    titles[COUNT + 2], values[COUNT + 2] = titles.pop(7), "r"  # made anew
    sandbox.write_vault(cloud.vault(*(login(uid(n), title, values[n]) for n, title in titles.items())))
    # In whatever order.
    assert sorted(ready.preview("--diff", **PARALLEL_DIFFS).told) == sorted(ready.preview("--diff").told)
    ready.up_well(**PARALLEL_DIFFS)
    assert cloud.values(ready) == {title: password(values[n]) for n, title in titles.items()}
    assert ready.preview("--expect-no-changes").code == 0
