"""The plan: what a run will do, as a value. Built purely from the configurations, the snapshot and the state.

Guards, printers and the declaration act on the plan alone. A record that cannot be synced is a `Refusal` in it, with
a reason and a mend; the other records go on. `build_plan` is in `uss.planning.build`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from uss.clouds.interface import Cloud, FoundSecret, HeldSecret, KeyVault, Marked, Move, Target
from uss.config import Configuration
from uss.records.payload import Payload
from uss.state import StateResource


class Mode(StrEnum):
    """How far a configuration's plan is applied."""

    SYNC = "sync"
    HOLD = "hold"
    """`dryRun: true`: shown in the preview, not applied by an update."""
    DISABLED = "disabled"
    """`enabled: false`: everything stays as the state holds it."""


class Change(StrEnum):
    """What happens to a record's secret."""

    CREATE = "create"
    RECOVER = "recover"
    """It is in the cloud, by its tags this stack's own, and the state does not know it: it is imported."""
    RENAME = "rename"
    TAKE_OVER = "take over"
    """A record that left is replaced by one of the same name: the secret stays and gets the new one's value."""
    ADOPT = "adopt"
    """A secret that is there and nobody's is taken over, because the configuration's `adopt` says so."""
    REPLACE = "replace"
    """Something of the secret that cannot be changed is to change: it is deleted, then made anew."""
    COPIES = "copies"
    """The secret stays, and its copies in other regions change."""
    MOVE = "move"
    """The configuration's target changed: it is made anew there, then deleted here."""
    VALUE = "value"
    TAGS = "tags"
    """The value stays."""
    UNCHANGED = "unchanged"


NEW_NAMES = (Change.CREATE, Change.RENAME, Change.MOVE)
"""Changes with which the stack takes a name that it does not have there yet."""


class Cause(StrEnum):
    """Why readers no longer find a secret where they have it."""

    DELETED = "deleted"
    """Its record has left."""
    REPLACED = "replaced"
    """It is deleted, then made anew."""
    RETITLED = "retitled"
    PREFIX = "prefix"
    """The configuration's `namePrefix` changed."""
    REGION = "region"
    """It is no longer kept in some of its regions."""


@dataclass(frozen=True)
class Loss:
    """A secret that a run takes from where its readers have it, by the name that they know."""

    record_uid: str
    name: str
    cause: Cause
    regions: tuple[str, ...] = ()
    """With `Cause.REGION`: those that it goes from."""


class Reason(StrEnum):
    """Why a record is not synced."""

    ILLEGAL_NAME = "illegal name"
    NAME_CLASH = "name clash"
    NAME_IN_USE = "name in use"
    CONFLICT = "conflict"
    """The cloud holds a secret of this name that this stack did not create."""
    EMPTY = "empty"
    NOT_TEXT = "not text"
    TOO_LARGE = "too large"
    RESERVED_FIELD = "reserved field"
    """What a field `uss:...` says cannot be read or followed."""
    CREDENTIALS = "sync credentials"


@dataclass(frozen=True)
class Refusal:
    """A record that is not synced. One that was synced before keeps its secret as it is."""

    record_uid: str
    title: str
    reason: Reason
    found: str
    mend: str


