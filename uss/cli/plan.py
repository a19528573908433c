"""`uss plan`: what `pulumi up` would do to each record's secret, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from uss.automation.drift import with_drift
from uss.automation.runs import Run, Runner
from uss.report import markdown
from uss.report.document import PlanDocument
from uss.report.text import lines
from uss.workplace.stackfile import find_stack_file
from uss.workplace.terminal import plain_errors, stack_option

_FAILED, _CHANGES = 1, 2


@click.command("plan")
@stack_option
@click.option("--json", "form", flag_value="json", help="Print data.")
@click.option("--markdown", "form", flag_value="markdown", help="Print a comment for a pull request.")
@click.option(
    "--approvals",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write to this file what USS_APPROVE must be to apply exactly what is planned, where dryRun holds it or a "
    "guard stopped it; nothing waits for an approval: an empty file.",
)
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 when something is to be done.")
@click.option("--refresh", is_flag=True, help="Ask the clouds first whether each secret is still as it was left.")
def plan_command(
    stack: str | None, form: str | None, approvals: Path | None, detailed_exitcode: bool, refresh: bool
) -> None:
    """Run `pulumi preview`, and print what happens to which record and why. Nothing is changed.

    Ends with 0, and with 1 when the preview failed or a guard stopped it: what was planned is printed all the same.
    """
    with plain_errors():
        stack_file = find_stack_file(stack)
        run = Runner(stack_file.reference, Path.cwd()).preview(refresh=refresh)
    document = with_drift(run.document or PlanDocument(source=stack_file.source), run.operations)
    if approvals:
        approvals.write_text(document.approvals if run.ok or document.stopped else "", encoding="utf-8")
    match form:
        case "json":
            click.echo(json.dumps(_data(stack_file.stack, document, run), indent=2))
        case "markdown":
            click.echo(markdown.comment(stack_file.stack, document, run.problem))
        case _:
            click.echo("".join(f"{line}\n" for line in lines(document)), nl=False)
    if run.problem:
        click.echo(f"Error: {run.problem}", err=True)
        raise click.exceptions.Exit(_FAILED)
    if detailed_exitcode and (document.changes or run.changes):
        raise click.exceptions.Exit(_CHANGES)


def _data(stack: str, document: PlanDocument, run: Run) -> dict[str, Any]:
    data = document.model_dump(by_alias=True)
    for part, shown in zip(document.configurations, data["configurations"], strict=True):
        shown["counts"] = part.counts
    return {"stack": stack, **data, "stopped": run.problem or None, "resources": dict(run.resources)}
