"""What reads the vault: Keeper's SDK by itself, the sync, and a look of `uss watch`."""

from __future__ import annotations

import os
from collections.abc import Callable

from keeper_secrets_manager_core import SecretsManager
from keeper_secrets_manager_core.storage import InMemoryKeyValueStorage

from uss.keeper import find_access, read_vault
from uss.watch.reading import Reader
from uss.workplace.stackfile import find_stack_file


def _silent(_: str) -> None:
    """No word."""


def sdk() -> Callable[[], object]:
    """The SDK's `get_secrets`."""
    return lambda: SecretsManager(config=InMemoryKeyValueStorage(os.environ["KSM_CONFIG"])).get_secrets()


def both() -> Callable[[], object]:
    """The two calls of the SDK that answer all the sync needs: records, and the folders' names and tree."""

    def work() -> object:
        client = SecretsManager(config=InMemoryKeyValueStorage(os.environ["KSM_CONFIG"]))
        return client.get_secrets(), client.get_folders()

    return work


def read() -> Callable[[], object]:
    """The sync's reading, which is checked for completeness."""
    access = find_access(None)
    return lambda: read_vault(access, _silent)


def look() -> Callable[[], object]:
    """A look, after the one at the start of the watch."""
    reader = Reader(find_stack_file("test"), "", _silent)
    reader.read()
    return reader.read
