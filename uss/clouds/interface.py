"""What the plan asks of a cloud. A cloud is one file beside this one that answers it; the rest never names a cloud.

A `Cloud` is pure, and so is all that the plan is told of one. What has effects is in `uss.resources`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from uss.config import CloudType, Configuration, mistake
from uss.keeper.pam import PamConfiguration
from uss.keeper.records import Record
from uss.records.naming import NameRules
from uss.state import StateResource

Tags = Mapping[str, str]

MANAGED_BY = "keeper-uss"


@dataclass(frozen=True)
class LogicalName:
    """A resource's name in Pulumi: the configuration, the record, and for further copies where they are.

    Nothing that a person may change in Keeper is in it, so titles, folders and order never change an identity.
    """

    configuration: str
    record_uid: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.configuration}/{self.record_uid}" + (f"@{self.place}" if self.place else "")

    @classmethod
    def parse(cls, text: str) -> LogicalName | None:
        """Return the parts of a logical name, or None for a name that is not of this form."""
        configuration, slash, rest = text.partition("/")
        record_uid, _, place = rest.partition("@")
        return cls(configuration, record_uid, place) if slash and record_uid else None


@dataclass(frozen=True)
class Ownership:
    """Whose a cloud secret is: the Pulumi project and stack that manage it."""

    project: str
    stack: str

    def tags(self, record_uid: str, content_type: str) -> dict[str, str]:
        """Return the tags that every secret carries, whatever its cloud."""
        return {
            "managed-by": MANAGED_BY,
            "source": "keeper",
            "content-type": content_type,
            "keeper-record-uid": record_uid,
            "pulumi-project": self.project,
            "pulumi-stack": self.stack,
        }

    def owns(self, tags: Mapping[str, str], record_uid: str) -> bool:
        """Tell whether a cloud secret with these tags is this stack's secret of the record."""
        expected = self.tags(record_uid, "")
        return all(tags.get(key) == expected[key] for key in _IDENTIFYING)

    def record_of(self, tags: Mapping[str, str]) -> str | None:
        """Return the UID of the record whose secret one with these tags is, or None where it is not this stack's."""
        uid = tags.get("keeper-record-uid")
        return uid if uid is not None and self.owns(tags, uid) else None


_IDENTIFYING = ("managed-by", "keeper-record-uid", "pulumi-project", "pulumi-stack")
OWNERSHIP_TAGS = frozenset(Ownership("", "").tags("", ""))


@dataclass(frozen=True)
class Target:
    """Where a configuration's secrets go, and as whom. Each cloud adds what it needs."""

    locations: tuple[str, ...] = field(repr=False)
    """Places in which a name can exist once, as `aws:123456789012:us-east-1`: two secrets of one name in one of them
    would be one secret. Where no account is known, an access key's ID stands for it."""

    @property
    def identity(self) -> str:
        """As whom, in words that can begin a part of a sentence, as in `the role arn:...`."""
        return "the machine's own identity"


@dataclass(frozen=True)
class HeldSecret:
    """A record's secret as the stack's state holds it. `values` and `tags` have an entry for each copy; a value is
    None where it is unknown.
    """

    configuration: str
    record_uid: str
    name: str
    values: tuple[str | None, ...] = field(repr=False)
    tags: tuple[Mapping[str, str], ...]
    resources: tuple[StateResource, ...] = field(repr=False)

    def outputs(self, kind: str) -> Mapping[str, Any]:
        """Return the outputs of the first resource of this type, or nothing where there is none."""
        return next((resource.outputs for resource in self.resources if resource.type == kind), {})


@dataclass(frozen=True)
class Move:
    """A held secret is elsewhere than where the configuration's secrets go now."""

    before: str
    after: str
    possible: bool = True
    """False: the engine cannot move it, since the new identity has no hold on the old place."""


class KeyVault(StrEnum):
    """Whose an Azure key vault is."""

    GIVEN = "given"
    """It is there, and somebody else's: used, never declared."""
    OURS = "ours"
    """The sync made it in an earlier run: it stays declared."""
    MISSING = "missing"
    """It is not there yet: the sync makes it."""


@dataclass(frozen=True)
class Obstacle:
    """Why a name cannot be had, or what stands there not be taken over: what it is in words, and the mend."""

    found: str
    mend: str


@dataclass(frozen=True)
class FoundSecret:
    """What stands in the cloud under a name that a plan gives, and that the stack's state does not hold."""

    tags: tuple[Mapping[str, str], ...]
    """Of each copy, what it is marked with, all kinds of marks together; none where only a value was found."""
    imports: Mapping[tuple[str, str], str]
    """By resource type and place (as in `LogicalName`), the ID to import; of a value only where it is the plan's."""
    same_value: bool | None = None
    """Whether the value is the plan's; None where the cloud does not tell, or where it is not the stack's to read."""
    obstacle: Obstacle | None = None
    """It is deleted and keeps its name, or it is of a kind that the engine would have to make anew."""


