"""Settling a plan with what the cloud said it holds already, by recoveries, adoptions, conflicts: a pure function.

What this stack's own tags mark as the record's secret is recovered: imported into the state, not made again. What is
nobody's is adopted where the configuration says so. All else is a conflict: never written, never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum

from uss.clouds.interface import MANAGED_BY, Findings, FoundSecret, HeldSecret, Marked, Ownership
from uss.config import OnDelete
from uss.planning.plan import Change, ConfigurationPlan, Mode, PlannedSecret, Reason, Refusal
from uss.records.naming import cloud_name
from uss.text import shown

_MEND = "Retitle the record, give the configuration a `namePrefix`, or delete that secret if nobody needs it."
_ADOPT = (
    "To take it over, list the record under `adopt` (`uss adopt` tells what would change); or retitle the record, or "
    "give a `namePrefix`."
)
# Whoever sets one of these on a secret takes it for theirs.
_TOOLS = ("managedby", "terraform", "googterraformprovisioned", "googpulumiprovisioned")
"""In small letters, and without what stands between words: tools write them in many ways."""
_TOOL_PREFIX = "aws:"  # CloudFormation's and those of AWS services that own secrets


class Claim(StrEnum):
    """What a stack may do with a secret that stands under a name that it wants."""

    OURS = "ours"
    """Its marks say that it is this stack's secret of the record."""
    ADOPTED = "adopted"
    """Nobody's by its marks, and the configuration's `adopt` lists the record."""
    FOREIGN = "foreign"


def claim(part: ConfigurationPlan, secret: PlannedSecret, tags: Mapping[str, str], ownership: Ownership) -> Claim:
    """Tell what the marks of a secret in the cloud allow. Marks of another stack or tool are never adopted."""
    if ownership.owns(tags, secret.record_uid):
        return Claim.OURS
    return Claim.ADOPTED if _listed(part, secret) and _adoptable(tags, ownership) else Claim.FOREIGN


def _listed(part: ConfigurationPlan, secret: PlannedSecret) -> bool:
    """Whether `adopt` lets the record take over a secret: its first one. Whoever may edit the record could otherwise
    turn it to another secret later, by another title; and a title counts only where it is what gives the name.
    """
    if secret.change is not Change.CREATE:
        return False
    configuration = part.configuration
    by_title = (
        part.cloud is not None and cloud_name(secret.title, configuration.name_prefix, part.cloud.names) == secret.name
    )
    return secret.record_uid in configuration.adopt or (by_title and secret.title in configuration.adopt)


def _adoptable(tags: Mapping[str, str], ownership: Ownership) -> bool:
    """Whether a secret is nobody's by its marks, or this stack's own for a record that left."""
    return tool_of(tags) is None or ownership.record_of(tags) is not None


def settle(
    part: ConfigurationPlan, findings: Findings, ownership: Ownership, holders: Mapping[str, str]
) -> ConfigurationPlan:
    """Return the configuration's plan with recoveries and adoptions in place of creations, and refusals where there are
    conflicts.

    `holders` has the IDs of what the state holds, with the names of the configurations that have it (also disabled
    ones, which make no plan): what another one has is not lost, and not to be taken.
    """
    secrets: list[PlannedSecret] = []
    refusals: list[Refusal] = list(part.refusals)
    kept: list[HeldSecret] = list(part.kept)
    for secret in part.secrets:
        found = findings.secrets.get(secret.record_uid)
        if found is None:
            secrets.append(secret)
            continue
        holder = _holder(found, part.name, holders)
        claims = [claim(part, secret, tags, ownership) for tags in found.tags]
        if holder is None and Claim.FOREIGN not in claims and found.obstacle is None:
            secrets.append(_taken(secret, found, Claim.ADOPTED in claims))
            continue
        if found.obstacle:
            refusals.append(_refused(secret, Reason.NAME_IN_USE, found.obstacle.found, found.obstacle.mend))
        elif holder is not None:
            refusals.append(_in_use(secret, holder))
        else:
            refusals.append(_conflict(secret, part, found.tags[claims.index(Claim.FOREIGN)], ownership))
        if secret.held:
            kept.append(secret.held)
    return replace(
        part,
        secrets=tuple(secrets),
        refusals=tuple(sorted(refusals, key=lambda refusal: refusal.record_uid)),
        kept=tuple(sorted(kept, key=lambda held: held.record_uid)),
        denied=findings.denied,
        refusal=findings.refusal,
        key_vault=findings.key_vault,
        deleted_unseen=findings.deleted_unseen,
        orphans=_lost(findings.marked, part, holders),
    )


