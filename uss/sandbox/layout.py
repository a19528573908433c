"""A sandbox's folder: which files it has, who holds it, and what is left when the sandbox is gone."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_POLL_SECONDS = 0.02


class SandboxError(Exception):
    """The sandbox cannot do what was asked: says what was found and what to do."""


@dataclass(frozen=True)
class Layout:
    """The files in a sandbox's folder, by names that nothing else has there by chance."""

    directory: Path

    @property
    def state(self) -> Path:
        """Where a ready sandbox is reached: process IDs, control URL and token."""
        return self.directory / "sandbox.json"

    @property
    def lock(self) -> Path:
        """Locked by the sandbox's process as long as it lives; holds its process ID."""
        return self.directory / "sandbox.lock"

    @property
    def log(self) -> Path:
        """What a sandbox in the background has to say."""
        return self.directory / "sandbox.log"

    @property
    def keeper(self) -> Path:
        """The folder of the Keeper vault's server: its certificates and keys."""
        return self.directory / "sandbox-keeper"

    @property
    def ca_bundle(self) -> Path:
        """The public authorities and the vault's own one, in PEM."""
        return self.directory / "sandbox-ca-bundle.pem"

    @property
    def aws_config(self) -> Path:
        """An AWS configuration file with nothing in it but an empty default profile."""
        return self.directory / "sandbox-aws-config"

    @property
    def azure(self) -> Path:
        """The folder of the local Azure's certificates."""
        return self.directory / "sandbox-azure"

    @property
    def gcp_key(self) -> Path:
        """The service account key of the local GCP's administrator."""
        return self.directory / "sandbox-gcp-key.json"

    @property
    def provider_ports(self) -> Path:
        """The ports of the stand-in provider plugins, JSON by provider."""
        return self.directory / "sandbox-plugins.json"

    @property
    def pulumi(self) -> Path:
        """Pulumi's home and state: the one thing that outlives the sandbox."""
        return self.directory / "pulumi"

    def prepare(self) -> None:
        """Create the folder, for its owner alone. One that is there may hold other things: they are left alone."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def clean(self, *keep: Path) -> None:
        """Remove everything but Pulumi's folder and what to `keep`, and the folder itself when it is empty then."""
        for path in self._own() - {self.pulumi, *keep}:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        if self.directory.is_dir() and not any(self.directory.iterdir()):
            self.directory.rmdir()

    def write_private(self, path: Path, text: str) -> None:
        """Write a file that its owner alone may read; readers see all of it or nothing."""
        draft = path.with_name(path.name + ".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)

    def read_state(self) -> dict[str, Any]:
        """Return what `state` holds; raise `SandboxError` when no sandbox is ready here."""
        try:
            content: dict[str, Any] = json.loads(self.state.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise SandboxError(
                f"{self.directory}: no sandbox runs here. Start one with `uss sandbox start`, or name its folder "
                "with --dir."
            ) from error
        return content

    def _own(self) -> set[Path]:
        files = {self.state, self.lock, self.log, self.ca_bundle, self.aws_config, self.gcp_key, self.provider_ports}
        drafts = {path.with_name(path.name + ".new") for path in files}
        return files | drafts | {self.azure, self.keeper, self.pulumi}


class Hold:
    """A lock on a sandbox's folder. The kernel lifts it when its process ends, however it ends."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.lock
        self._descriptor = -1

    def take(self) -> int | None:
        """Take the lock for this process; return None, or the process ID of the sandbox that has it."""
        while True:
            self.close()
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            if not self.is_free():
                return self.holder()
            # Whoever had the lock may have removed its file on the way out: then another file is the lock now.
            if self._path.exists() and os.fstat(self._descriptor).st_ino == self._path.stat().st_ino:
                os.ftruncate(self._descriptor, 0)
                os.write(self._descriptor, str(os.getpid()).encode())
                return None

    def look(self) -> bool:
        """Tell whether a sandbox has the lock now; afterwards `wait` can wait for its end."""
        if not self._path.exists():
            return False
        self._descriptor = os.open(self._path, os.O_RDWR)
        return not self.is_free()

    def wait(self, seconds: float) -> bool:
        """Wait until the sandbox's process has ended; return whether it has."""
        deadline = time.monotonic() + seconds
        while not self.is_free():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def is_free(self) -> bool:
        """Lock the file if nobody has, and tell whether that worked."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def holder(self) -> int:
        """Return the process ID that the lock's holder wrote, or 0 while it has not."""
        return int(os.pread(self._descriptor, 32, 0) or b"0")

    def close(self) -> None:
        """Let go of the lock, if this process has it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def find_holder(layout: Layout) -> int | None:
    """Return the process ID of the sandbox that runs in a folder, if any."""
    hold = Hold(layout)
    try:
        return hold.holder() if hold.look() else None
    finally:
        hold.close()
