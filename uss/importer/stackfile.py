"""The stack file as `uss import` and `uss adopt` read and change it: beside Pulumi's own updates, not in one.

Which stack is meant, and what is encrypted, Pulumi's own command says. A change keeps comments, order and quotes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from uss.config import KEY, Configuration, parse_configurations
from uss.errors import ConfigurationError
from uss.keeper import Access, find_access
from uss.text import shown

_PROJECT = Path("Pulumi.yaml")
_KSM_CONFIG = "uss:ksmConfig"
_SECONDS = 60


@dataclass(frozen=True)
class StackFile:
    """A stack of the project in the current folder, and its configurations."""

    path: Path
    project: str
    stack: str
    configurations: tuple[Configuration, ...]

    @property
    def source(self) -> str:
        """How messages name it."""
        return self.path.as_posix()

    def configuration(self, name: str) -> Configuration:
        """Return the configuration of this name, or raise `ConfigurationError`."""
        for configuration in self.configurations:
            if configuration.name == name:
                return configuration
        names = ", ".join(shown(configuration.name) for configuration in self.configurations)
        raise ConfigurationError(f"{self.source} has no configuration {shown(name)}. It has: {names}.")

    def access(self) -> Access:
        """Return the Keeper access that the stack's updates have."""
        content = _load(self.path)
        encrypted = isinstance(content, dict) and _KSM_CONFIG in (content.get("config") or {})
        return find_access(_pulumi("config", "get", _KSM_CONFIG, "--stack", self.stack) if encrypted else None)

    def add_adopted(self, name: str, uids: Iterable[str]) -> None:
        """Add records to a configuration's `adopt`; raise `ConfigurationError` where the file cannot be written."""
        content = _load(self.path)
        entry = next(entry for entry in content["config"][KEY] if entry["name"] == name)
        listed = entry.setdefault("adopt", [])
        listed.extend(uid for uid in uids if uid not in listed)
        text = StringIO()
        _yaml().dump(content, text)
        new = self.path.with_name(self.path.name + ".new")
        try:
            new.write_text(text.getvalue(), encoding="utf-8")
            new.replace(self.path)
        except OSError as error:
            raise ConfigurationError(f"{self.source} cannot be written ({type(error).__name__}).") from error


def find_stack_file(stack: str | None) -> StackFile:
    """Return the file of a stack, or of the one that is selected in Pulumi; raise `ConfigurationError`."""
    project = _load(_PROJECT)
    if not isinstance(project, dict) or not project.get("name"):
        raise ConfigurationError("There is no Pulumi.yaml in this folder. Go to the folder of the Pulumi project.")
    name = (stack or _selected()).rpartition("/")[2]
    path = Path(project.get("stackConfigDir") or ".") / f"Pulumi.{name}.yaml"
    content = _load(path)
    config = content.get("config") if isinstance(content, dict) else None
    value = config.get(KEY) if isinstance(config, dict) else None
    if isinstance(value, dict) and "secure" in value:
        raise ConfigurationError(f"{path.as_posix()}: {KEY} is encrypted, and can be neither read nor changed here.")
    return StackFile(path, str(project["name"]), name, parse_configurations(_plain(value), path.as_posix()))


def _selected() -> str:
    try:
        return _pulumi("stack", "--show-name")
    except ConfigurationError as error:
        raise ConfigurationError(f"Which stack? Give its name as --stack. {error}") from error


def _pulumi(*arguments: str) -> str:
    """The answer of Pulumi's own command. What it printed is not repeated in an error: it may be a secret."""
    try:
        run = subprocess.run(  # noqa: S603 - the arguments are this module's own and a stack's name
            ["pulumi", *arguments, "--non-interactive"],  # noqa: S607 - whichever `pulumi` the user runs
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        told = f"`pulumi {' '.join(arguments)}` failed ({type(error).__name__}). Run it yourself to see why."
        raise ConfigurationError(told) from None
    return run.stdout.strip()


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096  # a long line stays one
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _load(path: Path) -> Any:
    try:
        return _yaml().load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if path == _PROJECT:
            return None
        raise ConfigurationError(f"There is no {path.as_posix()}: name a stack that has one.") from None
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ConfigurationError(f"{path.as_posix()} cannot be read ({type(error).__name__}).") from None


def _plain(value: Any) -> Any:
    """The file's round-trip values as plain ones, which is what the models take."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    return value
