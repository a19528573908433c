"""A plan, settled with what the cloud said it holds already: a pure function.

What this stack's own tags mark as the record's secret is recovered: imported into the state, not made again. What
anybody else's is, or nobody's, is a conflict: never written, never deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from uss.clouds.interface import MANAGED_BY, Findings, FoundSecret, HeldSecret, Ownership
from uss.plan import Change, ConfigurationPlan, PlannedSecret, Reason, Refusal
from uss.text import shown

_MEND = "Retitle the record, give the configuration a `namePrefix`, or delete that secret if nobody needs it."


def settle(part: ConfigurationPlan, findings: Findings, ownership: Ownership) -> ConfigurationPlan:
    """Return the configuration's plan with recoveries in place of creations, and refusals where there are conflicts."""
    secrets: list[PlannedSecret] = []
    refusals: list[Refusal] = list(part.refusals)
    kept: list[HeldSecret] = list(part.kept)
    for secret in part.secrets:
        found = findings.secrets.get(secret.record_uid)
        stranger = _stranger(found, secret, ownership) if found else None
        if stranger is None:
            secrets.append(_recovered(secret, found) if found else secret)
            continue
        refusals.append(_conflict(secret, part, stranger))
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


def _recovered(secret: PlannedSecret, found: FoundSecret) -> PlannedSecret:
    change = Change.RECOVER if secret.change is Change.CREATE else secret.change
    return replace(secret, change=change, found=found)


def _stranger(found: FoundSecret, secret: PlannedSecret, ownership: Ownership) -> Mapping[str, str] | None:
    """The tags of a copy that is not this stack's secret of the record, or None."""
    return next((tags for tags in found.tags if not ownership.owns(tags, secret.record_uid)), None)


def _conflict(secret: PlannedSecret, part: ConfigurationPlan, tags: Mapping[str, str]) -> Refusal:
    where = part.cloud.names.cloud if part.cloud else "the cloud"
    found = f"{where} holds a secret {shown(secret.name)} already, {_whose(tags)}"
    return Refusal(secret.record_uid, secret.title, Reason.CONFLICT, found, _MEND)


def _whose(tags: Mapping[str, str]) -> str:
    manager = tags.get("managed-by")
    if manager != MANAGED_BY:
        return f"which is managed by {shown(manager)}" if manager else "which this stack did not create"
    project, stack, uid = (tags.get(key, "") for key in ("pulumi-project", "pulumi-stack", "keeper-record-uid"))
    return f"which the stack {shown(stack)} of project {shown(project)} manages, for record {shown(uid)}"
