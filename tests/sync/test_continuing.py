"""`pulumi up --continue-on-error`: what one secret's failure holds up, and what it does not."""

from __future__ import annotations

import pytest

from tests.sync.clouds import CLOUDS, CloudUnderTest
from tests.sync.harness import Project, Sandbox, login, password, uid
from uss.sandbox.faults import Fault, FaultKind

pytestmark = pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)

COUNT = 4


def write(sandbox: Sandbox, cloud: CloudUnderTest, value: str, titles: dict[int, str]) -> dict[str, str]:
    """Put records of these numbers and titles into the vault, and return what the cloud shall hold of them."""
    sandbox.write_vault(cloud.vault(*(login(uid(n), title, f"{value}{n}") for n, title in titles.items())))
    return {title: password(f"{value}{n}") for n, title in titles.items()}


def titled(word: str) -> dict[int, str]:
    """A title for each of so many records."""
    return {number: f"{word}-{number}" for number in range(COUNT)}


def fail_one(sandbox: Sandbox, cloud: CloudUnderTest, operation: str) -> None:
    """The next call of the operation is refused."""
    sandbox.control.add_fault(Fault(cloud.name, operation, FaultKind.DENIED, times=1))


def continued(ready: Project) -> None:
    """The run failed, said what it left undone in one line, and has no more to say of it."""
    run = ready.up("--continue-on-error")
    assert run.code == 1
    assert "not all of it could be written" in run
    assert "Missing required" not in run
    assert "Traceback" not in run


def mended(ready: Project, cloud: CloudUnderTest, expected: dict[str, str]) -> None:
    """The next run does what was left undone."""
    ready.up_well()
    assert cloud.values(ready) == expected
    assert ready.preview("--expect-no-changes").code == 0


def test_a_secret_that_cannot_be_made_holds_up_deletions_alone(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    leavers = write(sandbox, cloud, "p", {90: "Leaver"})
    ready.up_well()
    expected = write(sandbox, cloud, "p", titled("Record"))
    fail_one(sandbox, cloud, cloud.create)
    continued(ready)
    held = cloud.values(ready)
    assert leavers.items() <= held.items()
    assert sum(name in held for name in expected) == COUNT - 1
    assert held.items() <= (expected | leavers).items()
    mended(ready, cloud, expected)


def test_a_value_that_cannot_be_written_holds_up_no_other_and_stays_as_it_was(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    before = write(sandbox, cloud, "p", titled("Record"))
    ready.up_well()
    expected = write(sandbox, cloud, "q", titled("Record"))
    fail_one(sandbox, cloud, cloud.put_value)
    continued(ready)
    held = cloud.values(ready)
    assert held.keys() == before.keys()
    assert sum(held[name] == expected[name] for name in held) == COUNT - 1
    assert sum(held[name] == before[name] for name in held) == 1
    mended(ready, cloud, expected)


def test_a_new_title_that_cannot_be_made_leaves_the_old_one_readable(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    before = write(sandbox, cloud, "p", titled("Old"))
    ready.up_well()
    expected = write(sandbox, cloud, "p", titled("New"))
    fail_one(sandbox, cloud, cloud.create)
    continued(ready)
    held = cloud.values(ready)
    assert before.items() <= held.items()
    assert sum(name in held for name in expected) == COUNT - 1
    mended(ready, cloud, expected)


def test_another_configuration_goes_on(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    expected = write(sandbox, cloud, "p", titled("Record"))
    first = cloud.configuration() | {"name": "first", "namePrefix": ready.prefix + "first-"}
    ready.configure(first, first | {"name": "second", "namePrefix": ready.prefix + "second-"})
    fail_one(sandbox, cloud, cloud.create)
    continued(ready)
    held = cloud.values(ready)
    assert sum(name.startswith("first-") for name in held) == COUNT - 1
    assert {f"second-{name}" for name in expected} <= held.keys()
    mended(ready, cloud, {f"{part}-{name}": value for part in ("first", "second") for name, value in expected.items()})
