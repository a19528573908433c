"""What an update would start from, as keyed digests: the stack file, and what it links in the vault.

A digest is keyed with the Keeper application's key, as an approval's is: without that key it tells nothing of a value.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from uss.clouds import CLOUDS
from uss.config import Configuration
from uss.errors import ConfigurationError, VaultDeniedError
from uss.keeper import Access, Record, Snapshot, read_vault
from uss.planning.linking import link
from uss.workplace.stackfile import StackFile, find_stack_file


@dataclass(frozen=True)
class Reading:
    """Digests of what was read."""

    digest: str
    """Of all that an update applies: it changes when an update may have something to do."""
    held: Mapping[str, str]
    """Of each configuration that `dryRun: true` holds, by name."""


class Reader:
    """Reads a stack's file and vault. Pulumi is asked nothing while the stack file stays as it is."""

    def __init__(self, stack_file: StackFile, backend: str, say: Callable[[str], None]) -> None:
        """`backend` is where the stack's state is: the same file on another backend has everything yet to do."""
        self._stack_file = stack_file
        self._backend = backend
        self._say = say
        self._text: bytes | None = None
        self._access: Access | None = None

    def read(self) -> Reading:
        """Look once; raise `ConfigurationError` or a `VaultError`, and then nothing is known of any change."""
        text = self._read_file()
        if self._access is None or text != self._text:
            self._stack_file = find_stack_file(self._stack_file.reference)
            self._access, self._text = self._stack_file.access(), text
        enabled = [part for part in self._stack_file.configurations if part.enabled]
        try:
            snapshot = read_vault(self._access, self._say) if enabled else Snapshot(folders={}, records=())
        except VaultDeniedError:
            self._access = None  # a new client may stand where the refused one stood
            raise
        about = [version("uss"), self._backend, self._stack_file.reference, text.decode("utf-8", "replace")]
        return reading_of(enabled, snapshot, self._stack_file.source, about, self._access.plan_key())

    def _read_file(self) -> bytes:
        path = self._stack_file.path
        try:
            return path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{path.as_posix()} cannot be read ({type(error).__name__}).") from error


def reading_of(enabled: list[Configuration], snapshot: Snapshot, source: str, about: list[str], key: bytes) -> Reading:
    """Return the digests of the enabled configurations. `about` is what else an update depends on.

    Raises `ConfigurationError` where a configuration names what the vault does not have.
    """
    digests = {part.name: _digest(_content(part, snapshot, source), key) for part in enabled}
    held = {part.name: digests[part.name] for part in enabled if part.dry_run}
    applied = sorted(item for item in digests.items() if item[0] not in held)
    return Reading(_digest(iter([about, applied]), key), held)


def _content(configuration: Configuration, snapshot: Snapshot, source: str) -> Iterator[Any]:
    linked = link(configuration, snapshot, CLOUDS, source)
    yield configuration.model_dump_json()
    if configuration.pam_configuration and (pam := snapshot.record(configuration.pam_configuration)):
        yield _record(pam)
    for record in linked.records:
        yield _record(record)


def _record(record: Record) -> list[Any]:
    fields = [[entry.type, entry.label, entry.values] for entry in record.fields]
    return [record.uid, record.title, record.type, record.revision, fields, record.notes, record.attachments]


def _digest(parts: Iterator[Any], key: bytes) -> str:
    """One JSON list of all parts: no two contents give the same text."""
    text = json.dumps(list(parts), sort_keys=True)
    return hmac.new(key, b"uss watch\n" + text.encode(), hashlib.sha256).hexdigest()
