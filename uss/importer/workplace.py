"""What both commands work with: the stack file, the vault, and one configuration with all that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from uss.clouds import CLOUDS
from uss.clouds.gcp import ANNOTATION, LABEL
from uss.clouds.interface import Ownership
from uss.imported import Label, reserved_text
from uss.importer.stackfile import StackFile, find_stack_file
from uss.keeper import Access, Record, Snapshot, read_vault
from uss.linking import LinkedConfiguration, link

Say = Callable[[str], None]


@dataclass(frozen=True)
class Workplace:
    """One configuration of a stack, and the vault as it was read."""

    stack_file: StackFile
    access: Access
    snapshot: Snapshot
    linked: LinkedConfiguration

    @property
    def ownership(self) -> Ownership:
        """Whose the secrets are that the stack manages."""
        return Ownership(self.stack_file.project, self.stack_file.stack)


def open_workplace(stack: str | None, name: str, say: Say) -> Workplace:
    """Read the stack file and the vault; raise a `ConfigurationError` or a `VaultError`."""
    stack_file = find_stack_file(stack)
    configuration = stack_file.configuration(name)
    access = stack_file.access()
    snapshot = read_vault(access, say)
    return Workplace(stack_file, access, snapshot, link(configuration, snapshot, CLOUDS, stack_file.source))


def imported_records(snapshot: Snapshot) -> Mapping[str, str]:
    """Return the UIDs of imported records by the cloud secret that each one comes from."""
    sources = ((_source(record), record.uid) for record in snapshot.records)
    return {source: uid for source, uid in sources if source}


def _source(record: Record) -> str:
    """What the record says that it comes from, also where its other fields say nothing that can be followed."""
    try:
        return reserved_text(record, Label.SOURCE)
    except ValueError:
        return ""


def marks(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags without GCP's prefixes, which say of which kind each one is."""
    return {key.removeprefix(LABEL).removeprefix(ANNOTATION): value for key, value in tags.items()}