@dataclass(frozen=True)
class PlannedSecret:
    """A record's secret as it shall be."""

    record_uid: str
    title: str
    revision: int
    name: str
    payload: Payload
    tags: Mapping[str, str]
    change: Change
    replacement: str | None = None
    """With `Change.REPLACE`: why; with `Change.COPIES`: which."""
    former_name: str | None = None
    """With `Change.RENAME`: the name that the secret has until now."""
    renamed_by: Cause = Cause.RETITLED
    """With `Change.RENAME`: what gave it the new one."""
    lost_regions: tuple[str, ...] = ()
    """Regions in which readers have the secret until now, and no longer."""
    attachments: tuple[str, ...] = ()
    """Names of the record's attachments, which are not synced."""
    held: HeldSecret | None = None
    """The secret as the state holds it; with `Change.TAKE_OVER` it is that of the record that left."""

    inherited: tuple[StateResource, ...] = ()
    """Those of `held`'s resources that have another record's or another configuration's name until now."""
    found: FoundSecret | None = None
    """What the cloud holds of it that the state does not: left by a run that was cut off, or a state that was lost."""

    def imported(self, kind: str, place: str = "") -> str | None:
        """Return the ID by which a resource of this type is imported from the cloud, or None."""
        return self.found.imports.get((kind, place)) if self.found else None

    @property
    def present(self) -> tuple[StateResource, ...]:
        """The resources that the state holds of the secret."""
        return self.held.resources if self.held else ()

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What readers lose of the secret."""
        known = self.held.name if self.held else self.name
        found = []
        if self.change is Change.REPLACE:
            found.append(Loss(self.record_uid, known, Cause.REPLACED))
        if self.change is Change.RENAME:
            found.append(Loss(self.record_uid, known, self.renamed_by))
        if self.lost_regions:
            found.append(Loss(self.record_uid, known, Cause.REGION, self.lost_regions))
        return tuple(found)


@dataclass(frozen=True)
class ConfigurationPlan:
    """One configuration's part. `cloud` and `target` are None for a disabled one: nothing was looked up for it."""

    configuration: Configuration
    mode: Mode
    cloud: Cloud | None
    target: Target | None
    secrets: tuple[PlannedSecret, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    kept: tuple[HeldSecret, ...] = ()
    """Secrets that stay exactly as they are: of refused records, and all of a disabled configuration."""
    deletions: tuple[HeldSecret, ...] = ()
    held: int = 0
    """How many secrets the state holds for the configuration."""
    unadopted: tuple[str, ...] = ()
    """Entries of `adopt` that are none of the linked records."""
    denied: tuple[str, ...] = ()
    """Names that the Sync Identity may not look at, so that what is there shows only when they are written."""
    refusal: str = ""
    """The cloud's own words for it."""
    key_vault: KeyVault = KeyVault.GIVEN
    """Azure only."""
    deleted_unseen: bool = False
    """Azure only: a name that is taken may belong to a deleted secret, which the key vault did not tell of."""
    orphans: tuple[Marked, ...] = ()
    """Secrets of this stack that neither the vault's folders nor the state has: a state was lost, and meanwhile their
    records left. They stay."""
    moves: tuple[Move, ...] = ()
    """Where secrets that the state holds would move, or be left behind, because the target changed."""
    digest: str = ""
    """Keyed, for an approval; empty where nothing is to be done."""
    approved: bool = False
    """Somebody has seen this very plan and approved it."""

    @property
    def name(self) -> str:
        """The configuration's name."""
        return self.configuration.name

    @property
    def changes(self) -> bool:
        """Whether anything of the configuration's secrets is to change."""
        return bool(self.deletions) or any(secret.change is not Change.UNCHANGED for secret in self.secrets)

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What readers lose of the configuration's secrets, whatever the cause, but for `moves`."""
        deleted = [Loss(held.record_uid, held.name, Cause.DELETED) for held in self.deletions]
        return (*deleted, *(loss for secret in self.secrets for loss in secret.losses))

    def count(self, change: Change) -> int:
        """How many secrets change in this way."""
        return sum(secret.change is change for secret in self.secrets)


@dataclass(frozen=True)
class RemovedConfiguration:
    """A configuration that the state holds secrets for and the stack file no longer has: they go, or are let go of."""

    name: str
    deletions: tuple[HeldSecret, ...]
    retained: bool = False
    """The secrets stay in the cloud: the state alone lets go of them."""
    digest: str = ""
    approved: bool = False


@dataclass(frozen=True)
class Plan:
    """The whole run."""

    source: str
    """The stack file's name, for messages."""
    configurations: tuple[ConfigurationPlan, ...]
    removed: tuple[RemovedConfiguration, ...] = field(default=())
