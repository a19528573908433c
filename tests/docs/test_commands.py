"""The commands of the pages: run in the sandbox where they can be, and otherwise looked at as closely as can be."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import botocore.session
import click
import pytest
import yaml
from botocore import xform_name

from tests.docs.pages import ROOT, Block, blocks, commands
from tests.sync.harness import Project, Sandbox
from uss.cli import main
from uss.sandbox.demo.edits import put_service_account_key

NOT_RUN = {
    "az": "Azure's command line: no package of a size that tests can fetch",
    "gcloud": "Google's command line is in no package registry",
    "aws": "checked against AWS's own service models below",
    "docker": "no container engine here",
    "kubectl": "no cluster here",
    "systemctl": "no systemd runs here",
    "journalctl": "the same",
    "useradd": "changes the machine's users",
    "install": "writes to /etc",
    "cp": "the same",
    "tee": "the same",
    "rm": "takes Pulumi's logs out of the user's home: tests/sync/test_engine_log.py does it in another",
    "touch": "the same",
    "git": "clones the reader's own repository",
    ".ci/uv": "run by tests/deploy and by `make env`",
    "ksm": "needs a one-time token, which is good once: tests/sandbox binds one",
    "uss": "its options are checked below; tests/sync runs the command",
    "pulumi": "runs with what the reader's own cloud has; tests/sync runs the command",
    "make": "its target is checked below; CI runs it",
    "cd": "the shell's own",
    "echo": "the same",
    "export": "the same",
    "printf": "the same",
}
SH, SHELL = ([block for block in blocks() if block.language == name] for name in ("sh", "shell"))
ADDED = f"cat {ROOT}/stacks/Pulumi.example-all.yaml >>"
"""Puts the example of all clouds into a stack file that `pulumi stack init` has begun."""


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Project:
    """A stack `production` with the configurations of the example, and the demo's vault."""
    demo = tmp_path / "vault.yaml"
    shutil.copy(ROOT / "uss" / "sandbox" / "demo" / "vault.yaml", demo)
    put_service_account_key(demo)
    sandbox.write_vault(yaml.safe_load(demo.read_text(encoding="utf-8")))
    home = tmp_path / "home"
    home.mkdir()
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(sandbox, folder, "", "production", {"HOME": str(home), "STATE_DIRECTORY": str(tmp_path / "w")})


def run(project: Project, script: str) -> None:
    """Run a script in which everything must succeed."""
    done = project.shell(script)
    assert done.code == 0, f"{script}\n{done.output}"


def test_the_quick_start_leads_to_a_synced_stack(project: Project) -> None:
    listed = [block for block in SH if block.page == "quickstart.md"]
    assert len(listed) == 4
    project.stack_file.unlink()
    first, *rest = ["\n".join(block.lines) for block in listed]
    run(project, "\n".join([first, f"{ADDED} {project.stack_file}", *rest]))
    assert len(project.secrets()) > 1


def test_the_commands_of_the_other_pages_run(project: Project) -> None:
    run(project, f"{ADDED} {project.stack_file}")
    listed = {"\n".join(block.lines): block.page for block in SH if block.page != "quickstart.md"}
    assert len(listed) >= 3
    for script in listed:
        run(project, script)


def test_only_what_cannot_run_here_is_not_run() -> None:
    assert {command[0] for block in SHELL for command in commands(block)} <= NOT_RUN.keys()


def test_commands_stand_in_blocks_that_say_so() -> None:
    assert {block.language for block in blocks()} <= {"sh", "shell", "text", "yaml", "json", "python", ""}


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.page)
def test_commands_that_are_not_run_are_ones_that_there_are(block: Block) -> None:
    for command in commands(block):
        match command[0]:
            case "make":
                targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
                assert set(command[1:]) <= set(targets)
            case "uss":
                understood(command[1:])
            case "aws":
                fits_the_service_model(command[1:])


def understood(arguments: list[str]) -> None:
    """Let click read a command of `uss`, without running it: it refuses what it does not know."""
    group: click.Command = main
    context = click.Context(main)
    while isinstance(group, click.Group):
        found = group.get_command(context, arguments[0])
        assert found is not None, arguments
        group, arguments = found, arguments[1:]
    group.make_context("uss", list(arguments))


def fits_the_service_model(arguments: list[str]) -> None:
    """AWS's command line is made from service models: an operation and its parameters have the names of those."""
    service, operation, *rest = arguments
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names, arguments
    shape = model.operation_model(names[operation]).input_shape
    known = {f"--{xform_name(name, '-')}" for name in (shape.members if shape else {})}
    used = {word for word in rest if word.startswith("--")}
    assert used <= known | {"--region", "--query", "--output"}, arguments
