"""What must hold before anything is declared. A guard acts on the plan alone and raises `GuardError`."""

from __future__ import annotations

from uss.clouds.interface import HeldSecret
from uss.config import Limits
from uss.errors import GuardError
from uss.plan import Change, ConfigurationPlan, Mode, Plan, RemovedConfiguration
from uss.text import shown

_ENDING = (Change.RENAME, Change.REPLACE)
"""Changes with which a secret ends that was there."""
PERCENT_COUNTS_FROM = 10
"""Secrets from which on the percentage counts: below, one record would be a large share."""


def check(plan: Plan) -> None:
    """Raise `GuardError` when the plan would delete more than it may, or a configuration suddenly reads empty."""
    for part in plan.configurations:
        if part.mode is Mode.SYNC:
            _reads_empty(part, plan.source)
            _protected(part, plan.source)
            _deletes(part.name, part.deletions, part.held, part.configuration.limits, plan.source)
    for removed in plan.removed:
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


def _reads_empty(part: ConfigurationPlan, source: str) -> None:
    if part.deletions and not part.secrets and not part.refusals:
        raise GuardError(
            f"{source}, configuration {shown(part.name)}: its folders read empty, and the cloud holds "
            f"{len(part.deletions)} secrets of it. Nothing was changed. Check that the folders still hold their "
            "records and that the application may read them. If the secrets are to go, remove the configuration from "
            "the file."
        )


def _deletes(name: str, deletions: tuple[HeldSecret, ...], held: int, limits: Limits, source: str) -> None:
    exceeded = _exceeded(len(deletions), held, limits)
    if exceeded:
        raise GuardError(
            f"{source}, configuration {shown(name)}: this run would delete {len(deletions)} of {held} secrets, and "
            f"{' and '.join(exceeded)}. Nothing was changed. They are: {_names(deletions)}. If they are to go, raise "
            "the limits for one run."
        )


def _removed(removed: RemovedConfiguration, source: str) -> None:
    count = len(removed.deletions)
    if _exceeded(count, count, Limits()):
        raise GuardError(
            f"{source}: the configuration {shown(removed.name)} is no longer there, so this run would delete its "
            f"{count} secrets: {_names(removed.deletions)}. Nothing was changed. If they are to go, delete them first "
            f"with `pulumi destroy --target '**{removed.name}/*'`; if not, put the configuration back (with "
            "`enabled: false` to leave its secrets as they are)."
        )


def _exceeded(count: int, held: int, limits: Limits) -> list[str]:
    exceeded = []
    if count > limits.max_deletes:
        exceeded.append(f"limits.maxDeletes is {limits.max_deletes}")
    if held >= PERCENT_COUNTS_FROM and 100 * count > limits.max_delete_percent * held:
        exceeded.append(f"limits.maxDeletePercent is {limits.max_delete_percent}")
    return exceeded


def _names(deletions: tuple[HeldSecret, ...]) -> str:
    names = ", ".join(shown(secret.name) for secret in deletions[:5])
    return f"{names} and {len(deletions) - 5} more" if len(deletions) > 5 else names