def without_known(parts: Iterable[ConfigurationPlan]) -> tuple[ConfigurationPlan, ...]:
    """Return the settled plans with those orphans alone that no configuration accounts for.

    The marks do not say which configuration a secret is of. One of a disabled configuration, which reads nothing, or
    one that was let go of on purpose (`onDelete: retain`) cannot be told from an orphan: then none is named.
    """
    listed = tuple(parts)
    uncertain = any(part.mode is Mode.DISABLED or part.configuration.on_delete is OnDelete.RETAIN for part in listed)
    names = {secret.name.lower() for part in listed for secret in part.secrets}
    refused = {refusal.record_uid for part in listed for refusal in part.refusals}
    return tuple(
        replace(
            part,
            orphans=tuple(
                entry
                for entry in part.orphans
                if not uncertain and entry.name.lower() not in names and entry.record_uid not in refused
            ),
        )
        for part in listed
    )


def _lost(marked: Iterable[Marked], part: ConfigurationPlan, holders: Mapping[str, str]) -> tuple[Marked, ...]:
    """What the state has no part in, with the configuration's prefix, which says that it was its."""
    # Azure's IDs and names are compared without case.
    held = {resource_id.lower() for resource_id in holders}
    prefix = part.configuration.name_prefix.lower()
    return tuple(entry for entry in marked if entry.id.lower() not in held and entry.name.lower().startswith(prefix))


def _taken(secret: PlannedSecret, found: FoundSecret, adopted: bool) -> PlannedSecret:
    change = secret.change
    if change is Change.CREATE:
        change = Change.ADOPT if adopted else Change.RECOVER
    return replace(secret, change=change, found=found)


def _holder(found: FoundSecret, name: str, holders: Mapping[str, str]) -> str | None:
    """The other configuration that has what was found, or None."""
    # An import names a copy's region behind its ID.
    ids = (value.removesuffix(f"@{place}") for (_, place), value in found.imports.items())
    return next((holders[resource_id] for resource_id in ids if holders.get(resource_id, name) != name), None)


def _in_use(secret: PlannedSecret, holder: str) -> Refusal:
    found = f"the configuration {shown(holder)} of this stack has a secret of this name there"
    mend = "Give one of the two a `namePrefix`; if it was renamed, give the new one its former name as `formerly`."
    return _refused(secret, Reason.NAME_IN_USE, found, mend)


def _refused(secret: PlannedSecret, reason: Reason, found: str, mend: str) -> Refusal:
    return Refusal(secret.record_uid, secret.title, reason, found, mend)


def _conflict(secret: PlannedSecret, part: ConfigurationPlan, tags: Mapping[str, str], ownership: Ownership) -> Refusal:
    where = part.cloud.names.cloud if part.cloud else "the cloud"
    found = f"{where} holds a secret {shown(secret.name)} already, {_whose(tags)}"
    return _refused(secret, Reason.CONFLICT, found, _ADOPT if _adoptable(tags, ownership) else _MEND)


def _whose(tags: Mapping[str, str]) -> str:
    tool = tool_of(tags)
    if tool is None:
        return "which this stack did not create"
    if tags.get("managed-by") != MANAGED_BY:
        return f"which another tool manages: it is marked {shown(tool)}: {shown(tags[tool])}"
    project, stack, uid = (tags.get(key, "") for key in ("pulumi-project", "pulumi-stack", "keeper-record-uid"))
    return f"which the stack {shown(stack)} of project {shown(project)} manages, for record {shown(uid)}"


def tool_of(tags: Mapping[str, str]) -> str | None:
    """Return the mark by which a tool claims a secret as its own, or None."""
    return next((key for key in sorted(tags) if _is_mark(key.lower())), None)


def _is_mark(key: str) -> bool:
    return key.startswith(_TOOL_PREFIX) or "".join(filter(str.isalnum, key)) in _TOOLS
