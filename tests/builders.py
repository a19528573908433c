"""Small builders: records, snapshots and states for tests of the pure parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from uss.clouds import CLOUDS
from uss.clouds.aws import SECRET, VERSION
from uss.clouds.interface import HeldSecret, LogicalName, Ownership
from uss.config import Configuration
from uss.keeper import Field, Folder, Record, Snapshot
from uss.planning.build import Holdings, build_plan
from uss.planning.plan import ConfigurationPlan, Plan
from uss.state import StateResource

FOLDER = "FOLDER-0000000000000001"
SOURCE = "stacks/Pulumi.test.yaml"
OWNERSHIP = Ownership(project="uss", stack="test")
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:name-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/keeper-uss"


def record(
    uid: str = "R1",
    title: str = "Record",
    *fields: Field,
    folders: Iterable[str] = (FOLDER,),
    kind: str = "login",
    notes: str = "",
    attachments: tuple[str, ...] = (),
) -> Record:
    """A record with a password, or with the fields given."""
    given = fields or (Field("password", "", ("p",)),)
    return Record(uid, title, kind, 1, frozenset(folders), given, notes, attachments)


def snapshot(*records: Record) -> Snapshot:
    """A vault with one folder, or with all the folders that the records name."""
    uids = {FOLDER}.union(*(entry.folders for entry in records)) if records else {FOLDER}
    folders = {uid: Folder(uid, uid.title(), None, uid.title()) for uid in uids}
    return Snapshot(folders, tuple(sorted(records, key=lambda entry: entry.uid)))


def configuration(**keys: Any) -> Configuration:
    """A configuration for AWS that works, with the keys (in the models' own names) replaced."""
    defaults: dict[str, Any] = {
        "name": "aws",
        "type": "aws",
        "sync_identity": ROLE,
        "folders": [FOLDER],
        "regions": ["us-east-1"],
    }
    return Configuration.model_validate(defaults | keys)


def held(
    uid: str,
    name: str,
    value: str = '{"password":"p"}',
    owner: str = "aws",
    tags: Mapping[str, str] | None = None,
    arn: str = ARN,
    replicas: Iterable[str] = (),
    copies: Iterable[str] = (),
) -> HeldSecret:
    """A secret as the state holds it, made by a sync of the record. `replicas` are regions that AWS replicates it to,
    `copies` regions with an independent one.
    """
    logical = str(LogicalName(owner, uid))
    outputs: Mapping[str, Mapping[str, Any]] = {
        SECRET: {
            "name": name,
            "arn": arn,
            "tags": OWNERSHIP.tags(uid, "application/json") if tags is None else tags,
            "replicas": [{"region": region} for region in replicas],
        },
        VERSION: {"secretString": value},
    }
    places = (logical, *(f"{logical}@{region}" for region in copies))
    resources = [
        StateResource(f"urn::{kind}::{place}", kind, place, output)
        for place in places
        for kind, output in outputs.items()
    ]
    return CLOUDS[configuration().type or next(iter(CLOUDS))].held(resources)[0]


def plan(
    records: Iterable[Record],
    secrets: Iterable[HeldSecret] = (),
    *configurations: Configuration,
    retaining: Iterable[str] = (),
    titles: Mapping[str, str] | None = None,
) -> Plan:
    """Build a plan. `titles` are those that the configuration `aws` synced last."""
    by_name: dict[str, tuple[HeldSecret, ...]] = {}
    for secret in secrets:
        by_name[secret.configuration] = (*by_name.get(secret.configuration, ()), secret)
    return build_plan(
        configurations or (configuration(),),
        snapshot(*records),
        Holdings(by_name, retaining=frozenset(retaining), titles={"aws": titles or {}}),
        CLOUDS,
        OWNERSHIP,
        SOURCE,
    )


def only(planned: Plan) -> ConfigurationPlan:
    """The plan of the one configuration."""
    (part,) = planned.configurations
    return part
