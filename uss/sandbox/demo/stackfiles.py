"""The demo's stack files, made from the committed examples and removed when the demo ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from uss.sandbox.demo.readback import SIDE
from uss.sandbox.jsonyaml import load
from uss.sandbox.layout import SandboxError

STACK = "demo"
SIDE_STACKS = {f"demo-{cloud}": f"Pulumi.example-{cloud}.yaml" for cloud in ("aws", "azure", "gcp")}
"""One stack for each PAM Configuration, and the example that it is made from."""
_EXAMPLE = "Pulumi.example-all.yaml"
_MADE = "# Made by the demo from the example beside it, and removed when the demo ends.\n"


@contextmanager
def stack_files(project: Path) -> Iterator[None]:
    """The stack files, as long as the demo runs. Raises `SandboxError` for files that are not the demo's."""
    folder = project / "stacks"
    if not (project / "Pulumi.yaml").exists():
        raise SandboxError(f"{project} has no Pulumi.yaml: run the demo in the project's own folder.")
    contents = {STACK: (folder / _EXAMPLE).read_text(encoding="utf-8")}
    contents |= {stack: _with_prefix(folder / example) for stack, example in SIDE_STACKS.items()}
    paths = {folder / f"Pulumi.{stack}.yaml": content for stack, content in contents.items()}
    for path in paths:
        if path.exists() and not path.read_text(encoding="utf-8").startswith(_MADE.rstrip()):
            raise SandboxError(f"{path} is there and not of the demo's making: move it away, then run the demo again.")
    try:
        for path, content in paths.items():
            path.write_text(_MADE + content, encoding="utf-8")
        yield
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


def _with_prefix(example: Path) -> str:
    """The example with a prefix: its names are otherwise those that the one stack has in the same clouds."""
    content = load(example.read_text(encoding="utf-8"))
    for configuration in content["config"]["uss:configurations"]:
        configuration["namePrefix"] = SIDE
    return yaml.safe_dump(content, sort_keys=False)
