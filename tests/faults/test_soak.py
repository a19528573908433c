"""The automatic sync for a while: many changes in Keeper, with faults between them. Each arrives, and none twice.

`USS_SOAK_CHANGES` and `USS_SOAK_SECONDS` say how many changes in how long; `make soak` does 200 in ten minutes.
"""

from __future__ import annotations

import logging
import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sync.harness import Project, Sandbox, login, password, uid, vault
from tests.sync.watching import Watch, watching
from uss.sandbox.faults import Fault, FaultKind

CHANGES = int(os.environ.get("USS_SOAK_CHANGES", "8"))
SECONDS = float(os.environ.get("USS_SOAK_SECONDS", "40"))
KINDS = ("value", "create", "retitle", "delete")
_FAULT_EACH = 4
"""Changes between two faults."""
_GROWTH = 1.1
"""What the memory's last third may have over the first: the interpreter's own noise."""

FAULTS = (
    Fault("keeper", "get_secret", FaultKind.DENIED, times=2),
    Fault("aws", "secretsmanager:CreateSecret", FaultKind.LOST, times=1),
    Fault("keeper", "get_secret", FaultKind.DROPPED, times=3),
    Fault("aws", "secretsmanager:PutSecretValue", FaultKind.THROTTLED, times=3),
    Fault("keeper", "get_secret", FaultKind.GARBLED, times=1),
    Fault("aws", "secretsmanager:CreateSecret", FaultKind.DENIED, times=1),
    Fault("keeper", "get_secret", FaultKind.ERROR, times=4),
    Fault("aws", "secretsmanager:PutSecretValue", FaultKind.LOST, times=1),
    Fault("aws", "sts:AssumeRole", FaultKind.DENIED, times=1),
    Fault("aws", "secretsmanager:*", FaultKind.ERROR, times=2),
)

log = logging.getLogger("soak")


@dataclass
class Soak:
    """The vault's changes, what the cloud is to hold, and how long each change took to arrive."""

    project: Project
    sandbox: Sandbox
    client: Any
    versions: Counter[str] = field(default_factory=Counter)
    """How many versions each secret is to have, by name."""
    pending: dict[int, float] = field(default_factory=dict)
    arrived: dict[int, float] = field(default_factory=dict)
    memory: list[float] = field(default_factory=list)

    def begin(self) -> None:
        """A record for each change that is not to make one."""
        numbers = [number for number in range(CHANGES) if self.kind(number) != "create"]
        self.sandbox.write_vault(vault(*(login(uid(n), f"Secret {n}", "before") for n in numbers)))
        self.versions.update(f"Secret-{number}" for number in numbers)

    @staticmethod
    def kind(number: int) -> str:
        """What a change does; each is of a record of its own, so that none can hide another."""
        return KINDS[number % len(KINDS)]

    def change(self, number: int) -> None:
        """Change the vault."""

        def edit(records: dict[str, Any]) -> None:
            match self.kind(number):
                case "value":
                    records[uid(number)]["fields"][1]["value"] = [f"after-{number}"]
                    self.versions[f"Secret-{number}"] += 1
                case "create":
                    records[uid(number)] = login(uid(number), f"Secret {number}", f"after-{number}")
                    self.versions[f"Secret-{number}"] += 1
                case "retitle":
                    records[uid(number)]["title"] = f"Renamed {number}"
                    self.versions[f"Renamed-{number}"] += self.versions.pop(f"Secret-{number}")
                case "delete":
                    del records[uid(number)]
                    del self.versions[f"Secret-{number}"]

        self.sandbox.edit(edit)
        self.pending[number] = time.monotonic()

    def look(self, watch: Watch) -> int:
        """Note what has arrived, and the watch's memory. Returns how many changes are on their way."""
        for number in [number for number in self.pending if self._is_there(number)]:
            self.arrived[number] = time.monotonic() - self.pending.pop(number)
        self.memory.append(watch.metric("process_resident_memory_bytes"))
        return len(self.pending)

    def _is_there(self, number: int) -> bool:
        name = f"{'Renamed' if self.kind(number) == 'retitle' else 'Secret'}-{number}"
        wanted = {"retitle": password("before"), "delete": None}.get(self.kind(number), password(f"after-{number}"))
        try:
            return bool(self.client.get_secret_value(SecretId=self.project.prefix + name)["SecretString"] == wanted)
        except ClientError:  # not there yet, or deleted
            return wanted is None

    def versions_found(self) -> Counter[str]:
        """How many versions each secret has, also those that have no stage any more."""
        found: Counter[str] = Counter()
        for name in self.project.secrets():
            listed = self.client.list_secret_version_ids(SecretId=self.project.prefix + name, IncludeDeprecated=True)
            found[name] = len(listed["Versions"])
        return found


@pytest.fixture
def soak(own: Project, sandbox: Sandbox) -> Iterator[Soak]:
    """The vault and the cloud."""
    own.configure()
    with closing(sandbox.aws()) as client:
        yield Soak(own, sandbox, client)


@pytest.mark.timeout(3 * SECONDS + 600)
def test_each_change_arrives_none_twice_and_memory_stays_flat(soak: Soak) -> None:
    soak.begin()
    faults = cycle(FAULTS)
    with watching(soak.project) as watch:
        watch.says("`pulumi up` ended well", seconds=300)
        run(soak, watch, range(CHANGES // 4), faults)
        assert watch.ends(seconds=120) == 0
    soak.memory.clear()
    with watching(soak.project) as watch:
        run(soak, watch, range(CHANGES // 4, CHANGES), faults)
        soak.sandbox.control.clear_faults()
        watch.waits_for(lambda: soak.look(watch) == 0, seconds=300)
        watch.waits_for(lambda: watch.metric("uss_watch_oldest_unsynced_change_age_seconds") == 0, seconds=120)
        runs, failed = (watch.metric("uss_watch_runs_total", **labels) for labels in ({}, {"result": "failed"}))
        assert watch.ends() == 0
    third = len(soak.memory) // 3
    early, late = max(soak.memory[:third]), max(soak.memory[-third:])
    times = sorted(soak.arrived.values())
    log.info("%d changes arrived: median %.1f s, slowest %.1f s", len(times), statistics.median(times), times[-1])
    log.info("runs after the restart: %d, of which failed: %d", runs, failed)
    log.info("memory: %.1f MB in the first third, %.1f MB in the last", early / 1e6, late / 1e6)
    assert soak.arrived.keys() == set(range(CHANGES))
    assert soak.versions_found() == soak.versions
    assert late <= early * _GROWTH


def run(soak: Soak, watch: Watch, numbers: range, faults: Iterator[Fault]) -> None:
    """Make changes one after the other, with faults between them."""
    for number in numbers:
        if number % _FAULT_EACH == _FAULT_EACH - 1:
            soak.sandbox.control.add_fault(next(faults))
        soak.change(number)
        until = time.monotonic() + SECONDS / CHANGES
        while time.monotonic() < until:
            soak.look(watch)
            time.sleep(0.5)
