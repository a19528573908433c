"""The plan in the engine's diagnostics, its result in the stack's outputs: titles, names and counts, never a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uss.clouds.interface import KeyVault
from uss.planning.approval import approval
from uss.planning.plan import Cause, Change, ConfigurationPlan, Mode, Plan, PlannedSecret, Refusal
from uss.text import encodable, shown

_CHANGES = {
    Change.CREATE: "to create",
    Change.RECOVER: "to recover",
    Change.ADOPT: "to adopt",
    Change.RENAME: "to rename",
    Change.TAKE_OVER: "to take over",
    Change.REPLACE: "to replace",
    Change.COPIES: "with other copies",
    Change.MOVE: "to move",
    Change.VALUE: "with a new value",
    Change.TAGS: "with new tags",
    Change.UNCHANGED: "unchanged",
}
_PLAIN_CHANGES = {Change.CREATE: "create", Change.VALUE: "new value for", Change.TAGS: "new tags for"}
_DEEDS = {Change.COPIES: "copies of", Change.REPLACE: "REPLACE"}
_REASONS = {
    Change.CREATE: "there is no secret of this record yet",
    Change.RECOVER: "it is this stack's own, and the state had lost it",
    Change.MOVE: "it is made anew there, then deleted where it was",
    Change.VALUE: "the record's value changed",
    Change.TAGS: "its tags changed, and the value stays",
}
_RENAMED = {Cause.RETITLED: "the record was retitled", Cause.PREFIX: "`namePrefix` changed"}
_SAME = {
    True: "its value is the record's",
    False: "its value differs from the record's, which replaces it",
    None: "whether its value is the record's cannot be told there: it is written once",
}
_LINES = 200
"""Lines of changes that a configuration gets in the summary: the engine lists every resource besides."""


def summary(plan: Plan) -> str:
    """Return the plan in lines: for each configuration what will happen to which record, and what will not."""
    lines = [line for part in plan.configurations for line in _configuration(part)]
    for removed in plan.removed:
        lines.append(f"{removed.name}: no longer in {plan.source}{_plan(removed.digest)}")
        deed = "let go of" if removed.retained else "delete"
        lines += [f"  {deed} {secret.name} (record {secret.record_uid})" for secret in removed.deletions]
    return "\n".join(lines)


def warnings(part: ConfigurationPlan) -> list[str]:
    """Return a line for each record that is not synced (title, UID, reason and mend), and one for each note."""
    kept = {secret.record_uid for secret in part.kept}
    lines = [_refusal(refusal, refusal.record_uid in kept) for refusal in part.refusals]
    return [f"{part.name}: {line}" for line in lines + notes(part)]


def notes(part: ConfigurationPlan) -> list[str]:
    """Return a line for each matter beside the refusals that someone should see to."""
    lines = []
    if part.unadopted:
        names = ", ".join(shown(entry) for entry in part.unadopted)
        lines.append(f"`adopt` lists {names}, which is no record of the linked folders: correct or remove it.")
    if part.denied:
        lines.append(
            f"the Sync Identity may not look at {_counted(len(part.denied), 'name')} of secrets to create "
            f"({shown(part.denied[0])}{', ...' if len(part.denied) > 1 else ''}). If there is a secret of that name "
            f"already, its creation fails, and nothing is overwritten. The cloud says: {part.refusal}"
        )
    if part.deleted_unseen:
        lines.append(
            "the key vault did not tell which deleted secrets it keeps (the identity may not list them, "
            "or the network is closed). One of a name to create is brought back with its older versions."
        )
    if part.orphans:
        named = ", ".join(f"{shown(entry.name)} (record {shown(entry.record_uid)})" for entry in part.orphans[:5])
        more = f" and {len(part.orphans) - 5} more" if len(part.orphans) > 5 else ""
        lines.append(
            f"the cloud holds {_counted(len(part.orphans), 'secret')} of this stack whose records are no "
            f"longer in the linked folders, and which the state does not know: {named}{more}. They stay as they are. "
            "Delete them there if nobody reads them, or bring the records back."
        )
    return lines


def reason(secret: PlannedSecret) -> str:
    """Return why the secret changes as it does, and what readers lose; nothing where it does not change."""
    why = _why(secret)
    if secret.lost_regions and secret.change is not Change.COPIES:
        gone = f"it is taken out of {', '.join(secret.lost_regions)}"
        return f"{why}; {gone}" if why else gone
    return why


def _why(secret: PlannedSecret) -> str:
    if secret.change is Change.RENAME:
        return f"{_RENAMED[secret.renamed_by]}: until now it is {secret.former_name}"
    if secret.change is Change.ADOPT and secret.found:
        return f"it is there, and {_SAME[secret.found.same_value]}"
    if secret.change is Change.COPIES:
        return secret.replacement or ""
    if secret.change is Change.TAKE_OVER and secret.held:
        return f"the record replaces {secret.held.record_uid}, which has left"
    if secret.change is Change.REPLACE:
        return f"{secret.replacement}; it is deleted, then made anew"
    return _REASONS.get(secret.change, "")


def missing_vault(part: ConfigurationPlan) -> str:
    """Return the line about an Azure key vault that the run makes."""
    return f"the key vault {part.configuration.vault_name} is not there yet: it will be made"


def attachments(part: ConfigurationPlan) -> list[str]:
    """Return a line for each synced record whose attachments stay behind."""
    return [
        f"not synced: attachments of {shown(secret.title)}: {', '.join(shown(name) for name in secret.attachments)}"
        for secret in part.secrets
        if secret.attachments
    ]


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
                "title": encodable(refusal.title),
                "reason": refusal.reason.value,
                "found": refusal.found,
                "mend": refusal.mend,
            }
            for refusal in part.refusals
        },
        "attachmentsNotSynced": {
            secret.record_uid: [encodable(name) for name in secret.attachments]
            for secret in part.secrets
            if secret.attachments
        },
    }


def _configuration(part: ConfigurationPlan) -> list[str]:
    if part.mode is Mode.DISABLED:
        return [f"{part.name}: disabled, {_counted(part.held, 'secret')} left as they are"]
    lines = [f"{part.name}: {_counts(part)}"]
    if part.mode is Mode.HOLD:
        how = f" unless it is approved: {approval(part.name, part.digest)}" if part.digest else ""
        lines.append(f"  dryRun is true: `pulumi up` applies none of this{how}")
    if part.approved:
        lines.append("  approved: `pulumi up` applies this very plan")
    if part.key_vault is KeyVault.MISSING:
        lines.append(f"  {missing_vault(part)}")
    changes = [_change(secret) for secret in part.secrets if secret.change is not Change.UNCHANGED]
    note = part.cloud.deletion(part.configuration) if part.cloud else ""
    changes += [f"  delete {secret.name} (record {secret.record_uid} has left): {note}" for secret in part.deletions]
    lines += changes[:_LINES]
    if len(changes) > _LINES:
        lines.append(f"  and {len(changes) - _LINES} more")
    return lines + [f"  {line}" for line in attachments(part)]


def _change(secret: PlannedSecret) -> str:
    record = f"record {shown(secret.title)}"
    if secret.change in _PLAIN_CHANGES:
        more = f": {reason(secret)}" if secret.lost_regions else ""
        return f"  {_PLAIN_CHANGES[secret.change]} {secret.name} ({record}){more}"
    if secret.change is Change.RENAME:
        why = "was retitled" if secret.renamed_by is Cause.RETITLED else "has another `namePrefix`"
        return f"  rename {secret.former_name} to {secret.name} ({record} {why})"
    return f"  {_DEEDS.get(secret.change, secret.change.value)} {secret.name} ({record}): {reason(secret)}"


def _counts(part: ConfigurationPlan) -> str:
    counts = {text: part.count(change) for change, text in _CHANGES.items()}
    counts |= {"to delete": len(part.deletions), "refused": len(part.refusals)}
    listed = ", ".join(f"{count} {text}" for text, count in counts.items() if count)
    return f"{_counted(len(part.secrets), 'secret')}{': ' if listed else ''}{listed}{_plan(part.digest)}"


def _plan(digest: str) -> str:
    return f" (plan {digest})" if digest else ""


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _refusal(refusal: Refusal, kept: bool) -> str:
    consequence = " Its secret stays as it is." if kept else ""
    return (
        f"record {shown(refusal.title)} ({refusal.record_uid}) is not synced: {refusal.reason}: "
        f"{refusal.found}.{consequence} {refusal.mend}"
    )


def _record(secret: PlannedSecret, outcome: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": encodable(secret.title),
        "name": secret.name,
        "contentType": secret.payload.content_type,
        "revision": secret.revision,
        **outcome,
    }
