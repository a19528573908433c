"""The `uss` command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from uss.config import json_schema

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


EXAMPLE = yaml.safe_load((ROOT / "stacks" / "Pulumi.example-aws.yaml").read_text(encoding="utf-8"))
GOOD: dict[str, Any] = EXAMPLE["config"]["uss:configurations"][0]


WRONG_FILES: dict[str, dict[str, Any]] = {
    "no configurations": {"config": {}},
    "no list": {"config": {"uss:configurations": GOOD}},
    "a list of names": {"config": {"uss:configurations": ["production-aws"]}},
    "access in clear": {"config": {"uss:ksmConfig": "in clear", "uss:configurations": [GOOD]}},
}
WRONG_KEYS: list[dict[str, Any]] = [
    {"folder": "Production"},
    {"name": "with spaces"},
    {"name": ""},
    {"folders": []},
    {"folders": "Production"},
    {"folders": [""]},
    {"type": "AWS"},
    {"enabled": "true"},
    {"regionMode": "copy"},
    {"regions": "us-east-1"},
    {"tags": {"a": 1}},
    {"limits": {"maxDeletes": -1}},
    {"limits": {"deletes": 1}},
    {"onDelete": "keep"},
    {"adopt": "RECORD"},
    {"formerly": "an old one"},
    {"syncIdentity": ""},
]
WRONG_FILES |= {str(keys): {"config": {"uss:configurations": [GOOD | keys]}} for keys in WRONG_KEYS}


@pytest.mark.parametrize("wrong", WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_the_schema_refuses_a_wrong_file(wrong: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    assert validator.is_valid(EXAMPLE)
    assert not validator.is_valid(wrong)


def test_the_schema_is_one_by_its_own_rules_and_explains_every_key() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for model in ("Configuration", "Limits"):
        assert all(entry.get("description") for entry in schema["$defs"][model]["properties"].values())


def test_the_short_help_option_and_the_version_work() -> None:
    assert uss("-h") == uss("--help")
    assert "schema" in uss("schema", "-h")
    assert uss("--version").startswith("uss, version 0.")


@pytest.mark.parametrize("arguments", [("nonsense",), ("schema", "--nonsense"), ("schema", "extra")])
def test_what_it_does_not_know_is_refused_with_the_usage(arguments: tuple[str, ...]) -> None:
    result = subprocess.run([USS, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Usage: uss" in result.stderr
    assert arguments[-1] in result.stderr
