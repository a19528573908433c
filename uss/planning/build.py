"""Building the plan: a pure function of the configurations, the snapshot and what the state holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from uss.clouds.interface import Cloud, HeldSecret, Move, Ownership
from uss.config import CloudType, Configuration, OnDelete
from uss.keeper.records import Record
from uss.keeper.snapshot import Snapshot
from uss.planning.candidates import Candidate, examine
from uss.planning.linking import LinkedConfiguration, link
from uss.planning.plan import (
    Cause,
    Change,
    ConfigurationPlan,
    Mode,
    Plan,
    PlannedSecret,
    Reason,
    Refusal,
    RemovedConfiguration,
)
from uss.text import encodable, shown


@dataclass(frozen=True)
class Holdings:
    """What the state holds: secrets by configuration, and the configurations whose secrets are marked to be retained
    when they are no longer declared.
    """

    secrets: Mapping[str, tuple[HeldSecret, ...]] = field(default_factory=dict)
    revisions: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By configuration and record UID, the revision that was synced last."""
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By configuration and record UID, the title that was synced last, as outputs have it."""
    retaining: frozenset[str] = frozenset()

    def of(self, configuration: Configuration) -> tuple[HeldSecret, ...]:
        """Return a configuration's secrets, those under its former name too; what has the new name goes first."""
        held = {secret.record_uid: secret for secret in self.secrets.get(configuration.formerly, ())}
        held |= {secret.record_uid: secret for secret in self.secrets.get(configuration.name, ())}
        return tuple(held.values())

    def revisions_of(self, configuration: Configuration) -> Mapping[str, int]:
        """Return the revisions synced last of a configuration's records, those under its former name too."""
        return {**self.revisions.get(configuration.formerly, {}), **self.revisions.get(configuration.name, {})}

    def titles_of(self, configuration: Configuration) -> Mapping[str, str]:
        """Return the titles synced last of a configuration's records, those under its former name too."""
        return {**self.titles.get(configuration.formerly, {}), **self.titles.get(configuration.name, {})}

    def retains(self, configuration: Configuration) -> bool:
        """Tell whether the state knows that a configuration's secrets are to be retained."""
        return configuration.name in self.retaining or configuration.formerly in self.retaining


@dataclass(eq=False)
class _Draft:
    """One configuration's plan while it is worked out."""

    linked: LinkedConfiguration
    held: Mapping[str, HeldSecret]
    revisions: Mapping[str, int]
    titles: Mapping[str, str]
    candidates: dict[str, Candidate] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    predecessors: dict[str, HeldSecret] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.linked.configuration.name

    def places(self, name: str) -> list[tuple[str, str]]:
        """Where the name would exist: each location with the name as that cloud compares it."""
        return [(location, self.linked.cloud.names.key(name)) for location in self.linked.target.locations]

    def refuse(self, record: Record, reason: Reason, found: str, mend: str) -> None:
        self.candidates.pop(record.uid, None)
        self.refusals[record.uid] = Refusal(record.uid, record.title, reason, found, mend)


def build_plan(
    configurations: Iterable[Configuration],
    snapshot: Snapshot,
    holdings: Holdings,
    clouds: Mapping[CloudType, Cloud],
    ownership: Ownership,
    source: str,
) -> Plan:
    """Return what the run will do. The order of records, folders and configurations does not matter to it.

    Raises `ConfigurationError` for references that lead nowhere; records that cannot be synced become refusals.
    """
    listed = tuple(configurations)
    drafts = {
        configuration.name: _draft(link(configuration, snapshot, clouds, source), holdings, ownership)
        for configuration in listed
        if configuration.enabled
    }
    _refuse_clashes(drafts.values())
    _refuse_names_in_use(drafts.values())
    plans = tuple(
        _finished(drafts[configuration.name], holdings)
        if configuration.enabled
        else _disabled(configuration, holdings.of(configuration))
        for configuration in listed
    )
    names = {name for configuration in listed for name in (configuration.name, configuration.formerly)}
    removed = tuple(
        RemovedConfiguration(name, _by_uid(secrets), retained=name in holdings.retaining)
        for name, secrets in sorted(holdings.secrets.items())
        if name not in names and secrets
    )
    return Plan(source=source, configurations=plans, removed=removed)