@dataclass(frozen=True)
class Marked:
    """A secret that carries this stack's marks, whether the state holds it or not."""

    name: str
    record_uid: str
    id: str


def marked(secrets: Iterable[tuple[str, Mapping[str, str], str]], ownership: Ownership) -> tuple[Marked, ...]:
    """Return those of the secrets, each with its name, tags and ID, that carry this stack's marks."""
    found = ((name, ownership.record_of(tags), secret_id) for name, tags, secret_id in secrets)
    return tuple(Marked(name, uid, secret_id) for name, uid, secret_id in found if uid is not None)


@dataclass(frozen=True)
class Findings:
    """What a cloud said to a look before the run. `denied` are names that the Sync Identity may not ask for."""

    secrets: Mapping[str, FoundSecret] = field(default_factory=dict)
    """By record UID; nothing for a record whose name is free."""
    denied: tuple[str, ...] = ()
    refusal: str = ""
    """The cloud's own words for the first of them, quoted."""
    key_vault: KeyVault = KeyVault.GIVEN
    """Azure only."""
    deleted_unseen: bool = False
    """Azure only: the key vault did not tell what it keeps of deleted secrets."""
    marked: tuple[Marked, ...] = ()
    """All that has this stack's marks; looked for where something is to be recovered, since a state was lost then."""

    def recovers(self, ownership: Ownership) -> bool:
        """Tell whether a secret that the plan would create is there already and the stack's own."""
        return any(ownership.owns(tags, uid) for uid, found in self.secrets.items() for tags in found.tags)


def by_record(
    resources: Iterable[StateResource], types: Collection[str]
) -> list[tuple[LogicalName, list[StateResource]]]:
    """Group a stack's resources of these types by configuration and record, in the order of their names."""
    groups: dict[LogicalName, list[StateResource]] = defaultdict(list)
    for resource in resources:
        name = LogicalName.parse(resource.name)
        if name and resource.type in types:
            groups[LogicalName(name.configuration, name.record_uid)].append(resource)
    return sorted(groups.items(), key=lambda group: (group[0].configuration, group[0].record_uid))


def require_sign_in(
    configuration: Configuration, source: str, given: object, *, key: str = "syncIdentity", missing: str
) -> None:
    """Raise `ConfigurationError` where there is nobody to sign in as: no identity or key is `given`, and the machine's
    own is not to be used. `missing` says what is not there, and what to do.
    """
    if not given and not configuration.ambient_credentials:
        raise mistake(source, configuration.name, key, missing)


def require_tags(configuration: Configuration, source: str, fault: str | None) -> None:
    """Raise `ConfigurationError` where the cloud does not take the configuration's tags."""
    if fault:
        raise mistake(source, configuration.name, "tags", fault)


class Cloud(ABC):
    """One cloud's secret manager."""

    type: ClassVar[CloudType]
    names: ClassVar[NameRules]
    value_limit: ClassVar[int]
    """Bytes that a value may have."""

    @abstractmethod
    def target(self, configuration: Configuration, pam: PamConfiguration | None, source: str) -> Target:
        """Return where the configuration's secrets go; raise `ConfigurationError` naming `source` and the key."""

    @abstractmethod
    def held(self, resources: Iterable[StateResource]) -> tuple[HeldSecret, ...]:
        """Return the secrets of this cloud among a stack's resources, in the order of their logical names."""

    @abstractmethod
    def deletion(self, configuration: Configuration) -> str:
        """Return in a few words what becomes of a secret that is deleted there."""

    def tags(self, configuration: Configuration, ownership: Ownership, record: Record, content_type: str) -> Tags:
        """Return what the secret is marked with: the configuration's tags and those that say whose it is."""
        return configuration.tags | ownership.tags(record.uid, content_type)

    def reserves(self, key: str) -> bool:
        """Tell whether a tag that a secret had before is left out, because the sync or the cloud itself sets it."""
        return key.lower() in OWNERSHIP_TAGS

    def tag_fault(self, tags: Tags) -> str | None:
        """Return what the cloud does not take about a secret's tags, the sync's own among them, or None."""
        return None

    def replacement(self, held: HeldSecret, target: Target) -> str | None:
        """Return why the held secret cannot stay and must be deleted before it is made anew, or None."""
        return None

    def copies(self, held: HeldSecret, target: Target, configuration: Configuration) -> str | None:
        """Return how a held secret's copies in other regions change while it stays, or None."""
        return None

    def lost_regions(self, held: HeldSecret, target: Target) -> tuple[str, ...]:
        """Return the regions in which readers have a held secret, and that the target no longer has."""
        return ()

    def move(self, held: HeldSecret, target: Target) -> Move | None:
        """Return from where to where a held secret would move, or None where it stays."""
        return None
