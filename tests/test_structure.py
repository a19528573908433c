"""The rules of the layout: who may import what, and the errors' family tree."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import uss.errors
from uss.errors import UssError

PACKAGE = Path(uss.errors.__file__).parent
PROGRAM = PACKAGE.parent / "__main__.py"


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


OF_THE_SAME_FOLDER = ("import_module(f'{__name__}.{cloud.value}')",)
"""How a cloud's module is found by its name: what is imported so stands in the folder that imports it."""


def test_imports_are_absolute_so_that_these_tests_see_them_all() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path
            if isinstance(node, ast.Call) and ast.unparse(node) not in OF_THE_SAME_FOLDER:
                assert ast.unparse(node.func) not in ("__import__", "import_module", "importlib.import_module"), path


def test_nothing_of_the_sync_imports_the_sandbox() -> None:
    assert importers("uss.sandbox", outside="sandbox") == []
    assert [name for name in imports(PROGRAM) if name.startswith("uss.sandbox")] == []


def test_the_sandbox_imports_nothing_of_the_sync() -> None:
    for path in (PACKAGE / "sandbox").rglob("*.py"):
        names = [name for name in imports(path) if name.split(".")[0] == "uss"]
        assert [name for name in names if not f"{name}.".startswith("uss.sandbox.")] == [], path


def test_nothing_imports_the_import() -> None:
    assert importers("uss.importer", outside="importer") == []
    assert [name for name in imports(PROGRAM) if name.startswith("uss.importer")] == []


def test_the_clouds_own_clients_are_imported_only_at_the_edges() -> None:
    for sdk, files in (
        ("boto3", ["importer/readers/aws.py"]),
        ("botocore", ["importer/readers/aws.py"]),
        # A key vault's own endpoint tells the sync what Resource Manager does not.
        ("azure", ["importer/readers/azure.py", "resources/azure_vault.py"]),
        ("google.auth", ["importer/readers/gcp.py"]),
        ("google.api_core", ["importer/readers/gcp.py"]),
        ("google.cloud", ["importer/readers/gcp.py"]),
    ):
        assert sorted(Path(path) for path in importers(sdk, outside="sandbox")) == [PACKAGE / file for file in files]


def test_keepers_sdk_is_imported_in_one_place() -> None:
    found = importers("keeper_secrets_manager_core", outside="keeper")
    # The sandbox runs Keeper's own command line, which is made of the SDK.
    assert [Path(path).relative_to(PACKAGE).as_posix() for path in found] == ["sandbox/keeper/ksm.py"]
    assert [name for name in imports(PROGRAM) if name.startswith("keeper_")] == []


def test_the_providers_sdks_are_imported_only_with_the_resources() -> None:
    for sdk, resources in (
        ("pulumi_aws", "resources/aws.py"),
        ("pulumi_azure_native", "resources/azure.py"),
        ("pulumi_gcp", "resources/gcp.py"),
    ):
        assert [Path(path) for path in importers(sdk, outside="sandbox")] == [PACKAGE / resources]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the sync, to plant imports in."""
    shutil.copytree(PACKAGE, tmp_path / "uss", ignore=shutil.ignore_patterns("__pycache__", "sandbox"))
    shutil.copy(PACKAGE.parent / "pyproject.toml", tmp_path)
    return tmp_path


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    """What the contracts of `pyproject.toml` say of the package in a folder."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def plant(path: Path, after: str, line: str) -> None:
    """Put a line into a file, behind the first one that begins so."""
    source = path.read_text(encoding="utf-8")
    assert f"\n{after}" in source
    path.write_text(re.sub(rf"(?m)^({re.escape(after)}.*\n)", rf"\1{line}\n", source, count=1), encoding="utf-8")


def test_the_floors_hold(copied: Path) -> None:
    run = linted(copied)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("file", "line", "names"),
    [
        ("clouds/aws.py", "from uss.planning import plan", ("uss.clouds.aws", "uss.planning.plan")),
        ("planning/settle.py", "import uss.resources.looking", ("uss.planning.settle", "uss.resources.looking")),
        ("importer/cli.py", "from uss.watch import cli", ("uss.importer.cli", "uss.watch.cli")),
        (
            "clouds/gcp.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from uss.report import document",
            ("uss.clouds.gcp", "uss.report.document"),
        ),
        ("planning/plan.py", "import pulumi", ("uss.planning.plan", "pulumi")),
    ],
)
def test_an_import_of_an_upper_floor_fails_with_both_names(
    copied: Path, file: str, line: str, names: tuple[str, str]
) -> None:
    plant(copied / "uss" / file, "from __future__", line)
    run = linted(copied)
    assert run.returncode == 1
    assert all(name in run.stdout for name in names), run.stdout


def test_a_circle_inside_a_room_fails_with_both_names(copied: Path) -> None:
    plant(copied / "uss" / "planning" / "plan.py", "from __future__", "from uss.planning import build")
    run = linted(copied)
    assert run.returncode == 1
    assert ".plan -> .build" in run.stdout


def test_a_new_folder_needs_a_floor(copied: Path) -> None:
    (copied / "uss" / "attic").mkdir()
    (copied / "uss" / "attic" / "__init__.py").touch()
    run = linted(copied)
    assert run.returncode == 1
    assert "attic" in run.stdout


def test_no_folder_has_more_files_than_a_reader_takes_in() -> None:
    for folder in {path.parent for path in PACKAGE.rglob("*.py")}:
        if not folder.is_relative_to(PACKAGE / "sandbox"):
            assert len(list(folder.glob("*.py"))) <= 10, folder


def drawn_tree(text: str) -> dict[str, str | None]:
    """Each error that a docstring draws in its tree, with the one above it."""
    tree: dict[str, str | None] = {}
    line_up: list[tuple[int, str]] = []
    for line in text.splitlines():
        found = re.match(r"^ {4}([│├└─ ]*)([A-Z]\w+Error)\b", line)
        if found:
            depth = len(found[1])
            line_up = [(above, name) for above, name in line_up if above < depth]
            tree[found[2]] = line_up[-1][1] if line_up else None
            line_up.append((depth, found[2]))
    return tree


def test_the_errors_are_the_tree_that_the_module_draws() -> None:
    classes = [value for value in vars(uss.errors).values() if isinstance(value, type)]
    parents = {value.__name__: value.__bases__[0].__name__ for value in classes}
    drawn = drawn_tree(uss.errors.__doc__ or "")
    assert drawn.pop("UssError", "") is None
    assert parents.pop("UssError") == "Exception"
    assert list(drawn.items()) == list(parents.items())
    assert all(value.__doc__ and issubclass(value, UssError) for value in classes)


def test_functions_and_files_stay_small() -> None:
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert source.count("\n") <= 400, path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 50, f"{path}: {node.name}"
