"""`uss import` and `uss adopt`: what a person types, and what they read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click

from uss.config import CloudType, Configuration, mistake
from uss.importer.adopting import Finding, Verdict, examine
from uss.importer.importing import Importer, Outcome, Prepared, Present
from uss.importer.readers import reader
from uss.importer.readers.filters import Filters
from uss.importer.readers.secrets import Skipped
from uss.importer.records import RECORD_TYPES
from uss.keeper import Folder, FolderLookupError
from uss.keeper.pam import PAM_CONFIGURATION_TYPES
from uss.text import shown
from uss.workplace.opening import Workplace, open_workplace
from uss.workplace.terminal import plain_errors, say, stack_option

_SHOWN_FIELDS = 12


def _tags(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if not all(equals and key for key, equals, _ in pairs):
        raise click.BadParameter("give each as KEY=VALUE")
    return {key: value for key, _, value in pairs}


@click.command("import")
@click.argument("cloud", type=click.Choice([cloud.value for cloud in CloudType]))
@click.option("--configuration", required=True, help="The configuration under whose identity the cloud is read.")
@click.option("--folder", "folder_reference", required=True, help="UID or path of the Keeper folder for the records.")
@stack_option
@click.option("--name", help="Only the secret of this name.")
@click.option("--name-starts-with", "starts_with", default="", help="Only names that start so.")
@click.option("--name-ends-with", "ends_with", default="", help="Only names that end so.")
@click.option("--name-contains", "contains", default="", help="Only names that hold this.")
@click.option("--tags", multiple=True, metavar="KEY=VALUE", callback=_tags, help="Only secrets with this tag, label.")
@click.option("--record-type", default="login", show_default=True, help="Keeper's record type for the new records.")
@click.option("--dry-run", is_flag=True, help="List what would be imported, without values, and create nothing.")
def import_command(  # noqa: PLR0913 - one for each option
    cloud: str,
    configuration: str,
    folder_reference: str,
    stack: str | None,
    name: str | None,
    starts_with: str,
    ends_with: str,
    contains: str,
    tags: dict[str, str],
    record_type: str,
    dry_run: bool,
) -> None:
    """Import secrets of a cloud into Keeper, once. All filters that are given must hold.

    Run again, it goes on where it stopped and creates nothing twice. The clouds are only read.
    """
    filters = Filters(name, starts_with, ends_with, contains, tags)
    with plain_errors():
        workplace = open_workplace(stack, configuration, say)
        _same_cloud(workplace, CloudType(cloud))
        folder = _folder(workplace, folder_reference)
        _known_type(workplace, record_type)
        for line in _warnings(workplace, folder):
            say(f"warning: {line}")
        importer = Importer(workplace, folder, record_type, say, dry_run)
        counts: Counter[str] = Counter()
        with reader(workplace.linked.target, configuration) as opened:
            for number, total, outcome in importer.run(opened, filters):
                what, text = _told(outcome)
                counts[what] += 1
                click.echo(f"[{number}/{total}] {what:<12} {shown(outcome.listed.name, 512)}: {text}")
    _summary(counts, dry_run, configuration)


@click.command("adopt")
@click.argument("configuration")
@stack_option
@click.option(
    "--rewrite", multiple=True, metavar="UID", help="A record whose secret the sync may write anew; can be repeated."
)
def adopt_command(configuration: str, stack: str | None, rewrite: tuple[str, ...]) -> None:
    """Put the imported secrets of CONFIGURATION under the stack's management, as they are.

    Compares what the sync would write with what the cloud holds, and lists the records whose secrets stay the same
    under `adopt` in the stack file. The next `pulumi up` takes them over. Run again after it, to take them out of the
    list.
    """
    with plain_errors():
        workplace = open_workplace(stack, configuration, say)
        findings: list[Finding] = []
        with reader(workplace.linked.target, configuration) as opened:
            for finding in examine(workplace, opened, rewrite):
                findings.append(finding)
                click.echo(_line(finding))
        strange = set(rewrite) - {entry.record_uid for entry in findings}
        if strange:
            raise click.ClickException(f"--rewrite: {shown(min(strange))} is the UID of none of these records.")
        adopted = [entry.record_uid for entry in findings if entry.verdict in (Verdict.SAME, Verdict.REWRITE)]
        managed = [entry.record_uid for entry in findings if entry.verdict is Verdict.OURS]
        managed = [uid for uid in managed if uid in workplace.linked.configuration.adopt]
        if adopted or managed:
            workplace.stack_file.change_adopted(configuration, adopted, managed)
    _adopted(findings, adopted, managed, workplace)


def _same_cloud(workplace: Workplace, cloud: CloudType) -> None:
    found = workplace.linked.cloud.type
    if found is not cloud:
        name = workplace.linked.configuration.name
        raise mistake(workplace.stack_file.source, name, "type", f"it is one for {found}: run `uss import {found}`.")


def _known_type(workplace: Workplace, record_type: str) -> None:
    """Keeper's SDK cannot tell which record types there are, and creates a record of any."""
    known = {*RECORD_TYPES, *(record.type for record in workplace.snapshot.records)} - {*PAM_CONFIGURATION_TYPES}
    if record_type not in known:
        raise click.ClickException(
            f"--record-type: {shown(record_type)} is none of Keeper's own types, and no record of the vault has it. "
            f"There are: {', '.join(sorted(known))}."
        )


