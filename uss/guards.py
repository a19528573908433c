"""What must hold before anything is declared. A guard acts on the plan alone and raises `GuardError`."""

from __future__ import annotations

from uss.approval import approval
from uss.config import Limits
from uss.errors import GuardError
from uss.plan import Change, ConfigurationPlan, Mode, Plan, Reason, RemovedConfiguration
from uss.text import shown

_ENDING = (Change.RENAME, Change.MOVE, Change.REPLACE)
"""Changes with which a secret ends that was there."""
PERCENT_COUNTS_FROM = 10
"""Secrets from which on the percentage counts: below, one record would be a large share."""


def check(plan: Plan) -> None:
    """Raise `GuardError` when the plan would delete more than it may, or a configuration suddenly reads empty."""
    for part in plan.configurations:
        if part.mode is Mode.SYNC:
            _protected(part, plan.source)
            _unmovable(part, plan.source)
            if not part.approved:
                _moved(part, plan.source)
                _reads_empty(part, plan.source)
                _deletes(part, plan.source)
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


def _deletes(part: ConfigurationPlan, source: str) -> None:
    """A replaced secret counts too: it is deleted before it is made anew, with all its older versions."""
    replaced = [secret.name for secret in part.secrets if secret.change is Change.REPLACE]
    names = [secret.name for secret in part.deletions] + replaced
    exceeded = _exceeded(len(names), part.held, part.configuration.limits)
    if exceeded:
        anew = f" ({len(replaced)} to make them anew)" if replaced else ""
        raise GuardError(
            f"{source}, configuration {shown(part.name)}: this run would delete {len(names)} of {part.held} "
            f"secrets{anew}, and {' and '.join(exceeded)}. Nothing was changed. They are: {_names(names)}.",
            approval=approval(part.name, part.digest),
        )


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
