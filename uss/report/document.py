"""The plan as data for other programs: what happens to which record and why, and no value.

The Pulumi program hands it over in the file that `USS_PLAN_FILE` names, because the engine's own output has room for
resources only: `uss plan` and `uss watch` set the variable and read the file.
"""

from __future__ import annotations

import os
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from uss.clouds.interface import HeldSecret, KeyVault
from uss.planning.approval import approval
from uss.planning.plan import Change, ConfigurationPlan, Mode, Plan, PlannedSecret, Refusal, RemovedConfiguration
from uss.report.diagnostics import attachments, missing_vault, notes, reason
from uss.text import encodable

VARIABLE = "USS_PLAN_FILE"


class Deed(StrEnum):
    """What happens to a record's secret beside the plan's own `Change`s."""

    DELETE = "delete"
    RELEASE = "release"
    """It stays in the cloud, and the stack lets go of it."""
    REFUSED = "refused"
    KEPT = "kept"
    """It stays as it is, because its configuration is disabled or its `onDelete` is not yet in effect."""
    DRIFT = "drift"
    """The plan changes nothing, and the engine does: the cloud or the provider's settings are not as they were."""


QUIET = frozenset((Change.UNCHANGED.value, Deed.REFUSED.value, Deed.KEPT.value))
"""Changes with which nothing is to be done."""
REMOVED = "removed"
"""The mode of a configuration that the stack file no longer has."""


class _Model(BaseModel):
    # Built when first used: most runs hand nothing over.
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, defer_build=True)


class RecordLine(_Model):
    """One record: `change` is a `Change` or a `Deed`; `mend` says what to do about a refusal."""

    record: str
    title: str = ""
    """Empty for a record that has left, of which the vault tells nothing."""
    name: str = ""
    change: str
    why: str = ""
    mend: str = ""


class ConfigurationDocument(_Model):
    """One configuration. `digest` is what an approval names; it is empty where nothing is to be done."""

    name: str
    cloud: str | None
    mode: str
    approved: bool = False
    digest: str = ""
    approval: str = ""
    """What a person types before `pulumi up` to approve this very plan."""
    records: tuple[RecordLine, ...] = ()
    warnings: tuple[str, ...] = ()
    """What someone should know or see to, beside the refusals."""

    @property
    def counts(self) -> dict[str, int]:
        """How many records there are for each change."""
        return dict(Counter(line.change for line in self.records))

    @property
    def changes(self) -> tuple[RecordLine, ...]:
        """The records with which something is to be done."""
        return tuple(line for line in self.records if line.change not in QUIET)

    @property
    def refused(self) -> tuple[RecordLine, ...]:
        """The records that are not synced."""
        return tuple(line for line in self.records if line.change == Deed.REFUSED)


class PlanDocument(_Model):
    """A run's plan, and why it was stopped, if it was."""

    source: str = ""
    """The stack file, as messages name it; empty where the run stopped before it was read."""
    configurations: tuple[ConfigurationDocument, ...] = ()
    stopped: str | None = None
    approvable: bool = False
    """Whether an approval of exactly this plan lets it pass what stopped it."""

    @property
    def changes(self) -> bool:
        """Whether something is to be done with any record."""
        return any(part.changes for part in self.configurations)

    @property
    def held_configurations(self) -> tuple[ConfigurationDocument, ...]:
        """The configurations in which something is to be done, and `dryRun: true` holds it."""
        return tuple(part for part in self.configurations if part.mode == Mode.HOLD and part.digest)

    @property
    def approvals(self) -> str:
        """What `USS_APPROVE` has to be, so that exactly what is planned is applied: all of it where a guard stopped the
        run, else what `dryRun: true` holds. Empty where nothing waits for an approval.
        """
        if self.stopped and not self.approvable:
            return ""
        waiting = self.configurations if self.stopped else self.held_configurations
        return ",".join(f"{part.name}={part.digest}" for part in waiting if part.digest)

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return the plan as data."""
        parts = [_configuration(part) for part in plan.configurations]
        return cls(source=plan.source, configurations=(*parts, *(_removed(removed) for removed in plan.removed)))


def hand_over(plan: Plan) -> None:
    """Write the plan as data to the file that `USS_PLAN_FILE` names; nothing where it is unset."""
    if path := os.environ.get(VARIABLE):
        _write(PlanDocument.of(plan), Path(path))


def hand_over_stop(reason: str, *, approvable: bool) -> None:
    """Add to what was handed over, if anything was, why the run stopped, and whether an approval lets it pass."""
    if path := os.environ.get(VARIABLE):
        so_far = taken_over(Path(path)) or PlanDocument()
        _write(so_far.model_copy(update={"stopped": encodable(reason), "approvable": approvable}), Path(path))


def taken_over(path: Path) -> PlanDocument | None:
    """Return what the program handed over in the file, or None where it did not come so far."""
    text = path.read_text(encoding="utf-8")
    return PlanDocument.model_validate_json(text) if text else None


def _write(document: PlanDocument, path: Path) -> None:
    path.write_text(document.model_dump_json(by_alias=True), encoding="utf-8")


def _configuration(part: ConfigurationPlan) -> ConfigurationDocument:
    kept = {secret.record_uid for secret in part.kept}
    refused = {refusal.record_uid for refusal in part.refusals}
    lines = [_secret(secret) for secret in part.secrets]
    lines += [_refusal(refusal, refusal.record_uid in kept) for refusal in part.refusals]
    note = part.cloud.deletion(part.configuration) if part.cloud else ""
    lines += [_left(secret, Deed.DELETE, f"the record has left; {note}") for secret in part.deletions]
    stays = (
        "its configuration is disabled" if part.mode is Mode.DISABLED else "its record has left, and onDelete keeps it"
    )
    lines += [_left(secret, Deed.KEPT, stays) for secret in part.kept if secret.record_uid not in refused]
    vault = [missing_vault(part)] if part.key_vault is KeyVault.MISSING else []
    return ConfigurationDocument(
        name=part.name,
        cloud=part.cloud.type.value if part.cloud else None,
        mode=part.mode.value,
        approved=part.approved,
        digest=part.digest,
        approval=approval(part.name, part.digest) if part.digest else "",
        records=tuple(lines),
        warnings=tuple(encodable(line) for line in [*vault, *notes(part), *attachments(part)]),
    )


def _removed(removed: RemovedConfiguration) -> ConfigurationDocument:
    deed = Deed.RELEASE if removed.retained else Deed.DELETE
    why = "its configuration is no longer in the stack file"
    return ConfigurationDocument(
        name=removed.name,
        cloud=None,
        mode=REMOVED,
        approved=removed.approved,
        digest=removed.digest,
        approval=approval(removed.name, removed.digest) if removed.digest else "",
        records=tuple(_left(secret, deed, why) for secret in removed.deletions),
    )


def _secret(secret: PlannedSecret) -> RecordLine:
    return RecordLine(
        record=secret.record_uid,
        title=encodable(secret.title),
        name=secret.name,
        change=secret.change.value,
        why=encodable(reason(secret)),
    )


def _refusal(refusal: Refusal, kept: bool) -> RecordLine:
    return RecordLine(
        record=refusal.record_uid,
        title=encodable(refusal.title),
        change=Deed.REFUSED,
        why=encodable(f"{refusal.reason}: {refusal.found}." + (" Its secret stays as it is." if kept else "")),
        mend=encodable(refusal.mend),
    )


def _left(secret: HeldSecret, deed: Deed, why: str) -> RecordLine:
    return RecordLine(record=secret.record_uid, name=secret.name, change=deed, why=why)