def _folder(workplace: Workplace, reference: str) -> Folder:
    try:
        return workplace.snapshot.folder(reference)
    except FolderLookupError as error:
        raise click.ClickException(f"--folder: {error}") from error


def _warnings(workplace: Workplace, folder: Folder) -> Iterator[str]:
    """What a person should know before records land in the folder."""
    linked = {entry.name for entry in workplace.stack_file.configurations if _links(workplace, entry, folder)}
    name = workplace.linked.configuration.name
    if name not in linked:
        yield f"the configuration {shown(name)} does not link the folder {shown(folder.path)}: link it before you adopt"
    for other in sorted(linked - {name}):
        yield (
            f"the configuration {shown(other)} links the folder {shown(folder.path)} too: its next update creates "
            "these secrets in its own cloud"
        )


def _links(workplace: Workplace, configuration: Configuration, folder: Folder) -> bool:
    references = []
    for reference in configuration.folders:
        try:
            references.append(workplace.snapshot.folder(reference))
        except FolderLookupError:
            continue
    uids = {entry.uid for entry in references}
    return folder.uid in uids or (configuration.include_subfolders and workplace.snapshot.lies_in(folder, uids))


def _told(outcome: Outcome) -> tuple[str, str]:
    if isinstance(outcome, Present):
        return "present", f"imported before, as record {outcome.record_uid}"
    if isinstance(outcome, Skipped):
        return "skipped", outcome.reason
    if outcome.record_uid is None:
        return "would import", _described(outcome)
    return "imported", f"record {outcome.record_uid}, {_described(outcome)}"


def _described(prepared: Prepared) -> str:
    """The record without its values: size, title, type and what its fields are called."""
    record = prepared.record
    keys = [entry.key for entry in (*record.fields, *record.custom)] + (["notes"] if record.notes else [])
    named = [shown(key) for key in keys[:_SHOWN_FIELDS]] + (["..."] if len(keys) > _SHOWN_FIELDS else [])
    size = len(prepared.secret.text.encode())
    return f"{size:,} bytes, {record.type} {shown(record.title, 512)} with {', '.join(named)}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))


def _summary(counts: Counter[str], dry_run: bool, configuration: str) -> None:
    click.echo(f"{_counted(counts) or 'nothing passed the filters'}.")
    if dry_run:
        click.echo("Nothing was created. Leave out --dry-run to import.")
    elif counts["imported"] or counts["present"]:
        click.echo(f"Next: uss adopt {configuration}")


_VERDICTS = {
    Verdict.SAME: "adopt",
    Verdict.REWRITE: "adopt",
    Verdict.DIFFERS: "decide",
    Verdict.OURS: "managed",
    Verdict.NOT: "left out",
}


def _line(finding: Finding) -> str:
    decide = f" To allow it: --rewrite {finding.record_uid}" if finding.verdict is Verdict.DIFFERS else ""
    name = shown(finding.name or finding.title, 512)
    return f"{_VERDICTS[finding.verdict]:<9} {name} (record {finding.record_uid}): {finding.text.rstrip('.')}.{decide}"


def _adopted(findings: list[Finding], adopted: list[str], managed: list[str], workplace: Workplace) -> None:
    if not findings:
        name = shown(workplace.linked.configuration.name)
        click.echo(f"No record in the folders of {name} was imported from its cloud.")
        return
    counts = Counter(_VERDICTS[finding.verdict] for finding in findings)
    click.echo(f"{_counted(counts)}.")
    source = workplace.stack_file.source
    if managed:
        click.echo(f"{source}: took {len(managed)} out of `adopt`, which the stack manages now.")
    if adopted:
        click.echo(f"{source} lists {len(adopted)} under `adopt`. Next: pulumi preview")
