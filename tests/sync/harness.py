"""A sandbox and Pulumi projects in it, used as a person uses them: `uss sandbox start`, then `pulumi`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from azure.keyvault.secrets._shared import http_challenge_cache

from tests.sandbox.commands import parse_exports
from tests.warm import warm_folder
from uss.sandbox.clients import aws_client
from uss.sandbox.control import SandboxClient
from uss.sandbox.layout import Layout

ROOT = Path(__file__).parents[2]
USS = Path(sys.executable).with_name("uss")

FOLDER = "FOLDER-production-0001"
SUBFOLDER = "FOLDER-payments-000001"
OTHER_FOLDER = "FOLDER-other-000000001"
PAM = "PAMCONFIG-aws-00000001"
KEY_ID, KEY_SECRET = "AKIATESTTEST00000001", "canary-of-the-pam-secret-key"
ROLE = "arn:aws:iam::123456789012:role/keeper-uss"

Record = dict[str, Any]


def login(uid: str, title: str, password: str, folder: str | list[str] = FOLDER, **more: Any) -> Record:
    """A login record of the vault file."""
    fields = [{"type": "login", "value": ["app"]}, {"type": "password", "value": [password]}]
    return {"uid": uid, "folder": folder, "type": "login", "title": title, "fields": fields, **more}


def password(value: str) -> str:
    """What a login record of this password is in the cloud."""
    return json.dumps({"login": "app", "password": value}, separators=(",", ":"))


def uid(number: int) -> str:
    """A record UID of the form that Keeper gives."""
    return f"RECORD-{number:015d}"


def pam_record(**labels: str) -> Record:
    """The PAM Configuration; `labels` replace its entries."""
    entries = {
        "Access Key Id": KEY_ID,
        "Access Secret Key": KEY_SECRET,
        "Region Names": "us-east-1\neu-west-1",
    } | labels
    fields = [{"type": "secret", "label": label, "value": [value]} for label, value in entries.items() if value]
    return {"uid": PAM, "folder": OTHER_FOLDER, "type": "pamAwsConfiguration", "title": "AWS", "fields": fields}


def vault(*records: Record, roles: Sequence[Mapping[str, Any]] | None = None, pam: Record | None = None) -> Any:
    """A vault file's content: the folders, the PAM Configuration, one role that its keys may assume, and records."""
    trusted = [{"arn": ROLE, "trusts": [KEY_ID], "allows": ["secretsmanager:*"]}]
    return {
        "folders": [
            {"uid": FOLDER, "name": "Production"},
            {"uid": SUBFOLDER, "name": "Payments", "parent": FOLDER},
            {"uid": OTHER_FOLDER, "name": "Other"},
        ],
        "records": [pam or pam_record(), *records],
        "clouds": {"aws": {"account": "123456789012", "roles": trusted if roles is None else roles}},
    }


@dataclass(frozen=True)
class Run:
    """A finished command. `answer` is its standard output alone."""

    code: int
    output: str
    answer: str

    def __contains__(self, text: str) -> bool:
        return text in self.output

    @property
    def errors(self) -> list[str]:
        """The error lines of the diagnostics, without the engine's own last word."""
        lines = self.output.partition("Diagnostics:")[2].splitlines()
        texts = [line.strip().removeprefix("error: ") for line in lines if line.strip().startswith("error: ")]
        return [text for text in texts if "unhandled error" not in text and text != "update failed"]

    @property
    def told(self) -> list[str]:
        """The lines, without those that only show that it goes on, and without what it took."""
        lines = (line.strip() for line in self.output.splitlines())
        return [line for line in lines if line and not line.startswith(("@", "Duration"))]


@dataclass
class Sandbox:
    """A running sandbox."""

    folder: Path
    environment: dict[str, str]
    control: SandboxClient

    @property
    def cold(self) -> dict[str, str]:
        """What a run needs whose Python is to start as a person's does: see `tests.warm`."""
        return {"PATH": self.environment["PATH"].removeprefix(f"{warm_folder()}{os.pathsep}")}

    @property
    def vault_file(self) -> Path:
        """The vault file."""
        return self.folder / "vault.yaml"

    def write_vault(self, content: Any) -> None:
        """Replace the vault's content, at once."""
        new = self.folder / "vault.new"
        new.write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML, and keeps every character
        new.replace(self.vault_file)

    def edit(self, change: Any) -> None:
        """Change the vault's content by a function of its records by UID."""
        content = yaml.safe_load(self.vault_file.read_text(encoding="utf-8"))
        records = {record["uid"]: record for record in content["records"]}
        change(records)
        content["records"] = list(records.values())
        self.write_vault(content)

    def aws(self, region: str = "us-east-1") -> Any:
        """AWS's own client of Secrets Manager, as the sandbox's administrator."""
        return aws_client(region, self.environment)

    def calls(self, prefix: str = "secretsmanager:") -> dict[str, int]:
        """How often each operation of AWS was called since the last reset."""
        return {name: count for name, count in self.control.calls().get("aws", {}).items() if name.startswith(prefix)}


