"""What is cut off: a first sync and a mixed change, a reader that looks on, and what must hold in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from azure.core.exceptions import AzureError
from botocore.exceptions import ClientError
from google.api_core.exceptions import GoogleAPICallError

from tests.sync.clouds import CloudUnderTest
from tests.sync.harness import Project, Record, Sandbox, login, password, uid

SCENARIOS = ("first sync", "mixed change")
_GONE_MEANWHILE = (ClientError, AzureError, GoogleAPICallError)
"""A secret that is deleted between a list and a look at it."""


BEFORE: list[Record] = [
    login(uid(1), "Stays", "p1"),
    login(uid(2), "Changes", "p2"),
    login(uid(3), "Old Name", "p3"),
    login(uid(4), "Goes", "p4"),
]
AFTER: list[Record] = [
    login(uid(1), "Stays", "p1"),
    login(uid(2), "Changes", "q2"),
    login(uid(3), "New Name", "p3"),
    login(uid(5), "Comes", "p5"),
]
EXPECTED: Mapping[str, dict[str, str]] = {
    "first sync": {f"R-{n}": password(f"p{n}") for n in range(5)},
    "mixed change": {
        "Stays": password("p1"),
        "Changes": password("q2"),
        "New-Name": password("p3"),
        "Comes": password("p5"),
    },
}


def prepare(scenario: str, project: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    """Bring vault and cloud to the moment before the run that is cut off."""
    if scenario == "first sync":
        sandbox.write_vault(cloud.vault(*(login(uid(n), f"R {n}", f"p{n}") for n in range(5))))
        return
    sandbox.write_vault(cloud.vault(*BEFORE))
    project.up_well()
    sandbox.write_vault(cloud.vault(*AFTER))


@dataclass
class Reader:
    """Reads all the time, and notes what no reader may ever see."""

    seen: int = 0
    faults: list[str] = field(default_factory=list)

    def look(self, scenario: str, values: Mapping[str, str]) -> None:
        """Note what is wrong with what the cloud holds at one moment."""
        self.seen += 1
        if scenario == "first sync":
            wrong = [name for name, value in values.items() if value != EXPECTED[scenario].get(name)]
            self.faults += [f"{name} has a value of nobody's" for name in wrong]
            return
        if values.get("Stays") != password("p1"):
            self.faults.append("Stays is not what it was")
        if values.get("Changes") not in (password("p2"), password("q2")):
            self.faults.append("Changes has neither its old nor its new value")
        if password("p3") not in (values.get("Old-Name"), values.get("New-Name")):
            self.faults.append("the renamed one is under neither name")


@contextmanager
def reading(scenario: str, project: Project, cloud: CloudUnderTest) -> Iterator[Reader]:
    """A reader, as long as the block runs."""
    reader, done = Reader(), Event()

    def read() -> None:
        while not done.is_set():
            try:
                reader.look(scenario, cloud.values(project))
            except _GONE_MEANWHILE:
                continue
            done.wait(0.05)

    thread = Thread(target=read)
    thread.start()
    try:
        yield reader
    finally:
        done.set()
        thread.join()


def assert_whole(scenario: str, project: Project, cloud: CloudUnderTest, reader: Reader) -> None:
    """The cloud equals the plan: nothing lost, doubled, or left over; nothing is left to do."""
    assert reader.faults == []
    assert cloud.values(project) == EXPECTED[scenario]
    assert project.preview("--expect-no-changes").code == 0
    if cloud.name == "gcp":
        assert [cloud.versions(project, name) for name in EXPECTED[scenario]] == [1] * len(EXPECTED[scenario])
