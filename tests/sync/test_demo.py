"""The demo: what a person sees first, and that nothing of it is left behind, however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import leaks
from tests.sync.harness import ROOT, USS
from uss.sandbox.demo.readback import Landed, MismatchError, compare
from uss.sandbox.demo.readers import Held
from uss.sandbox.jsonyaml import load

EXAMPLES = [f"Pulumi.example-{name}.yaml" for name in ("all", "aws", "azure", "gcp")]
DEMO = ROOT / "uss" / "sandbox" / "demo"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of the project that the demo uses, and a place for its temporary ones."""
    project = tmp_path / "project"
    (project / "stacks").mkdir(parents=True)
    (tmp_path / "temporary").mkdir()
    for name in ("Pulumi.yaml", "__main__.py", *(f"stacks/{example}" for example in EXAMPLES)):
        shutil.copy(ROOT / name, project / name)
    return project


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
    assert sorted(os.listdir(project / "stacks")) == EXAMPLES
    assert os.listdir(project.parent / "temporary") == []


def test_the_demo_shows_both_syncs_without_a_value_and_leaves_nothing(checkout: Path) -> None:
    demo = start(checkout)
    output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0, output
    for text in (
        "$ pulumi preview",
        "production-aws: 4 secrets: 4 to create, 1 refused",
        "production-azure: 3 secrets: 3 to create, 2 refused",
        "the key vault kv-prod is not there yet: it will be made",
        "production-gcp: 3 secrets: 3 to create, 2 refused",
        "production-aws: 4 secrets: 1 to create, 1 to rename, 1 with a new value, 1 unchanged, 1 to delete, 1 refused",
        "to be had back for 30 days: Mail-Relay, payments/stripe-key",
        "No change, and not one call that writes, to any of the clouds.",
        "$ pulumi up --stack demo-gcp",
    ):
        assert text in output
    values = [*load((DEMO / "expected.yaml").read_text(encoding="utf-8"))["second"].values()]
    values += ["p4ss 0rd with spaces", "Pässwörd", "rotated-0001", "made-up-key", "hunter2"]
    assert leaks(output, *values) == {}
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


def test_what_is_read_back_must_be_what_is_expected() -> None:
    reading = {"us-east-1": {"one": Held("v1", "text/plain", "canary"), "side-two": Held("v2", "text/plain", "other")}}
    record: dict[str, Any] = {"title": "T", "name": "one", "contentType": "text/plain", "version": "v1"}
    outputs = {"type": "aws", "records": {"u": record}}
    assert compare({"one": "canary"}, outputs, reading) == [Landed("aws", "us-east-1", "T", "one", "v1", "text/plain")]
    faults = [
        ({"another": "canary"}, outputs, "should be"),
        ({"one": "other"}, outputs, "The value of one in us-east-1"),
        ({"one": "canary"}, {"type": "aws", "records": {"u": record | {"version": "v0"}}}, "the version of one"),
        ({"one": "canary"}, {"type": "aws", "records": {"u": record | {"contentType": "x/y"}}}, "the content type of"),
    ]
    for expected, told, text in faults:
        with pytest.raises(MismatchError, match=text) as fault:
            compare(expected, told, reading)
        assert leaks(str(fault.value), "canary") == {}
    with pytest.raises(MismatchError, match="us-east-1 holds"):
        compare({"one": "canary"}, outputs, {"us-east-1": {}})
