"""The image's recipe: it cannot be built here, so its steps are done in a folder, and what comes out is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped]  # it has no types

from tests.leaks import leaks
from tests.sync.harness import ROOT, Project, Sandbox, login, password, uid, vault

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
CANARY = "canary-of-the-image"


def instructions(kind: str, stage: str) -> list[str]:
    """The instructions of a kind in one stage."""
    found, inside = [], False
    for entry in DockerfileParser(fileobj=BytesIO(DOCKERFILE.read_bytes())).structure:
        if entry["instruction"] == "FROM":
            inside = str(entry["value"]).endswith(f" AS {stage}")
        elif inside and entry["instruction"] == kind:
            found.append(str(entry["value"]))
    return found


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([Path(sys.executable).with_name("hadolint"), DOCKERFILE], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_versions_are_those_of_the_project() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert set(re.findall(r"uv==(\S+)", text)) == set(
        re.findall(r"^UV_VERSION=(\S+)", (ROOT / ".ci" / "uv").read_text(), re.M)
    )
    assert f"FROM pulumi/pulumi-base:{version('pulumi')} AS pulumi" in text


def test_nothing_runs_as_root() -> None:
    for stage in ("watch", "workspace"):
        assert instructions("USER", stage) == ["65532:65532"]


def test_the_context_holds_what_is_copied_and_no_more() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert ignored[1] == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        source.rstrip("/")
        for value in instructions("COPY", "build")
        if "--from" not in value
        for source in value.split()[:-1]
    }
    assert copied == allowed


def test_plugins_are_those_of_the_sdks() -> None:
    done = subprocess.run([sys.executable, ROOT / "deploy" / "plugins.py"], capture_output=True, text=True, check=True)
    names = ("aws", "azure-native", "gcp")
    assert sorted(done.stdout.splitlines()) == [f"{name} {version(f'pulumi-{name}')}" for name in names]


def build(folder: Path) -> None:
    """Do the `build` stage's copying and installing in a folder."""
    for name in ("pyproject.toml", "uv.lock", "README.md", "Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "uss", folder / "uss")
    (last,) = [step for step in instructions("RUN", "build") if "--no-editable" in step]
    # Compiling everything takes a minute, and shows nothing.
    options = [option for option in last.split()[1:] if option != "--compile-bytecode"]
    uv = [str(ROOT / ".ci" / "uv"), *options, "--project", str(folder)]
    # Packages come from uv's cache, as `make env` left it.
    environment = {**os.environ, "UV_OFFLINE": "1", "UV_PROJECT_ENVIRONMENT": str(folder / ".venv")}
    environment.pop("VIRTUAL_ENV", None)
    subprocess.run(uv, cwd=folder, env=environment, check=True, capture_output=True)
    (change,) = [step for step in instructions("RUN", "build") if step.startswith("sed ")]
    subprocess.run(["bash", "-c", change.replace("rm -r uss deploy", "rm -r uss")], cwd=folder, check=True)


def test_what_is_built_watches(sandbox: Sandbox, project: Project, tmp_path: Path) -> None:
    sandbox.write_vault(vault(login(uid(1), "First", CANARY)))
    image = tmp_path / "image"
    image.mkdir()
    build(image)
    assert "virtualenv: .venv" in (image / "Pulumi.yaml").read_text(encoding="utf-8")
    shutil.copytree(project.folder / "stacks", image / "stacks")
    python = image / ".venv" / "bin" / "python"
    subprocess.run(
        [python, "-c", "import pulumi_aws, pulumi_azure_native, pulumi_gcp, uss.program"], cwd="/", check=True
    )
    # The language host that is built here asks pip for the packages, which the image is without.
    environment = project.environment | {
        "PULUMI_PYTHON_CMD": sys.executable,
        "STATE_DIRECTORY": str(tmp_path / "state"),
    }
    command = [str(image / ".venv" / "bin" / "uss"), "watch", "--once", "--stack", project.stack]
    done = subprocess.run(command, cwd=image, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert leaks(done.stdout + done.stderr, CANARY) == {}
    assert project.secrets() == {"First": password(CANARY)}
