"""What the watch remembers from one start to the next, in a file that tells nothing of the vault."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from uss.errors import ConfigurationError


class Journal(BaseModel):
    """The digests of `Reading` as of the last runs that ended well; times are seconds since 1970."""

    model_config = ConfigDict(frozen=True)

    applied: str = ""
    """What was read before the last update that ended well."""
    reported: Mapping[str, str] = {}
    """What was read before each held configuration's plan was reported."""
    pending_since: float | None = None
    """When a change was first seen that no update has applied yet."""
    succeeded: float | None = None
    """When something was last found or brought in step."""


class JournalFile:
    """A stack's journal in the state directory."""

    def __init__(self, directory: Path, project: str, stack: str, backend: str) -> None:
        """Make the directory where it is missing; raise `ConfigurationError` where it cannot be made."""
        told = hashlib.sha256("\n".join((project, stack, backend)).encode()).hexdigest()[:12]
        name = f"{project}.{stack.replace('/', '.')}.{told}"
        self._path = directory / f"{name}.json"
        self._lock = directory / f"{name}.lock"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the stack for this process as long as the block runs; False where another one has it."""
        lock = FileLock(self._lock, mode=0o600)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        except OSError as error:
            raise self._unusable(error) from error
        try:
            yield True
        finally:
            lock.release()

    def load(self) -> Journal:
        """Return what is remembered: nothing where there is no file, or one that is damaged. One update more, then."""
        try:
            return Journal.model_validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return Journal()
        except OSError as error:
            raise self._unusable(error) from error

    def save(self, journal: Journal) -> None:
        """Replace the file in one step, readable for its owner only."""
        try:
            with tempfile.NamedTemporaryFile(dir=self._path.parent, prefix=self._path.name, delete=False) as new:
                new.write(journal.model_dump_json().encode())
                new.flush()
                os.fsync(new.fileno())
            Path(new.name).replace(self._path)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"The state directory {self._path.parent} cannot be used ({type(error).__name__}). Name one that this user "
            "may write with --state-dir."
        )
