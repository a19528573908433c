"""SIGKILL at points spread over a run: the program, the engine, the provider, or all of them at once.

`USS_FAULT_POINTS` says at how many points of each scenario on each cloud (2 by default; `make faults` takes 20).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.scenarios import SCENARIOS, assert_whole, prepare, reading
from tests.sandbox.providers.harness import ports_of, start_providers
from tests.sync.clouds import CLOUDS, CloudUnderTest
from tests.sync.harness import ONE_CHECKPOINT, Project, Sandbox, Victim, kill_all, kill_engine, kill_program
from uss.sandbox.faults import Fault, FaultKind

POINTS = int(os.environ.get("USS_FAULT_POINTS", "2"))
CALLS = {
    ("aws", "first sync"): 27,
    ("aws", "mixed change"): 19,
    ("azure", "first sync"): 14,
    ("azure", "mixed change"): 16,
    ("gcp", "first sync"): 26,
    ("gcp", "mixed change"): 20,
}
"""How many calls of the cloud a run of the scenario makes, the reader's aside: points lie between first and last."""
FIRST = SCENARIOS[0]
VICTIMS = ("all", "engine", "program", "provider")


def points() -> Iterator[object]:
    """Each cloud and scenario, with points spread over the run and the victims in turn."""
    for cloud in CLOUDS:
        for scenario in SCENARIOS:
            for number, call in enumerate(spread(cloud, scenario)):
                victim = VICTIMS[(number + len(scenario)) % len(VICTIMS)]
                name = f"{cloud.name}-{scenario}-{victim}-at-call-{call}".replace(" ", "-")
                yield pytest.param(cloud, scenario, victim, call, id=name)


def spread(cloud: CloudUnderTest, scenario: str) -> list[int]:
    """The calls at which a run of a scenario is cut off."""
    last = CALLS[cloud.name, scenario] - 1
    return [1 + round(number * last / max(POINTS - 1, 1)) for number in range(POINTS)]


def first_syncs() -> Iterator[object]:
    """Each cloud, with points spread over the first sync; the state is lost with the engine, whoever else dies."""
    for cloud in CLOUDS:
        for number, call in enumerate(spread(cloud, FIRST)):
            victim = ("engine", "all")[number % 2]
            yield pytest.param(cloud, victim, call, id=f"{cloud.name}-{victim}-at-call-{call}")


@contextmanager
def own_providers(project: Project, folder: Path) -> Iterator[Victim]:
    """Providers of the project's own, and what kills them; after that the sandbox's serve again."""
    shared = project.environment["PULUMI_DEBUG_PROVIDERS"]
    with start_providers(folder / "ports.json", project.environment) as process:
        ports = ports_of(process, folder / "ports.json")
        project.environment["PULUMI_DEBUG_PROVIDERS"] = ",".join(f"{name}:{port}" for name, port in ports.items())
        try:
            yield lambda _group: process.kill()
        finally:
            project.environment["PULUMI_DEBUG_PROVIDERS"] = shared


@pytest.mark.parametrize(("cloud", "scenario", "victim", "call"), list(points()))
def test_after_a_kill_the_next_run_makes_it_whole(
    own: Project, sandbox: Sandbox, tmp_path: Path, cloud: CloudUnderTest, scenario: str, victim: str, call: int
) -> None:
    own.configure(cloud.configuration() | {"namePrefix": own.prefix})
    prepare(scenario, own, sandbox, cloud)
    with reading(scenario, own, cloud) as reader:
        kill(own, sandbox, tmp_path, cloud, victim, call)
        own.up_well("--refresh")
    assert_whole(scenario, own, cloud, reader)


@pytest.mark.parametrize(("cloud", "victim", "call"), list(first_syncs()))
def test_after_a_kill_before_the_only_checkpoint_the_next_run_makes_it_whole(
    own: Project, sandbox: Sandbox, tmp_path: Path, cloud: CloudUnderTest, victim: str, call: int
) -> None:
    own.configure(cloud.configuration() | {"namePrefix": own.prefix})
    prepare(FIRST, own, sandbox, cloud)
    with reading(FIRST, own, cloud) as reader:
        own.environment |= ONE_CHECKPOINT
        kill(own, sandbox, tmp_path, cloud, victim, call)
        for name in ONE_CHECKPOINT:
            del own.environment[name]
        own.up_well()
    assert_whole(FIRST, own, cloud, reader)


def kill(project: Project, sandbox: Sandbox, folder: Path, cloud: CloudUnderTest, victim: str, call: int) -> None:
    """Kill the victim once the run has made so many calls; each takes a moment, so it dies in the middle of one."""
    sandbox.control.reset_calls()
    sandbox.control.add_fault(Fault(cloud.name, "*", FaultKind.SLOW, seconds=0.03))

    def reached() -> bool:
        counted = sandbox.control.calls().get(cloud.name, {})
        return sum(count for operation, count in counted.items() if operation not in cloud.reading) >= call

    try:
        if victim == "provider":
            with own_providers(project, folder) as kill_provider:
                project.killed_up(reached, kill_provider)
        else:
            victims = {"all": kill_all, "engine": kill_engine, "program": kill_program}
            project.killed_up(reached, victims[victim])
    finally:
        sandbox.control.clear_faults()
