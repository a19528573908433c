"""The pipelines are what their platforms take: published schemas, actionlint, shellcheck."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipelines.runners import PIPELINES, Azure, GitHub, GitLab, document
from tests.pipelines.tokens import Issuer
from tests.sync.harness import ROOT
from uss.sandbox.engine import GO_WHEEL, cache_root, go_environment

ACTIONLINT = "1.7.12"
BIN = Path(sys.executable).parent
NOBODY = Issuer("")


def run(*command: str, **environment: str) -> str:
    """Run a tool, which must find nothing; return what it printed."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """The tool, built once from its Go module and kept beside the engine."""
    folder = cache_root(os.environ) / f"actionlint-{ACTIONLINT}"
    if not (folder / "actionlint").exists():
        building = folder.with_name(f"{folder.name}.{os.getpid()}")
        environment = go_environment({**os.environ, "GOBIN": str(building)}, building)
        go = [str(ROOT / ".ci" / "uv"), "run", "--quiet", "--no-project", "--with", GO_WHEEL, "go"]
        run(*go, "install", f"github.com/rhysd/actionlint/cmd/actionlint@v{ACTIONLINT}", **environment)
        folder.mkdir(parents=True, exist_ok=True)
        (building / "actionlint").replace(folder / "actionlint")
        shutil.rmtree(building)
    return folder / "actionlint"


def check(tmp_path: Path, schema: str, content: Any, *options: str) -> None:
    """Check a document against a schema that its platform publishes."""
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    run(str(BIN / "check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *options, str(file))


def test_actionlint_finds_nothing(actionlint: Path) -> None:
    shellcheck = str(BIN / "shellcheck")
    run(str(actionlint), "-shellcheck", shellcheck, "-pyflakes", "", str(PIPELINES / GitHub.file))


def test_actionlint_would_find_something(actionlint: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    text = (PIPELINES / GitHub.file).read_text(encoding="utf-8")
    broken.write_text(text.replace("needs: [sync, approve]", "needs: [sink, approve]"), encoding="utf-8")
    done = subprocess.run([str(actionlint), str(broken)], capture_output=True, text=True, check=False)
    assert (done.returncode, '"sink" which does not exist' in done.stdout) == (1, True), done.stdout


def test_github_workflow_fits_its_schema(tmp_path: Path) -> None:
    content = yaml.load((PIPELINES / GitHub.file).read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - strings only
    assert "on" in content  # and not the boolean that YAML 1.1 makes of it
    run(str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(PIPELINES / GitHub.file))


@pytest.mark.parametrize("approvals", ["", "a=0123456789ab"])
def test_gitlab_pipeline_fits_its_schema_once_its_inputs_are_filled_in(tmp_path: Path, approvals: str) -> None:
    runner = GitLab(tmp_path, {}, {}, tmp_path, NOBODY)
    check(tmp_path, "gitlab-ci", runner.jobs(approvals), "--data-transform", "gitlab-ci")


def as_azure_reads(node: Any, *, inputs: bool = False) -> Any:
    """Azure reads every scalar as a string, and the schema has them so, but for a task's inputs."""
    if isinstance(node, dict):
        return {key: as_azure_reads(value, inputs=inputs or key == "inputs") for key, value in node.items()}
    if isinstance(node, list):
        return [as_azure_reads(entry, inputs=inputs) for entry in node]
    if isinstance(node, bool | int) and not inputs:
        return str(node).lower()
    return node


def test_azure_pipeline_fits_its_schema_with_its_template_in_place(tmp_path: Path) -> None:
    content = as_azure_reads(Azure(tmp_path, {}, {}, tmp_path, NOBODY).expanded())
    check(tmp_path, "azure-pipelines", content, "--regex-variant", "nonunicode")


def scripts() -> list[tuple[str, str]]:
    """Every script of GitLab's and Azure's pipelines; actionlint has those of GitHub's checked."""
    gitlab = GitLab(Path(), {}, {}, Path(), NOBODY).jobs("a=0")
    found = [
        (f"gitlab {name}", "\n".join(job[part]))
        for name, job in gitlab.items()
        if isinstance(job, dict)
        for part in ("before_script", "script")
        if part in job
    ]
    stages = Azure(Path(), {}, {}, Path(), NOBODY).expanded()["stages"]
    jobs = [job for stage in stages for job in stage["jobs"]]
    for job in jobs:
        texts = [step.get("bash") or step.get("inputs", {}).get("inlineScript") for step in Azure.steps(job)]
        found += [(f"azure {job.get('job') or job['deployment']}", text) for text in texts if text]
    return found


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    files = []
    for number, (name, text) in enumerate(scripts()):
        file = tmp_path / f"{number} {name}.sh"
        file.write_text(f"#!/usr/bin/env bash\nset -euo pipefail\n{text}\n", encoding="utf-8")
        files.append(str(file))
    assert len(files) > 10
    # What the platform sets is not assigned in the script.
    run(
        str(BIN / "shellcheck"),
        "--exclude=SC2154",
        *files,
        *(str(PIPELINES / name) for name in ("setup.sh", "sign-in.sh")),
    )


def test_actions_are_pinned_by_commit() -> None:
    jobs = document(GitHub.file)["jobs"].values()
    uses = [step["uses"] for job in jobs for step in job["steps"] if "uses" in step]
    assert uses
    assert all(len(entry.partition("@")[2]) == 40 for entry in uses)