def _draft(linked: LinkedConfiguration, holdings: Holdings, ownership: Ownership) -> _Draft:
    held = holdings.of(linked.configuration)
    draft = _Draft(
        linked=linked,
        held={secret.record_uid: secret for secret in held},
        revisions=holdings.revisions_of(linked.configuration),
        titles=holdings.titles_of(linked.configuration),
    )
    for record in linked.records:
        examined = examine(record, linked, ownership)
        if isinstance(examined, Refusal):
            draft.refusals[record.uid] = examined
        else:
            draft.candidates[record.uid] = examined
    return draft


def _refuse_clashes(drafts: Iterable[_Draft]) -> None:
    """Refuse all records that would share a name in one place, within a configuration or across them."""
    claims: dict[tuple[str, str], list[tuple[_Draft, Record]]] = defaultdict(list)
    for draft in drafts:
        for candidate in draft.candidates.values():
            for place in draft.places(candidate.name):
                claims[place].append((draft, candidate.record))
    rivals: dict[tuple[_Draft, str], set[str]] = defaultdict(set)
    for claimants in claims.values():
        told = {(draft, record.uid): _told(draft, record) for draft, record in claimants}
        for claimant in told:
            rivals[claimant].update(text for other, text in told.items() if other != claimant)
    for (draft, uid), texts in rivals.items():
        if texts:
            found = f"the same name as {', '.join(sorted(texts))}"
            mend = "Retitle all but one, or link the folder in one configuration only."
            draft.refuse(draft.candidates[uid].record, Reason.NAME_CLASH, found, mend)


def _told(draft: _Draft, record: Record) -> str:
    return f"{shown(record.title)} ({record.uid}, configuration {draft.name})"


def _refuse_names_in_use(drafts: Iterable[_Draft]) -> None:
    """Refuse a name that another record's secret still has while this run goes on.

    A new record may take over the secret of one that left the same configuration: the usual case of a record that
    was made anew under its old title. Then the secret stays, with no gap for its readers.
    """
    drafts = tuple(drafts)
    users: dict[tuple[str, str], list[tuple[_Draft, HeldSecret]]] = defaultdict(list)
    for draft in drafts:
        for secret in draft.held.values():
            for place in draft.places(secret.name):
                users[place].append((draft, secret))
    for draft in drafts:
        for candidate in tuple(draft.candidates.values()):
            uid = candidate.record.uid
            others = [
                (owner, secret)
                for place in draft.places(candidate.name)
                for owner, secret in users.get(place, ())
                if (owner, secret.record_uid) != (draft, uid)
            ]
            if others:
                _take_over_or_refuse(candidate.record, draft, others)


def _take_over_or_refuse(record: Record, draft: _Draft, others: list[tuple[_Draft, HeldSecret]]) -> None:
    free = all(owner is draft and _left(draft, secret.record_uid) for owner, secret in others)
    if free and record.uid not in draft.held and len({secret.record_uid for _, secret in others}) == 1:
        draft.predecessors[record.uid] = others[0][1]
        return
    told = sorted({f"record {secret.record_uid} (configuration {owner.name})" for owner, secret in others})
    mend = "Retitle the record, or run again once that secret is gone; a deleted AWS secret keeps its name until its "
    mend += "recovery window ends."
    draft.refuse(record, Reason.NAME_IN_USE, f"the secret of {', '.join(told)} still has this name", mend)


def _left(draft: _Draft, uid: str) -> bool:
    """Whether the record is no longer among those of the linked folders."""
    return uid not in draft.candidates and uid not in draft.refusals


def _finished(draft: _Draft, holdings: Holdings) -> ConfigurationPlan:
    configuration = draft.linked.configuration
    taken = {secret.record_uid for secret in draft.predecessors.values()}
    leaving = [secret for uid, secret in draft.held.items() if _left(draft, uid) and uid not in taken]
    kept = [secret for uid, secret in draft.held.items() if uid in draft.refusals]
    if configuration.on_delete is OnDelete.RETAIN and not holdings.retains(configuration):
        # The state does not know yet that they are to be retained: they are let go with the next run.
        kept, leaving = kept + leaving, []
    return ConfigurationPlan(
        configuration=configuration,
        mode=Mode.HOLD if configuration.dry_run else Mode.SYNC,
        cloud=draft.linked.cloud,
        target=draft.linked.target,
        secrets=tuple(_planned(candidate, draft) for _, candidate in sorted(draft.candidates.items())),
        refusals=tuple(refusal for _, refusal in sorted(draft.refusals.items())),
        kept=_by_uid(kept),
        deletions=_by_uid(leaving),
        held=len(draft.held),
        moves=_moves(draft),
        unadopted=_unadopted(draft),
    )


