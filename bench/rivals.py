"""The programs that are compared, each as a stack of its own over the same vault and cloud."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from bench.vaults import CREDENTIALS, folders, vault_of
from tests.sync.harness import KEY_ID, KEY_SECRET, ONE_CHECKPOINT, ROLE, USS, Project, Run, Sandbox, running_sandbox
from uss.sandbox.faults import Fault, FaultKind

PROGRAMS = Path(__file__).with_name("programs")
OURS, PLAIN, FLOOR, EMPTY = "ours", "plain", "floor", "empty"
HOUR = 3600


@contextmanager
def cloud(records: int) -> Iterator[Sandbox]:
    """A sandbox with so many records in the vault, and a cloud that is empty."""
    with TemporaryDirectory(prefix="uss-bench-") as name, running_sandbox(Path(name)) as sandbox:
        sandbox.write_vault(vault_of(records))
        yield sandbox


@contextmanager
def delay(sandbox: Sandbox, seconds: float) -> Iterator[None]:
    """Each call of Secrets Manager takes so much longer."""
    if seconds:
        sandbox.control.add_fault(Fault("aws", "secretsmanager:*", FaultKind.SLOW, seconds=seconds))
    try:
        yield
    finally:
        sandbox.control.clear_faults()


@contextmanager
def without_engine_log(sandbox: Sandbox) -> Iterator[None]:
    """The engine keeps no log of its runs (docs/scale.md)."""
    logs = Path(sandbox.environment["PULUMI_HOME"]) / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.touch()
    try:
        yield
    finally:
        logs.unlink()


def project(kind: str, sandbox: Sandbox, linked: list[str] | None = None) -> Project:
    """A new stack of a program, with names of its own in the cloud."""
    number = uuid4().hex[:12]
    folder = sandbox.folder / f"{kind}-{number}"
    folder.mkdir()
    environment = {
        "BENCH_PREFIX": f"{number}/",
        "BENCH_FOLDERS": ",".join(folders()),
        "BENCH_ACCESS_KEY": KEY_ID,
        "BENCH_SECRET_KEY": KEY_SECRET,
        "BENCH_ROLE": ROLE,
    }
    if kind != OURS:
        return Project(sandbox, folder, f"{number}/", environment=environment, program=PROGRAMS / kind, timeout=HOUR)
    ours = Project(sandbox, folder, f"{number}/", timeout=HOUR)
    ours.configure({"folders": folders() if linked is None else linked})
    return ours


def well(run: Run) -> Run:
    """The run, which must have succeeded: what failed half-way is no measurement."""
    if run.code:
        raise SystemExit(f"A measured run failed:\n{run.output[-4000:]}")
    return run


def synced(project: Project, environment: Mapping[str, str] = ONE_CHECKPOINT) -> Project:
    """The project, after its first `pulumi up`."""
    well(project.up(**environment))
    return project


def until_readable(project: Project, name: str, value: str) -> subprocess.Popen[bytes]:
    """Start `pulumi up`, and return it as soon as AWS's own client reads the value, which may be before its end."""
    client = project.sandbox.aws()
    run = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--stack", project.stack, "--non-interactive"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while value not in client.get_secret_value(SecretId=project.prefix + name)["SecretString"]:
            if run.poll() is not None:
                raise SystemExit("A measured run ended, and what it was to write is not there.")
            time.sleep(0.1)
    finally:
        client.close()
    return run


def ksm_sync(sandbox: Sandbox, prefix: str, *, dry_run: bool) -> None:
    """Keeper's `ksm sync --type aws` of all folders."""
    linked = [part for uid in folders() for part in ("--folder", uid)]
    how = ["--dry-run"] if dry_run else []
    command = ["sync", "--type", "aws", "--credentials", CREDENTIALS, *linked, "--prefix", prefix, *how]
    done = subprocess.run(
        [str(USS), "sandbox", "ksm", "--dir", str(sandbox.folder / "sandbox"), *command],
        env=os.environ | sandbox.environment,
        capture_output=True,
        text=True,
        timeout=HOUR,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"`ksm {' '.join(command[:3])}` failed:\n{done.stderr[-2000:]}")
