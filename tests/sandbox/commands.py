"""Runs `uss sandbox` as a person does: a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-c", "from uss.sandbox.cli import sandbox; sandbox(prog_name='uss sandbox')"]
PAM_KEY_ID, PAM_SECRET = "AKIAPAMPAMPAMPAMPAM1", "pam-canary-secret-key"
PASSWORD = "canary p'ass $word"
VAULT: dict[str, Any] = {
    "folders": [{"uid": "AAAAAAAAAAAAAAAAAAAAAA", "name": "Production"}],
    "records": [
        {
            "uid": "BBBBBBBBBBBBBBBBBBBBBA",
            "folder": "AAAAAAAAAAAAAAAAAAAAAA",
            "type": "login",
            "title": "Database",
            "fields": [{"type": "login", "value": ["app"]}, {"type": "password", "value": [PASSWORD]}],
        },
        {
            "uid": "CCCCCCCCCCCCCCCCCCCCCA",
            "folder": "AAAAAAAAAAAAAAAAAAAAAA",
            "type": "pamAwsConfiguration",
            "title": "Production AWS",
            "fields": [
                {"type": "secret", "label": "accessKeyId", "value": [PAM_KEY_ID]},
                {"type": "secret", "label": "accessSecretKey", "value": [PAM_SECRET]},
            ],
        },
    ],
}


@dataclass
class Commands:
    """The command line in one folder."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def vault(self) -> Path:
        """The vault file."""
        return self.folder / "vault.yaml"

    @property
    def directory(self) -> Path:
        """The sandbox's folder."""
        return self.folder / ".sandbox"

    def write_vault(self, content: Mapping[str, Any] = VAULT) -> None:
        """Write the vault file; JSON is YAML."""
        self.vault.write_text(json.dumps(content), encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that stays."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def state(self) -> dict[str, Any]:
        """What the folder says of the running sandbox."""
        content: dict[str, Any] = json.loads((self.directory / "sandbox.json").read_text(encoding="utf-8"))
        return content


def parse_exports(text: str) -> dict[str, str]:
    """Return what a POSIX shell would export; every line must be an `export` of one variable."""
    words = [shlex.split(line) for line in text.splitlines()]
    assert all(len(line) == 2 and line[0] == "export" for line in words)
    return dict(line[1].split("=", 1) for line in words)
