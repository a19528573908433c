"""Which imported secrets the stack can take over as they are: what the sync would write, against what the cloud has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from uss.clouds import CLOUDS
from uss.clouds.aws import AwsTarget
from uss.clouds.gcp import GcpTarget, worded
from uss.config import RegionMode
from uss.importer.differences import differences
from uss.importer.readers.filters import Filters
from uss.importer.readers.interface import Reader, marks
from uss.importer.readers.secrets import CloudSecret, Listed, Skipped
from uss.planning.build import Holdings, build_plan
from uss.planning.plan import ConfigurationPlan, PlannedSecret, Refusal
from uss.planning.settle import Claim, claim, tool_of
from uss.records.origin import Label, Origin, origin_of
from uss.text import shown
from uss.workplace.opening import Workplace

_LONG = 512


class Verdict(StrEnum):
    """What can be done about an imported secret."""

    SAME = "same"
    """The sync would write the very same bytes."""
    DIFFERS = "differs"
    """It would write others: for a person to decide."""
    REWRITE = "rewrite"
    """The same, and a person has decided that it may."""
    OURS = "ours"
    """It is under the stack's management already."""
    NOT = "not"
    """It cannot be taken over."""


@dataclass(frozen=True)
class Finding:
    """One imported record and its secret."""

    record_uid: str
    title: str
    name: str
    verdict: Verdict
    text: str
    """In words, what is so."""


def examine(workplace: Workplace, reader: Reader, rewrite: Collection[str]) -> Iterator[Finding]:
    """Give a finding for each record of the linked folders that was imported from the configuration's cloud.

    `rewrite` are UIDs of records whose secrets may be written anew. Raises a `CloudError`.
    """
    part = _plan(workplace)
    key = workplace.linked.cloud.names.key
    listed = {key(entry.name): entry for entry in reader.list(Filters())}
    sources = _sources(workplace)
    for refusal in part.refusals:
        if refusal.record_uid in sources:
            yield _refused(refusal)
    for secret in part.secrets:
        if source := sources.get(secret.record_uid):
            entry = listed.get(key(secret.name))
            verdict, text = _judge(workplace, part, secret, source, entry, reader)
            if verdict is Verdict.DIFFERS and secret.record_uid in rewrite:
                verdict = Verdict.REWRITE
            yield Finding(secret.record_uid, secret.title, secret.name, verdict, text)


def _plan(workplace: Workplace) -> ConfigurationPlan:
    """The configuration's plan as if the state held nothing and every record were to be adopted."""
    uids = [record.uid for record in workplace.linked.records]
    configuration = workplace.linked.configuration.model_copy(update={"adopt": uids, "enabled": True})
    source = workplace.stack_file.source
    plan = build_plan([configuration], workplace.snapshot, Holdings(), CLOUDS, workplace.ownership, source)
    return plan.configurations[0]


def _sources(workplace: Workplace) -> Mapping[str, str]:
    origins = ((record.uid, origin_of(record)) for record in workplace.linked.records)
    cloud = workplace.linked.cloud.type
    return {uid: origin.source for uid, origin in origins if isinstance(origin, Origin) and origin.cloud is cloud}


def _refused(refusal: Refusal) -> Finding:
    text = f"the record is not synced: {refusal.reason}: {refusal.found}. {refusal.mend}"
    return Finding(refusal.record_uid, refusal.title, "", Verdict.NOT, text)


def _judge(
    workplace: Workplace,
    part: ConfigurationPlan,
    secret: PlannedSecret,
    source: str,
    entry: Listed | None,
    reader: Reader,
) -> tuple[Verdict, str]:
    if entry is None:
        return Verdict.NOT, _missing(secret, source)
    if entry.problem:
        return Verdict.NOT, f"it {entry.problem}"
    tags = marks(entry.tags)
    whose = claim(part, secret, tags, workplace.ownership)
    if whose is Claim.OURS:
        return Verdict.OURS, "the stack manages it already"
    if whose is Claim.FOREIGN:
        mark = tool_of(tags) or ""
        return Verdict.NOT, f"it is marked {shown(mark)}: {shown(tags.get(mark, ''))}: take it out of that tool first"
    found = reader.read(entry)
    if isinstance(found, Skipped):
        return Verdict.NOT, f"it {found.reason}"
    if fault := _elsewhere(workplace, found):
        return Verdict.NOT, fault
    told = [*_changes(workplace, secret, found)]
    if entry.source.lower() != source.lower():
        told.append(f"the record was imported from another secret, {shown(source, _LONG)}")
    if told:
        return Verdict.DIFFERS, f"the sync would change: {'; '.join(told)}"
    return Verdict.SAME, f"the sync would write the same bytes{_added(workplace, found)}"


def _missing(secret: PlannedSecret, source: str) -> str:
    text = f"there is no secret {shown(secret.name)}: the next update creates it. It was imported from"
    return f"{text} {shown(source, _LONG)}: to keep that one, give the record its name as the field {Label.NAME}"


def _changes(workplace: Workplace, secret: PlannedSecret, found: CloudSecret) -> Iterator[str]:
    """What programs and people would see change, in words."""
    if found.text != secret.payload.value:
        yield ", ".join(differences(found.text, secret.payload.value))
    cloud, listed = workplace.linked.cloud, found.listed
    had = {key: value for key, value in listed.tags.items() if not cloud.reserves(key)}
    if lost := sorted(key for key, value in had.items() if secret.tags.get(key) != value):
        yield f"tags ({', '.join(shown(key) for key in lost)})"
    if listed.content_type not in ("", secret.payload.content_type):
        yield f"content type ({shown(listed.content_type)} becomes {shown(secret.payload.content_type)})"
    target = workplace.linked.target
    if isinstance(target, AwsTarget) and workplace.linked.configuration.region_mode is RegionMode.INDEPENDENT:
        others = target.regions[1:]
        if others:
            yield f"perhaps the copies in {', '.join(others)}, which only the preview compares"


def _added(workplace: Workplace, found: CloudSecret) -> str:
    """Which copies taking the secret over would add."""
    target = workplace.linked.target
    if not isinstance(target, AwsTarget) or found.replicas is None:
        return ""
    added = [region for region in target.regions[1:] if region not in found.replicas]
    return f", and copy it to {', '.join(added)}" if added else ""


def _elsewhere(workplace: Workplace, found: CloudSecret) -> str | None:
    """Why taking the secret over would take copies away that programs may read: none is added to or moved here."""
    target, has = workplace.linked.target, found.replicas
    if has is None:
        return None
    if isinstance(target, AwsTarget) and workplace.linked.configuration.region_mode is RegionMode.REPLICATE:
        lost = [region for region in has if region not in target.regions]
        mend = f"list {', '.join(lost)} under `regions` too"
        return f"the sync would take away its replicas in {', '.join(lost)}: {mend}" if lost else None
    if isinstance(target, GcpTarget) and sorted(has) != sorted(target.replication):
        text = f"its replication is {worded(has)} and the configuration's {worded(target.replication)}"
        text += ", and cannot be changed"
        return f"{text}: put the record into a configuration of its own with that replication"
    return None
