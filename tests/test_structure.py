"""The rules of the layout: who may import what, and the errors' family tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import uss.errors
from uss.errors import UssError

PACKAGE = Path(uss.errors.__file__).parent


def imports(path: Path) -> Iterator[str]:
    """The names of all modules that a file imports, at the top or inside."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(module: str, *, outside: str) -> list[str]:
    """Files outside of a folder that import a module."""
    files = (path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(PACKAGE / outside))
    return [str(path) for path in files if any(f"{name}.".startswith(f"{module}.") for name in imports(path))]


def test_nothing_of_the_sync_imports_the_sandbox() -> None:
    assert importers("uss.sandbox", outside="sandbox") == []


def test_the_sandbox_imports_nothing_of_the_sync() -> None:
    for path in (PACKAGE / "sandbox").rglob("*.py"):
        foreign = [name for name in imports(path) if name.startswith("uss.") and not name.startswith("uss.sandbox")]
        assert foreign == [], path


def test_keepers_sdk_is_imported_in_one_place() -> None:
    found = importers("keeper_secrets_manager_core", outside="keeper")
    assert [path for path in found if "sandbox" not in path] == []


def test_the_providers_sdks_are_imported_only_with_the_resources() -> None:
    for sdk, resources in (
        ("pulumi_aws", "aws_resources.py"),
        ("pulumi_azure_native", "azure_resources.py"),
        ("pulumi_gcp", "gcp_resources.py"),
    ):
        assert [Path(path).name for path in importers(sdk, outside="sandbox")] == [resources]


def test_the_errors_are_the_tree_that_the_module_draws() -> None:
    drawn = [line.strip("│├└─ ").split()[0] for line in (uss.errors.__doc__ or "").splitlines() if "Error" in line]
    classes = {name: value for name, value in vars(uss.errors).items() if isinstance(value, type)}
    assert [name for name in drawn if name in classes] == list(classes)
    assert all(issubclass(value, UssError) for value in classes.values())


def test_functions_and_files_stay_small() -> None:
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert source.count("\n") <= 400, path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 50, f"{path}: {node.name}"
