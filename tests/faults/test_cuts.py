"""Connections that are cut, calls that fail, throttling, and a backend whose disk is full.

`USS_FAULT_POINTS` says how many of the combinations of call and fault are tried on each cloud (2 by default).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice, product

import pytest

from tests.faults.scenarios import SCENARIOS, assert_whole, prepare, reading
from tests.sync.clouds import CLOUDS, CloudUnderTest
from tests.sync.harness import Project, Sandbox, login, uid, vault
from uss.sandbox.faults import Fault, FaultKind

POINTS = int(os.environ.get("USS_FAULT_POINTS", "2"))
KINDS = (FaultKind.LOST, FaultKind.DROPPED, FaultKind.ERROR, FaultKind.THROTTLED, FaultKind.GARBLED, FaultKind.DENIED)

CALLED = {
    "aws": (
        "secretsmanager:CreateSecret",
        "secretsmanager:DescribeSecret",
        "secretsmanager:PutSecretValue",
        "secretsmanager:DeleteSecret",
        "secretsmanager:RemoveRegionsFromReplication",
    ),
    "azure": ("arm.secrets.createOrUpdate", "arm.secrets.get", "keyvault.deleteSecret", "imds.token"),
    "gcp": (
        "secretmanager.CreateSecret",
        "secretmanager.AddSecretVersion",
        "secretmanager.EnableSecretVersion",
        "secretmanager.DisableSecretVersion",
        "secretmanager.DeleteSecret",
        "iamcredentials.GenerateAccessToken",
    ),
}
"""What both or one of the scenarios call."""


def combinations() -> Iterator[object]:
    """Each cloud, with every kind of fault at the first, then the second, then the third call of what a run calls."""
    for cloud in CLOUDS:
        cases = product((0, 1, 2), CALLED[cloud.name], KINDS)
        spread = sorted(cases, key=lambda case: (case[0], KINDS.index(case[2]), case[1]))
        step = max(1, len(spread) // POINTS)
        for number, (after, operation, kind) in enumerate(islice(spread, 0, step * POINTS, step)):
            scenario = SCENARIOS[number % len(SCENARIOS)]
            name = f"{cloud.name}-{scenario}-{kind.value}-{operation}-after-{after}".replace(" ", "-")
            yield pytest.param(cloud, scenario, kind, operation, after, id=name)


@pytest.mark.parametrize(("cloud", "scenario", "kind", "operation", "after"), list(combinations()))
def test_after_a_call_that_went_wrong_the_next_run_makes_it_whole(
    own: Project,
    sandbox: Sandbox,
    cloud: CloudUnderTest,
    scenario: str,
    kind: FaultKind,
    operation: str,
    after: int,
) -> None:
    own.configure(cloud.configuration() | {"namePrefix": own.prefix})
    prepare(scenario, own, sandbox, cloud)
    with reading(scenario, own, cloud) as reader:
        # Long enough to outlast what the provider tries again by itself.
        sandbox.control.add_fault(Fault(cloud.name, operation, kind, after=after, times=6, seconds=0.2))
        own.up()
        sandbox.control.clear_faults()
        own.up_well("--refresh")
    assert_whole(scenario, own, cloud, reader)


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_after_a_disk_that_was_full_the_next_run_makes_it_whole(
    own: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    own.configure(cloud.configuration() | {"namePrefix": own.prefix})
    prepare("mixed change", own, sandbox, cloud)
    size = (own.state / ".pulumi" / "stacks" / "uss" / "test.json").stat().st_size
    with reading("mixed change", own, cloud) as reader:
        # No file can grow beyond the limit, as on a disk with so much room left.
        limit = f"ulimit -f {(size + 2_000) // 1024}"
        with suppress(subprocess.TimeoutExpired):  # the engine may wait for a disk that never gets room
            subprocess.run(
                ["bash", "-c", f"{limit}; exec pulumi up --yes --skip-preview --stack test --non-interactive"],
                cwd=own.folder,
                env=own.environment,
                capture_output=True,
                timeout=40,
                check=False,
            )
        own.mend()
        own.up_well("--refresh")
    assert_whole("mixed change", own, cloud, reader)


def test_a_second_run_of_a_stack_is_refused_while_the_first_is_under_way(project: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(vault(login(uid(1), "First", "p1")))
    sandbox.control.add_fault(Fault("aws", "secretsmanager:CreateSecret", FaultKind.SLOW, seconds=6))
    first = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--stack", project.stack, "--non-interactive"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not sandbox.calls().get("secretsmanager:CreateSecret"):
        assert first.poll() is None
    second = project.up()
    assert second.code != 0
    assert "the stack is currently locked" in second
    assert first.wait(60) == 0
    assert project.secrets().keys() == {"First"}