def _unadopted(draft: _Draft) -> tuple[str, ...]:
    known = {text for record in draft.linked.records for text in (record.uid, record.title)}
    return tuple(entry for entry in draft.linked.configuration.adopt if entry not in known)


def _moves(draft: _Draft) -> tuple[Move, ...]:
    """Each way in which held secrets are elsewhere than where the configuration's secrets go now, once."""
    linked = draft.linked
    found = (linked.cloud.move(secret, linked.target) for secret in draft.held.values())
    return tuple(sorted({move for move in found if move}, key=lambda move: (move.before, move.after)))


def _disabled(configuration: Configuration, held: tuple[HeldSecret, ...]) -> ConfigurationPlan:
    return ConfigurationPlan(
        configuration=configuration, mode=Mode.DISABLED, cloud=None, target=None, kept=_by_uid(held), held=len(held)
    )


def _by_uid(secrets: Iterable[HeldSecret]) -> tuple[HeldSecret, ...]:
    return tuple(sorted(secrets, key=lambda secret: secret.record_uid))


def _planned(candidate: Candidate, draft: _Draft) -> PlannedSecret:
    record = candidate.record
    linked = draft.linked
    predecessor = draft.predecessors.get(record.uid)
    held = draft.held.get(record.uid)
    present = predecessor or held
    inherited = present.resources if present and (predecessor or present.configuration != draft.name) else ()
    replacement = linked.cloud.replacement(present, linked.target) if present else None
    change = Change.TAKE_OVER if predecessor else _change(candidate, held, draft)
    if held and change not in (Change.RENAME, Change.TAKE_OVER) and linked.cloud.move(held, linked.target):
        change = Change.MOVE
    elif replacement and change is not Change.RENAME:
        change = Change.REPLACE
    copies = linked.cloud.copies(held, linked.target, linked.configuration) if held else None
    if copies and change in (Change.UNCHANGED, Change.TAGS):
        change, replacement = Change.COPIES, copies
    return PlannedSecret(
        record_uid=record.uid,
        title=record.title,
        revision=record.revision,
        # Where only capitals differ and the cloud tells no difference, the secret is called as it was.
        name=held.name if held and change in _SAME_NAME else candidate.name,
        payload=candidate.payload,
        tags=candidate.tags,
        change=change,
        replacement=replacement if change in (Change.REPLACE, Change.COPIES) else None,
        former_name=held.name if held and change is Change.RENAME else None,
        renamed_by=_renaming(candidate, held, draft) if held and change is Change.RENAME else Cause.RETITLED,
        lost_regions=linked.cloud.lost_regions(present, linked.target) if present else (),
        attachments=record.attachments,
        held=present,
        inherited=inherited,
    )


_SAME_NAME = (Change.VALUE, Change.TAGS, Change.COPIES, Change.UNCHANGED, Change.REPLACE)


def _change(candidate: Candidate, held: HeldSecret | None, draft: _Draft) -> Change:
    if held is None:
        return Change.CREATE
    names, synced = draft.linked.cloud.names, draft.revisions.get(candidate.record.uid)
    if names.key(held.name) != names.key(candidate.name):
        return Change.RENAME
    if not held.values or any(not _same(value, candidate, synced) for value in held.values):
        return Change.VALUE
    return Change.UNCHANGED if all(copy == candidate.tags for copy in held.tags) else Change.TAGS


def _renaming(candidate: Candidate, held: HeldSecret, draft: _Draft) -> Cause:
    """What gives a held secret another name: the record's title, or what stands before it."""
    record, key = candidate.record, draft.linked.cloud.names.key
    title = encodable(record.title)
    if draft.titles.get(record.uid, title) != title:
        return Cause.RETITLED
    name = candidate.name.removeprefix(draft.linked.configuration.name_prefix)
    return Cause.PREFIX if key(held.name).endswith(key(name)) else Cause.RETITLED


def _same(value: str | None, candidate: Candidate, synced: int | None) -> bool:
    """Whether a copy has the candidate's value. Where a cloud does not tell, the record's revision does."""
    return candidate.record.revision == synced if value is None else value == candidate.payload.value
