"""The stack file as the commands read and change it: beside Pulumi's own updates, not in one.

Which stack is meant, and what is encrypted, Pulumi's own command says. A change keeps comments, order and quotes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection
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
    reference: str
    """The stack as Pulumi's own commands take it: with its organization where that is not the default one."""
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
        return find_access(_pulumi("config", "get", _KSM_CONFIG, "--stack", self.reference) if encrypted else None)

    def change_adopted(self, name: str, add: Collection[str], remove: Collection[str]) -> None:
        """Add records to a configuration's `adopt` and take others out.

        Raises `ConfigurationError` where the file cannot be written.
        """
        content = _load(self.path)
        configurations = content["config"][KEY]
        entry = next(entry for entry in configurations if entry["name"] == name)
        listed = entry.get("adopt")
        if listed is None or any(other is not entry and other.get("adopt") is listed for other in configurations):
            # An anchor that others share, or nothing yet: a list of its own.
            entry["adopt"] = listed = [*(listed or ())]
        for index in reversed(range(len(listed))):
            if listed[index] in remove:
                del listed[index]
        listed.extend(uid for uid in add if uid not in listed)
        if not listed:
            del entry["adopt"]
        _replace(self.path, _dumped(content, self.path))


def find_stack_file(stack: str | None) -> StackFile:
    """Return the file of a stack, or of the one that is selected in Pulumi; raise `ConfigurationError`."""
    project = _load(_PROJECT)
    if not isinstance(project, dict) or not project.get("name"):
        raise ConfigurationError("There is no Pulumi.yaml in this folder. Go to the folder of the Pulumi project.")
    reference = stack or _selected()
    name = reference.rpartition("/")[2]
    path = Path(project.get("stackConfigDir") or ".") / f"Pulumi.{name}.yaml"
    content = _load(path)
    config = content.get("config") if isinstance(content, dict) else None
    value = config.get(KEY) if isinstance(config, dict) else None
    if isinstance(value, dict) and "secure" in value:
        raise ConfigurationError(f"{path.as_posix()}: {KEY} is encrypted, and can be neither read nor changed here.")
    return StackFile(path, str(project["name"]), name, reference, parse_configurations(_plain(value), path.as_posix()))


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
    except FileNotFoundError:
        raise ConfigurationError("`pulumi` is not on the PATH.") from None
    except (OSError, subprocess.SubprocessError):
        told = (
            f"`pulumi {' '.join(arguments)}` failed. Check that the stack exists, the backend (PULUMI_BACKEND_URL) and "
        )
        raise ConfigurationError(f"{told}its passphrase (PULUMI_CONFIG_PASSPHRASE); or set KSM_CONFIG.") from None
    return run.stdout.strip()


def _dumped(content: Any, path: Path) -> str:
    """The content as text, laid out as the file is now, so that a review shows what was added and nothing else."""
    before = path.read_text(encoding="utf-8")
    yaml = _yaml()
    config = re.search(rf"^( *){re.escape(KEY)}:", before, re.MULTILINE)
    mapping = len(config[1]) if config else 0
    dash = re.compile(r"^( *)-( +)", re.MULTILINE).search(before, config.end() if config else 0)
    offset = max(len(dash[1]) - mapping, 0) if dash else 0
    yaml.indent(mapping=mapping or 2, sequence=offset + (1 + len(dash[2]) if dash else 2), offset=offset)
    text = StringIO()
    yaml.dump(content, text)
    return text.getvalue()


def _replace(path: Path, text: str) -> None:
    """Write the file in one step, with its line ends and its mode, and where a link leads."""
    target = path.resolve()
    new = target.with_name(target.name + ".new")
    try:
        newline = "\r\n" if b"\r\n" in target.read_bytes() else "\n"
        new.write_text(text, encoding="utf-8", newline=newline)
        shutil.copymode(target, new)
        new.replace(target)
    except OSError as error:
        raise ConfigurationError(f"{path.as_posix()} cannot be written ({type(error).__name__}).") from error


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096  # a long line stays one
    return yaml


def _load(path: Path) -> Any:
    try:
        return _yaml().load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if path == _PROJECT:
            return None
        raise ConfigurationError(f"There is no {path.as_posix()}: name a stack that has one.") from None
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{path.as_posix()} cannot be read ({type(error).__name__}{where}).") from None


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
