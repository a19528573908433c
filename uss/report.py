"""The plan and its result for people and for other programs: titles, names and counts, never a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uss.plan import Change, ConfigurationPlan, Mode, Plan, PlannedSecret, Refusal
from uss.text import shown

_VERBS = {
    Change.CREATE: "create",
    Change.RENAME: "rename",
    Change.TAKE_OVER: "take over",
    Change.VALUE: "change the value of",
}


def summary(plan: Plan) -> str:
    """Return the plan in lines: for each configuration what will happen to which record, and what will not."""
    lines = [line for part in plan.configurations for line in _configuration(part)]
    for removed in plan.removed:
        lines.append(f"{removed.name}: no longer in {plan.source}")
        lines += [f"  delete {secret.name} (record {secret.record_uid})" for secret in removed.deletions]
    return "\n".join(lines)


def refusals(part: ConfigurationPlan) -> list[str]:
    """Return a line for each record that is not synced: title, UID, reason and mend."""
    kept = {secret.record_uid for secret in part.kept}
    return [_refusal(part.name, refusal, refusal.record_uid in kept) for refusal in part.refusals]


def output(part: ConfigurationPlan, outcomes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a configuration's stack output. `outcomes` has for each record UID what the cloud adds to it."""
    return {
        "type": part.cloud.type.value if part.cloud else None,
        "mode": part.mode.value,
        "onDelete": part.configuration.on_delete.value,
        "counts": {
            "synced": len(part.secrets),
            "refused": len(part.refusals),
            "kept": len(part.kept),
        },
        "records": {secret.record_uid: _record(secret, outcomes[secret.record_uid]) for secret in part.secrets},
        "refused": {
            refusal.record_uid: {
                "title": refusal.title,
                "reason": refusal.reason.value,
                "found": refusal.found,
                "mend": refusal.mend,
            }
            for refusal in part.refusals
        },
        "attachmentsNotSynced": {
            secret.record_uid: list(secret.attachments) for secret in part.secrets if secret.attachments
        },
    }


def _configuration(part: ConfigurationPlan) -> list[str]:
    if part.mode is Mode.DISABLED:
        return [f"{part.name}: disabled, {_counted(part.held, 'secret')} left as they are"]
    lines = [f"{part.name}: {_counts(part)}"]
    if part.mode is Mode.HOLD:
        lines.append("  dryRun is true: `pulumi up` applies none of this")
    lines += [
        f"  {_VERBS[secret.change]} {secret.name} (record {shown(secret.title)})"
        for secret in part.secrets
        if secret.change in _VERBS
    ]
    lines += [f"  delete {secret.name} (record {secret.record_uid} has left)" for secret in part.deletions]
    for secret in part.secrets:
        if secret.attachments:
            names = ", ".join(shown(name) for name in secret.attachments)
            lines.append(f"  not synced: attachments of {shown(secret.title)}: {names}")
    return lines


def _counts(part: ConfigurationPlan) -> str:
    counts = [f"{part.count(change)} to {verb.removesuffix(' of')}" for change, verb in _VERBS.items()]
    counts = [count for count in counts if not count.startswith("0 ")]
    if part.deletions:
        counts.append(f"{len(part.deletions)} to delete")
    counts.append(f"{part.count(Change.UNCHANGED)} unchanged")
    if part.refusals:
        counts.append(f"{len(part.refusals)} refused")
    return f"{_counted(len(part.secrets), 'secret')}: {', '.join(counts)}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _refusal(configuration: str, refusal: Refusal, kept: bool) -> str:
    consequence = " Its secret stays as it is." if kept else ""
    return (
        f"{configuration}: record {shown(refusal.title)} ({refusal.record_uid}) is not synced: {refusal.reason}: "
        f"{refusal.found}.{consequence} {refusal.mend}"
    )


def _record(secret: PlannedSecret, outcome: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": secret.title,
        "name": secret.name,
        "contentType": secret.payload.content_type,
        "revision": secret.revision,
        **outcome,
    }
