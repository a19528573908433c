"""What the engine would change beside the plan: the cloud, the provider or its settings are not as they were left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from uss.automation.runs import Operation
from uss.clouds.interface import LogicalName
from uss.report.document import QUIET, ConfigurationDocument, Deed, PlanDocument, RecordLine


def with_drift(document: PlanDocument, operations: Iterable[Operation]) -> PlanDocument:
    """Return the document in which a record that the plan leaves as it is, and the engine does not, says so."""
    found: dict[tuple[str, str], list[Operation]] = defaultdict(list)
    for operation in operations:
        if logical := LogicalName.parse(operation.name):
            found[(logical.configuration, logical.record_uid)].append(operation)
    configurations = tuple(_configuration(part, found) for part in document.configurations)
    return document.model_copy(update={"configurations": configurations})


def _configuration(
    part: ConfigurationDocument, found: Mapping[tuple[str, str], list[Operation]]
) -> ConfigurationDocument:
    lines = (_line(line, found.get((part.name, line.record), ())) for line in part.records)
    return part.model_copy(update={"records": tuple(lines)})


def _line(line: RecordLine, operations: Iterable[Operation]) -> RecordLine:
    texts = sorted({_told(operation) for operation in operations})
    if line.change not in QUIET or not texts:
        return line
    why = f"the cloud or the provider's settings are not as the last run left them: {'; '.join(texts)}"
    return line.model_copy(update={"change": Deed.DRIFT.value, "why": why})


def _told(operation: Operation) -> str:
    keys = f" ({', '.join(operation.keys)})" if operation.keys else ""
    return f"{operation.op} of {operation.type.rpartition(':')[2]}{keys}"