@contextmanager
def running_sandbox(folder: Path) -> Iterator[Sandbox]:
    """Start a sandbox in the folder and end it afterwards."""
    (folder / "vault.yaml").write_text(yaml.safe_dump(vault()), encoding="utf-8")
    directory = folder / "sandbox"
    start = [
        str(USS),
        "sandbox",
        "start",
        "--vault",
        str(folder / "vault.yaml"),
        "--dir",
        str(directory),
        "--background",
    ]
    started = subprocess.run(start, capture_output=True, text=True, timeout=120, check=False)
    assert started.returncode == 0, started.stderr
    exports = parse_exports(started.stdout)
    environment = os.environ | exports | {"PATH": f"{warm_folder()}{os.pathsep}{exports['PATH']}"}
    # Microsoft's client remembers the tenant of each address, and this port may have been another sandbox's before.
    http_challenge_cache.clear()
    try:
        yield Sandbox(folder, environment, SandboxClient(Layout(directory)))
    finally:
        subprocess.run([str(USS), "sandbox", "stop", "--dir", str(directory)], check=True, timeout=60)


def plain_prefix(prefix: str) -> str:
    """A project's prefix in a form that every cloud takes."""
    return "t" + prefix.strip("/").replace("_", "-").lower()[-60:] + "-"


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return True


