"""The plan in lines for a terminal: by configuration, what happens to which record and why."""

from __future__ import annotations

from collections.abc import Iterator

from uss.planning.plan import Mode
from uss.report.document import REMOVED, ConfigurationDocument, PlanDocument, RecordLine
from uss.text import shown

_ORDER = ("create", "recover", "adopt", "rename", "take over", "move", "replace", "copies", "value", "tags", "drift")


def lines(document: PlanDocument) -> list[str]:
    """Return the plan's lines. Records that stay as they are are counted only."""
    return [line for part in document.configurations for line in _configuration(part)]


def counted(part: ConfigurationDocument) -> str:
    """Return how many records there are for each change, as `1 create, 2 unchanged`."""
    ordered = sorted(part.counts.items(), key=lambda entry: (_rank(entry[0]), entry[0]))
    return ", ".join(f"{count} {change}" for change, count in ordered) or "no records"


def standing(part: ConfigurationDocument) -> str:
    """Return in a sentence what becomes of the configuration's plan in `pulumi up`, or nothing where that is plain."""
    if part.mode == Mode.DISABLED:
        return "Disabled: everything stays as it is."
    if part.approved:
        return "Approved: `pulumi up` applies this very plan."
    if part.mode == Mode.HOLD and not part.digest:
        return "Held, because dryRun is true, and nothing is to be done."
    if part.mode == Mode.HOLD:
        return "Held, because dryRun is true: `pulumi up` applies none of this unless it is approved."
    if part.mode == REMOVED:
        return "No longer in the stack file."
    return ""


def ordered(part: ConfigurationDocument) -> list[RecordLine]:
    """Return the records with which something is to be done, by change, then by name."""
    return sorted(part.changes, key=lambda line: (_rank(line.change), line.change, line.name))


def _rank(change: str) -> int:
    return _ORDER.index(change) if change in _ORDER else len(_ORDER)


def _configuration(part: ConfigurationDocument) -> Iterator[str]:
    cloud = f" ({part.cloud})" if part.cloud else ""
    yield f"{part.name}{cloud}: {counted(part)}{f' (plan {part.digest})' if part.digest else ''}"
    if text := standing(part):
        yield f"  {text}"
    for line in ordered(part):
        yield f"  {line.change:9}  {line.name}  ({_record(line)}): {line.why}"
    for line in part.refused:
        yield f"  {line.change:9}  {_record(line)}: {line.why} {line.mend}"
    for warning in part.warnings:
        yield f"  note: {warning}"
    if part.approval and not part.approved and part.mode != Mode.SYNC:
        yield f"  to apply exactly this: {part.approval} pulumi up"


def _record(line: RecordLine) -> str:
    return f"record {shown(line.title)}, {line.record}" if line.title else f"record {line.record}"
