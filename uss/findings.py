"""A plan, settled with what the cloud said it holds already: a pure function.

What this stack's own tags mark as the record's secret is recovered: imported into the state, not made again. What is
nobody's is adopted where the configuration says so. All else is a conflict: never written, never deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from uss.clouds.interface import MANAGED_BY, Findings, FoundSecret, HeldSecret, Ownership
from uss.plan import Change, ConfigurationPlan, PlannedSecret, Reason, Refusal
from uss.text import shown

_MEND = "Retitle the record, give the configuration a `namePrefix`, or delete that secret if nobody needs it."
_ADOPT = "To take it over, list the record under `adopt`; or retitle the record, or give a `namePrefix`."
# Whoever sets one of these on a secret takes it for theirs.
_TOOLS = ("managed-by", "managed_by", "goog-terraform-provisioned", "goog-pulumi-provisioned")
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
    listed = {secret.record_uid, secret.title}.intersection(part.configuration.adopt)
    stray = ownership.owns(tags, tags.get("keeper-record-uid", ""))
    return Claim.ADOPTED if listed and (stray or _tool(tags) is None) else Claim.FOREIGN


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
        if holder is None and Claim.FOREIGN not in claims:
            secrets.append(_taken(secret, found, Claim.ADOPTED in claims))
            continue
        if holder is not None:
            refusals.append(_in_use(secret, holder))
        else:
            refusals.append(_conflict(secret, part, found.tags[claims.index(Claim.FOREIGN)]))
        if secret.held:
            kept.append(secret.held)
    return replace(
        part,
        secrets=tuple(secrets),
        refusals=tuple(sorted(refusals, key=lambda refusal: refusal.record_uid)),
        kept=tuple(sorted(kept, key=lambda held: held.record_uid)),
        denied=findings.denied,
        key_vault=findings.key_vault,
    )


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
    return Refusal(secret.record_uid, secret.title, Reason.NAME_IN_USE, found, mend)


def _conflict(secret: PlannedSecret, part: ConfigurationPlan, tags: Mapping[str, str]) -> Refusal:
    where = part.cloud.names.cloud if part.cloud else "the cloud"
    found = f"{where} holds a secret {shown(secret.name)} already, {_whose(tags)}"
    return Refusal(secret.record_uid, secret.title, Reason.CONFLICT, found, _ADOPT if _tool(tags) is None else _MEND)


def _whose(tags: Mapping[str, str]) -> str:
    tool = _tool(tags)
    if tool is None:
        return "which this stack did not create"
    if tags.get("managed-by") != MANAGED_BY:
        return f"which another tool manages: it is marked {shown(tool)}: {shown(tags[tool])}"
    project, stack, uid = (tags.get(key, "") for key in ("pulumi-project", "pulumi-stack", "keeper-record-uid"))
    return f"which the stack {shown(stack)} of project {shown(project)} manages, for record {shown(uid)}"


def _tool(tags: Mapping[str, str]) -> str | None:
    """The mark by which a tool claims the secret."""
    return next((key for key in sorted(tags) if key in _TOOLS or key.startswith(_TOOL_PREFIX)), None)
