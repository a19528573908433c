"""The demo: what a person sees first, and that nothing of it is left behind, however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sync.harness import ROOT, USS, Sandbox, running_sandbox
from uss.sandbox.demo.readback import MismatchError, read_back
from uss.sandbox.jsonyaml import load

DEMO = ROOT / "uss" / "sandbox" / "demo"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of the project that the demo uses, and a place for its temporary ones."""
    project = tmp_path / "project"
    (project / "stacks").mkdir(parents=True)
    (tmp_path / "temporary").mkdir()
    for name in ("Pulumi.yaml", "__main__.py", "stacks/Pulumi.example-aws.yaml"):
        shutil.copy(ROOT / name, project / name)
    return project


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox whose AWS is empty."""
    with running_sandbox(tmp_path) as sandbox:
        yield sandbox


def start(project: Path) -> subprocess.Popen[str]:
    """Start the demo as `make demo` does."""
    return subprocess.Popen(
        [str(USS), "sandbox", "demo"],
        cwd=project,
        env={**os.environ, "TMPDIR": str(project.parent / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_clean(project: Path) -> None:
    """Nothing of the demo is left: no file, no process of the sandbox."""
    assert os.listdir(project / "stacks") == ["Pulumi.example-aws.yaml"]
    assert os.listdir(project.parent / "temporary") == []


def test_the_demo_shows_both_syncs_without_a_value_and_leaves_nothing(checkout: Path) -> None:
    demo = start(checkout)
    output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0, output
    for text in (
        "$ pulumi preview",
        "4 secrets: 4 to create, 1 refused",
        "1 to create, 1 to rename, 1 with a new value, 1 unchanged, 1 to delete, 1 refused",
        "Deleted, and to be had back for 30 days: Mail-Relay, payments/stripe-key",
        "No change, and not one call to Secrets Manager.",
    ):
        assert text in output
    values = [*load((DEMO / "expected.yaml").read_text(encoding="utf-8"))["second"].values()]
    for value in [*values, "p4ss 0rd with spaces", "Pässwörd", "rotated-0001", "made-up-key", "hunter2"]:
        assert value not in output
    assert_clean(checkout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_cleans_up_when_it_is_interrupted(checkout: Path, number: int) -> None:
    demo = start(checkout)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "$ pulumi up" in line:
            break
    demo.send_signal(number)
    rest, _ = demo.communicate(timeout=120)
    assert demo.returncode == 130, rest
    assert "Interrupted" in rest
    assert_clean(checkout)


def test_a_stack_file_of_somebody_elses_is_left_alone(checkout: Path) -> None:
    mine = checkout / "stacks" / "Pulumi.demo.yaml"
    mine.write_text("config: {}\n", encoding="utf-8")
    demo = start(checkout)
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "not of the demo's making" in output
    assert mine.read_text(encoding="utf-8") == "config: {}\n"


def test_what_is_read_back_must_be_what_is_expected(own_sandbox: Sandbox) -> None:
    sandbox = own_sandbox
    clients = [sandbox.aws(region) for region in ("us-east-1", "eu-west-1")]
    tags = [{"Key": "content-type", "Value": "text/plain"}]
    versions = {
        client.meta.region_name: client.create_secret(Name="read-back", SecretString="canary", Tags=tags)["VersionId"]
        for client in clients
    }
    record: dict[str, Any] = {"title": "T", "name": "read-back", "contentType": "text/plain"}
    outputs = {"records": {"u": record | {"version": versions["us-east-1"]}}}
    try:
        with pytest.raises(MismatchError, match="should be") as wrong_names:
            read_back({"another": "canary"}, outputs, sandbox.environment)
        with pytest.raises(MismatchError, match="The value of read-back in us-east-1") as wrong_value:
            read_back({"read-back": "other"}, outputs, sandbox.environment)
        with pytest.raises(MismatchError, match="the version of read-back in eu-west-1"):
            read_back({"read-back": "canary"}, outputs, sandbox.environment)
    finally:
        for client in clients:
            client.delete_secret(SecretId="read-back", ForceDeleteWithoutRecovery=True)
            client.close()
    assert "canary" not in f"{wrong_names.value}{wrong_value.value}"
