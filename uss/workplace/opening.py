"""Opening what a command works with: the stack file, the vault, and one configuration with all that it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from uss.clouds import CLOUDS
from uss.clouds.interface import Ownership
from uss.keeper import Access, Snapshot, read_vault
from uss.planning.linking import LinkedConfiguration, link
from uss.workplace.stackfile import StackFile, find_stack_file

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