ONE_CHECKPOINT = {"PULUMI_EXPERIMENTAL": "1", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""The state is written once, at the end: see docs/scale.md."""
PARALLEL_DIFFS = {"PULUMI_PARALLEL_DIFF": "true"}
"""The engine compares several resources at a time: see docs/scale.md."""

Victim = Callable[[int], None]
"""Kills something of a run, which is the process group of this number."""


def kill_all(group: int) -> None:
    """The machine goes away."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def kill_engine(group: int) -> None:
    """The engine alone; its children are left behind for a moment."""
    with suppress(ProcessLookupError):
        os.kill(group, signal.SIGKILL)


def kill_program(group: int) -> None:
    """The Pulumi program alone."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            if b"pulumi-language-python-exec" in command and os.getpgid(int(entry.name)) == group:
                os.kill(int(entry.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


@dataclass
class Project:
    """A Pulumi project in a folder of its own, with one stack. Its secrets' names have a prefix of their own."""

    sandbox: Sandbox
    folder: Path
    prefix: str
    stack: str = "test"
    environment: dict[str, str] = field(default_factory=dict)
    program: Path = ROOT
    """The folder of the Pulumi program."""
    timeout: float = 280
    """Seconds that a command may take."""

    def __post_init__(self) -> None:
        shutil.copy(self.program / "Pulumi.yaml", self.folder)
        shutil.copy(self.program / "__main__.py", self.folder)
        (self.folder / "stacks").mkdir()
        state = self.folder / "state"
        state.mkdir()
        self.environment = self.sandbox.environment | {"PULUMI_BACKEND_URL": state.as_uri()} | self.environment
        self.init()

    def init(self) -> None:
        """Make the stack."""
        self._pulumi("stack", "init", self.stack)

    @property
    def stack_file(self) -> Path:
        """The stack configuration."""
        return self.folder / "stacks" / f"Pulumi.{self.stack}.yaml"

    def configure(self, *configurations: Mapping[str, Any]) -> None:
        """Write the stack file; each configuration is completed to one that works."""
        defaults = {
            "name": "aws",
            "pamConfiguration": PAM,
            "syncIdentity": ROLE,
            "folders": [FOLDER],
            "namePrefix": self.prefix,
        }
        listed = [
            {key: value for key, value in (defaults | dict(given)).items() if value is not None}
            for given in configurations or [{}]
        ]
        self.write_configurations(listed)

    def write_configurations(self, listed: list[dict[str, Any]]) -> None:
        """Replace the configurations in the stack file. The rest of it stays, as in life: without the salt there the
        engine makes a key for the state's secrets anew in each run.
        """
        content = yaml.safe_load(self.stack_file.read_text(encoding="utf-8")) if self.stack_file.exists() else None
        content = (content or {}) | {"config": {"uss:configurations": listed}}
        self.stack_file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    @property
    def _up(self) -> list[str]:
        return ["up", "--yes", "--skip-preview", "--stack", self.stack]

    @property
    def state(self) -> Path:
        """The folder that holds the state."""
        return self.folder / "state"

    def preview(self, *arguments: str, **environment: str) -> Run:
        """`pulumi preview`."""
        return self._run("preview", "--stack", self.stack, *arguments, **environment)

    def up(self, *arguments: str, **environment: str) -> Run:
        """`pulumi up` without the preview before it, which `preview` runs where a test is about it."""
        return self._run(*self._up, *arguments, **environment)

    def up_well(self, *arguments: str, **environment: str) -> Run:
        """`pulumi up` that must succeed."""
        run = self.up(*arguments, **environment)
        assert run.code == 0, run.output
        return run

    def killed_up(self, when: Callable[[], bool], victim: Victim, **environment: str) -> None:
        """`pulumi up`, in which the victim is killed (SIGKILL) as soon as the condition holds, or which ends before."""
        command = ["pulumi", *self._up, "--color", "never", "--non-interactive"]
        self._killed(command, when, victim, self.sandbox.cold | environment)
        self.mend()

    def killed_uss(self, *arguments: str, when: Callable[[], bool]) -> None:
        """`uss`, killed (SIGKILL) as soon as the condition holds; it must not have ended before."""
        assert self._killed(self._uss(arguments), when, kill_all, {}) == -signal.SIGKILL

    def _killed(
        self, command: list[str], when: Callable[[], bool], victim: Victim, environment: Mapping[str, str]
    ) -> int:
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment | dict(environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while process.poll() is None and not when():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        victim(process.pid)
        try:
            return process.wait(60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what a killed engine leaves behind

    def mend(self) -> None:
        """What docs/troubleshooting.md says to do after a run was killed, but for the last step."""
        checkpoint = self.state / ".pulumi" / "stacks" / "uss" / f"{self.stack}.json"
        checkpoint.with_name(checkpoint.name + ".attrs").unlink(missing_ok=True)
        backups = (self.state / ".pulumi" / "backups" / "uss" / self.stack).glob("*.json")
        copies = [checkpoint, checkpoint.with_name(checkpoint.name + ".bak"), *sorted(backups, reverse=True)]
        whole = next(copy for copy in copies if _is_json(copy))
        if whole != checkpoint:
            shutil.copy(whole, checkpoint)
        self._pulumi("cancel", "--yes", "--stack", self.stack)

    def destroy(self, *arguments: str) -> None:
        """`pulumi destroy`, which must succeed."""
        self._pulumi("destroy", "--yes", "--stack", self.stack, *arguments)

    def outputs(self) -> Any:
        """The stack's output, by configuration."""
        text = self._pulumi("stack", "output", "--json", "--stack", self.stack)
        return json.loads(text)["configurations"]

    def exported(self, *arguments: str) -> str:
        """The state as `pulumi stack export` shows it."""
        return self._pulumi("stack", "export", "--stack", self.stack, *arguments)

    def secrets(self, region: str = "us-east-1", *, deleted: bool = False) -> dict[str, str]:
        """The values in AWS by name without the prefix, read by AWS's own client; `deleted` ones have no value."""
        client = self.sandbox.aws(region)
        try:
            return dict(self._read(client, deleted))
        finally:
            client.close()

    def _read(self, client: Any, deleted: bool) -> Iterator[tuple[str, str]]:
        pages = client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=deleted)
        for entry in (entry for page in pages for entry in page["SecretList"]):
            if entry["Name"].startswith(self.prefix) and bool(entry.get("DeletedDate")) is deleted:
                name = entry["Name"].removeprefix(self.prefix)
                yield name, "" if deleted else client.get_secret_value(SecretId=entry["ARN"])["SecretString"]

    def uss(self, *arguments: str, **environment: str) -> Run:
        """`uss` in the project's folder, for its stack."""
        return self._do(self._uss(arguments), environment)

    def _uss(self, arguments: Sequence[str]) -> list[str]:
        return [str(USS), *arguments, "--stack", self.stack]

    def shell(self, script: str) -> Run:
        """A script in the project's folder, as the reader of a page types it; the first failure ends it."""
        return self._do(["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", script], {})

    def _run(self, *arguments: str, **environment: str) -> Run:
        return self._do(["pulumi", *arguments, "--color", "never", "--non-interactive"], environment)

    def _do(self, command: list[str], environment: Mapping[str, str]) -> Run:
        env = {name: value for name, value in (self.environment | dict(environment)).items() if value != "-"}
        done = subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=self.timeout, check=False
        )
        return Run(done.returncode, done.stdout + done.stderr, done.stdout)

    def _pulumi(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
