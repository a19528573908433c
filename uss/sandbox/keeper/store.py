"""The vault file as the service's store: read again when it changed, replaced as a whole by the service's changes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from uss.sandbox.keeper.snapshot import Snapshot
from uss.sandbox.vaultfile import Vault, VaultFileError, VaultRecord, check_vault, dump_vault, parse_vault

_CLOCK_STEP = 100_000_000
"""Nanoseconds: two writes that are closer may leave the same modification time."""


@dataclass(frozen=True)
class _Stamp:
    """What the file system says of a file. A file that changed has another one, unless it changed twice at once."""

    inode: int
    modified: int
    """Nanoseconds."""
    size: int

    @staticmethod
    def of(status: os.stat_result) -> _Stamp:
        return _Stamp(status.st_ino, status.st_mtime_ns, status.st_size)


@dataclass(frozen=True)
class _Reading:
    snapshot: Snapshot
    digest: bytes
    stamp: _Stamp
    settled: bool
    """Whether the file was old enough when it was read that a later change must show in its stamp."""


@dataclass(frozen=True)
class _Revision:
    record: VaultRecord
    digest: bytes
    number: int


class VaultStore:
    """The vault file's current content, for reading and for changes. Safe across threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._reading: _Reading | None = None
        self._revisions: dict[str, _Revision] = {}

    def read(self) -> Snapshot:
        """Return the file's content as it is now; raise `VaultFileError` when it cannot be used."""
        with self._lock:
            if self._reading is None or not self._reading.settled or self._reading.stamp != self._stamp():
                self._reading = self._read(self._reading)
            return self._reading.snapshot

    def change(self, edit: Callable[[Snapshot], Vault]) -> None:
        """Replace the file's content by what `edit` makes of it, at once and whole.

        `edit` is called again when the file changed in the meantime. Raises what `edit` raises, and `VaultFileError`
        when the file or the result cannot be used; the file is then as before.
        """
        with self._lock:
            while True:
                before = self.read()
                vault = edit(before)
                if vault is before.vault:
                    return
                check_vault(vault, self._path)
                content = dump_vault(vault, self._path)
                if self._reading is not None and self._reading.stamp == self._stamp():
                    break
            stamp = self._replace(content)
            self._reading = self._keep(vault, content, stamp)

    def _stamp(self) -> _Stamp:
        try:
            return _Stamp.of(self._path.stat())
        except OSError as error:
            raise VaultFileError(f"{self._path}: cannot be read: {error.strerror}") from error

    def _read(self, last: _Reading | None) -> _Reading:
        content, stamp, settled = self._content()
        if last and last.digest == hashlib.sha256(content).digest():
            return replace(last, stamp=stamp, settled=settled)
        if last and not content:
            raise VaultFileError(f"{self._path}: is empty, as if it were being written; an empty vault is written {{}}")
        return replace(self._keep(parse_vault(content, self._path), content, stamp), settled=settled)

    def _content(self) -> tuple[bytes, _Stamp, bool]:
        while True:
            stamp = self._stamp()
            settled = time.time_ns() - stamp.modified > _CLOCK_STEP
            try:
                content = self._path.read_bytes()
            except OSError as error:
                raise VaultFileError(f"{self._path}: cannot be read: {error.strerror}") from error
            if self._stamp() == stamp:
                return content, stamp, settled

    def _keep(self, vault: Vault, content: bytes, stamp: _Stamp) -> _Reading:
        snapshot = Snapshot(vault, self._revise(vault))
        return _Reading(snapshot, hashlib.sha256(content).digest(), stamp, settled=False)

    def _revise(self, vault: Vault) -> dict[str, int]:
        for record in vault.records:
            known = self._revisions.get(record.uid)
            if known is not None and known.record is record:
                continue
            digest = _digest(record)
            number = 1 if known is None else known.number + (known.digest != digest)
            self._revisions[record.uid] = _Revision(record, digest, number)
        return {record.uid: self._revisions[record.uid].number for record in vault.records}

    def _replace(self, content: bytes) -> _Stamp:
        target = self._path.resolve()
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                stamp = _Stamp.of(os.fstat(file.fileno()))
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return stamp


def _digest(record: VaultRecord) -> bytes:
    # Where a record is shown is not part of what it holds: moving it leaves its revision.
    content = json.dumps(record.model_dump(exclude={"folder"}), sort_keys=True)
    return hashlib.sha256(content.encode()).digest()
