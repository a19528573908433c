"""The `uss` command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
USS = Path(sys.executable).with_name("uss")


def uss(*arguments: str) -> str:
    """Run the command and return what it prints."""
    return subprocess.run([USS, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("arguments", [(), ("sandbox",)])
def test_help_lists_the_commands_of_all_parts(arguments: tuple[str, ...]) -> None:
    text = uss(*arguments, "--help")
    for command in ("start", "dump", "stop", "fault", "ksm") if arguments else ("sandbox", "schema"):
        assert f"\n  {command}" in text


def test_the_committed_schema_is_the_one_that_the_command_prints() -> None:
    assert uss("schema") == (ROOT / "stacks" / "schema.json").read_text(encoding="utf-8")


def test_the_examples_fit_the_schema() -> None:
    schema = json.loads(uss("schema"))
    examples = list((ROOT / "stacks").glob("Pulumi.example-*.yaml"))
    assert examples
    for example in examples:
        jsonschema.validate(yaml.safe_load(example.read_text(encoding="utf-8")), schema)
