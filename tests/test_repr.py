"""Whatever carries values prints without them: a `repr` ends up in logs, tracebacks and test reports."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import uss
from tests.builders import ARN, OWNERSHIP, ROLE, SOURCE, configuration, held, only, plan, record, snapshot
from tests.leaks import leaks
from uss.clouds import CLOUDS
from uss.clouds.aws import AWS_NAMES, Aws
from uss.clouds.azure import AzureTarget
from uss.clouds.gcp import GcpTarget
from uss.engine.exposure import Talk
from uss.engine.registration import Registered, Secret
from uss.importer.importing import Importer, Prepared
from uss.importer.readers.secrets import CloudSecret, Listed
from uss.importer.recognition import read, recognise
from uss.importer.records import NewRecord, new_record
from uss.keeper import Access, Field, Folder, pam_configuration
from uss.planning.build import Holdings, build_plan
from uss.planning.candidates import examine
from uss.planning.linking import LinkedConfiguration
from uss.planning.plan import RemovedConfiguration
from uss.program import Outlook, Settings
from uss.records.payload import payload_of
from uss.resources.interface import Work
from uss.state import StackState, StateResource
from uss.workplace.opening import Workplace
from uss.workplace.stackfile import StackFile

CANARY = "canary-9d41"
FIELDS = [Field("secret", "value", (CANARY, {CANARY: CANARY}, [CANARY]))]
RECORD = record("R2", "again", *FIELDS, notes=CANARY)
PAM = record(
    "PAM",
    "Pam",
    Field("secret", "accessKeyId", (CANARY,)),
    Field("secret", "accessSecretKey", (CANARY,)),
    kind="pamAwsConfiguration",
)
HELD = held("R1", "again", CANARY)
STATE = StateResource("urn:x", "t", "aws/R1", {"secretString": CANARY, "name": "n"})
CONFIGURATION = configuration(sync_identity=None, pam_configuration="PAM")
PLAN = build_plan(
    [CONFIGURATION],
    snapshot(RECORD, PAM),
    Holdings({"aws": (HELD, held("R3", "left", CANARY)), "gone": (held("R4", "x", CANARY, owner="gone"),)}),
    CLOUDS,
    OWNERSHIP,
    SOURCE,
)
ACCESS = Access(CANARY, "KSM_CONFIG")
SECRET = CloudSecret(
    Listed("n", ARN), "1", f'{{"a": "{CANARY}", "login": "{CANARY}", "note": "{CANARY}", "c": ["{CANARY}"]}}'
)
IMPORTED = new_record(SECRET, "login", "", AWS_NAMES)
assert isinstance(IMPORTED, NewRecord)
RECOGNISED = recognise(SECRET.text)
READING = read(SECRET.text)


def target() -> Any:
    """A target with access keys."""
    return Aws().target(CONFIGURATION, pam_configuration(PAM), SOURCE)


LINKED = LinkedConfiguration(CONFIGURATION, Aws(), target(), (RECORD,))
WORKPLACE = Workplace(
    StackFile(Path(SOURCE), "uss", "test", "test", (CONFIGURATION,)), ACCESS, snapshot(RECORD), LINKED
)
CARRIERS = [
    FIELDS[0],
    RECORD,
    snapshot(RECORD),
    pam_configuration(PAM),
    ACCESS,
    payload_of(RECORD),
    HELD,
    STATE,
    StackState((STATE,), {"configurations": CANARY}),
    target(),
    AzureTarget(("azure:kv",), "s", "t", "g", "kv", None, "client", CANARY),
    GcpTarget(("gcp:p",), "p", (), None, CANARY),
    CloudSecret(Listed("n", "arn"), "1", CANARY),
    only(PLAN).secrets[0],
    only(PLAN),
    PLAN.removed[0],
    PLAN,
    Holdings({"aws": (HELD,)}),
    LINKED,
    examine(RECORD, LINKED, OWNERSHIP),
    SECRET,
    IMPORTED,
    RECOGNISED,
    READING,
    READING.entries[0] if READING else None,
    Prepared(SECRET, IMPORTED),
    WORKPLACE,
    Importer(WORKPLACE, Folder("F", "Name", None, "Name"), "login", print, dry_run=True),
    Outlook(PLAN, {}, {"aws": [STATE]}),
    Settings(SOURCE, (CONFIGURATION,), ACCESS, {}),
    Registered("urn:x", "id", {"properties": {"value": CANARY}}),
    Secret(CANARY),
    Work(only(PLAN), OWNERSHIP, cast(Any, None), [STATE]),
    Talk.of(["up", f"--config=a={CANARY}"], {"KSM_CONFIG": CANARY}),
]
SILENT = {
    "Folder": "names and paths",
    "NameRules": "a cloud's rules",
    "NameFault": "what is wrong with a title",
    "Ownership": "the project's and the stack's names",
    "LogicalName": "names and UIDs",
    "Target": "accounts and regions",
    "DeletedEntry": "tags",
    "Obstacle": "words about a secret's name",
    "Marked": "names and UIDs",
    "Loss": "names, UIDs and regions",
    "Operation": "names, types and names of properties",
    "Run": "names, reasons and errors of the engine, which knows what is secret",
    "Move": "names of accounts, key vaults, projects",
    "FoundSecret": "tags and IDs",
    "Findings": "the same, and names",
    "Questions": "a name, patterns, and a provider, which prints as an object",
    "Listed": "names, tags and descriptions",
    "Skipped": "the same, and a reason",
    "Filters": "names and tags",
    "Caller": "names of a configuration and an identity",
    "StackFile": "a path, names and configurations, which hold no secret",
    "Federation": "whose jobs sign in",
    "Document": "a policy: names of accounts and actions",
    "Step": "a command: the same",
    "Permissions": "both",
    "Present": "a secret's name and a UID",
    "Finding": "names and words about them",
    "Kind": "a type of resource, and names of properties",
    "Options": "names of properties, URNs, an ID",
    "Declared": "ARNs and versions",
    "Refusal": "titles and reasons",
    "Origin": "a secret's name, description and tags",
    "OriginFault": "what is wrong with it",
    "Schedule": "seconds",
    "Comment": "an address, and a plan as `uss plan --markdown` prints it",
}


def dataclasses_of_the_sync() -> Iterator[type]:
    """Every public dataclass that the sync defines."""
    for module in pkgutil.walk_packages(uss.__path__, "uss."):
        if not module.name.startswith("uss.sandbox"):
            found = importlib.import_module(module.name)
            yield from (
                value
                for value in vars(found).values()
                if isinstance(value, type)
                and dataclasses.is_dataclass(value)
                and value.__module__ == module.name
                and not value.__name__.startswith("_")
            )


@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda carrier: type(carrier).__name__)
def test_it_prints_without_its_values(carrier: object) -> None:
    assert leaks(f"{carrier!r} {carrier!s} {[carrier]} {carrier:}", CANARY) == {}


def test_every_dataclass_is_among_those_or_known_to_carry_no_value() -> None:
    shown = {type(carrier).__name__ for carrier in CARRIERS}
    names = {found.__name__ for found in dataclasses_of_the_sync()}
    assert shown.isdisjoint(SILENT)
    assert names - shown - SILENT.keys() == set()
    assert RemovedConfiguration.__name__ in names


def test_the_canary_is_really_in_what_is_printed() -> None:
    assert CANARY in str(dataclasses.asdict(RECORD))
    assert CANARY in str(ACCESS.content)
    assert only(PLAN).secrets[0].held is HELD
    assert CANARY in only(PLAN).secrets[0].payload.value
    assert len(PLAN.removed) == 1
    assert [secret.record_uid for secret in only(plan([], [HELD])).deletions] == ["R1"]


def test_configuration_holds_no_secret_of_its_own() -> None:
    assert ROLE in repr(configuration())
