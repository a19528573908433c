"""What must hold before anything is declared. A guard acts on the plan alone and raises `GuardError`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from uss.config import Limits
from uss.errors import GuardError
from uss.planning.approval import approval
from uss.planning.plan import Cause, Change, ConfigurationPlan, Loss, Mode, Plan, Reason, RemovedConfiguration
from uss.text import shown

_ENDING = (Change.RENAME, Change.MOVE, Change.REPLACE)
"""Changes with which a secret ends that was there."""
PERCENT_COUNTS_FROM = 10
"""Secrets from which on the percentage counts: below, one record would be a large share."""
_DELETING = frozenset({Cause.DELETED, Cause.REPLACED})


def check(plan: Plan) -> None:
    """Raise `GuardError` when readers would lose more than limits allow, or a configuration suddenly reads empty."""
    for part in plan.configurations:
        if part.mode is Mode.SYNC:
            _protected(part, plan.source)
            _unmovable(part, plan.source)
            if not part.approved:
                _moved(part, plan.source)
                _reads_empty(part, plan.source)
                _loses(part, plan.source)
    for removed in plan.removed:
        if not removed.approved and not removed.retained:
            _removed(removed, plan.source)


def _protected(part: ConfigurationPlan, source: str) -> None:
    """A protected secret's versions would be gone by the time that the cloud refuses to delete the secret itself."""
    if not part.configuration.deletion_protection:
        return
    names = [secret.name for secret in part.deletions]
    names += [secret.former_name or secret.name for secret in part.secrets if secret.change in _ENDING]
    if names:
        raise GuardError(
            f"{source}, configuration {shown(part.name)}: deletionProtection is true, and this run would delete "
            f"{', '.join(shown(name) for name in names[:5])}{' and more' if len(names) > 5 else ''}. Nothing was "
            "changed. Bring the records back as they were, or set deletionProtection to false for one run."
        )


def _unmovable(part: ConfigurationPlan, source: str) -> None:
    for move in part.moves:
        if not move.possible:
            raise GuardError(
                f"{source}, configuration {shown(part.name)}: its secrets are in {move.before}, and it now writes to "
                f"{move.after}, whose identity cannot take them along. Nothing was changed. Give the new target a "
                "configuration of another name beside this one, and take this one out once readers have moved."
            )


def _moved(part: ConfigurationPlan, source: str) -> None:
    if part.moves:
        ways = "; ".join(f"from {move.before} to {move.after}" for move in part.moves)
        raise GuardError(
            f"{source}, configuration {shown(part.name)}: its secrets would move {ways}: they are made anew there and "
            "deleted here. Nothing was changed. Put the PAM Configuration and the stack file back as they were, or "
            "give the new target a configuration of its own.",
            approval=approval(part.name, part.digest),
        )


def _reads_empty(part: ConfigurationPlan, source: str) -> None:
    readable = [refusal for refusal in part.refusals if refusal.reason is not Reason.CREDENTIALS]
    if part.deletions and not part.secrets and not readable:
        raise GuardError(
            f"{source}, configuration {shown(part.name)}: its folders read empty, and the cloud holds "
            f"{len(part.deletions)} secrets of it. Nothing was changed. Check that the folders still hold their "
            "records and that the application may read them.",
            approval=approval(part.name, part.digest),
        )


def _loses(part: ConfigurationPlan, source: str) -> None:
    """Limits count secrets, each once, whatever takes it from where its readers have it."""
    losses = part.losses
    names = list({loss.record_uid: loss.name for loss in losses}.values())
    exceeded = _exceeded(len(names), part.held, part.configuration.limits)
    if exceeded:
        raise GuardError(
            f"{source}, configuration {shown(part.name)}: {_what(losses, len(names), part)}, and "
            f"{' and '.join(exceeded)}. Nothing was changed. They are: {_names(names)}.",
            approval=approval(part.name, part.digest),
        )


def _what(losses: Collection[Loss], count: int, part: ConfigurationPlan) -> str:
    counts = Counter(loss.cause for loss in losses)
    if counts.keys() <= _DELETING:
        anew = f" ({counts[Cause.REPLACED]} to make them anew)" if counts[Cause.REPLACED] else ""
        return f"this run would delete {count} of {part.held} secrets{anew}"
    regions = ", ".join(sorted({region for loss in losses for region in loss.regions}))
    causes = {
        Cause.PREFIX: f"renamed, because `namePrefix` is now {shown(part.configuration.name_prefix)}",
        Cause.RETITLED: "renamed, because their records were retitled",
        Cause.REGION: f"taken out of {regions}, because the configuration no longer has that region",
        Cause.REPLACED: "deleted and made anew",
        Cause.DELETED: "deleted, because their records have left",
    }
    ways = "; ".join(f"{counts[cause]} {text}" for cause, text in causes.items() if counts[cause])
    return f"this run would take {count} of {part.held} secrets from where their readers find them ({ways})"


def _removed(removed: RemovedConfiguration, source: str) -> None:
    names = _names([secret.name for secret in removed.deletions])
    raise GuardError(
        f"{source}: the configuration {shown(removed.name)} is no longer there, so this run would delete its "
        f"{len(removed.deletions)} secrets: {names}. Nothing was changed. If it was renamed, give "
        f"the new one `formerly: {removed.name}`. To leave its secrets as they are, put it back with "
        "`enabled: false`.",
        approval=approval(removed.name, removed.digest),
    )


def _exceeded(count: int, held: int, limits: Limits) -> list[str]:
    exceeded = []
    if count > limits.max_deletes:
        exceeded.append(f"limits.maxDeletes is {limits.max_deletes}")
    if held >= PERCENT_COUNTS_FROM and 100 * count > limits.max_delete_percent * held:
        exceeded.append(f"limits.maxDeletePercent is {limits.max_delete_percent}")
    return exceeded


def _names(listed: list[str]) -> str:
    names = ", ".join(shown(name) for name in listed[:5])
    return f"{names} and {len(listed) - 5} more" if len(listed) > 5 else names
