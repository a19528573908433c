"""What is printed, for every cloud: documents to paste, and steps to run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from uss.clouds.interface import Cloud, Target
from uss.config import Configuration, mistake
from uss.errors import ConfigurationError
from uss.permissions.federation import Federation

_WIDTH = 100
"""Characters after which a command is put on several lines."""


@dataclass(frozen=True)
class Document:
    """A policy: what it is called in JSON, what it is for, and its content."""

    key: str
    text: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A command of the vendor's own command line, and what it is for."""

    text: str
    command: Sequence[str]


@dataclass(frozen=True)
class Permissions:
    """All that one configuration needs."""

    documents: Sequence[Document] = ()
    steps: Sequence[Step] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    """What a pipeline's jobs must know to sign in."""
    notes: Sequence[str] = ()
    """What stands in the way still."""

    def data(self) -> dict[str, Any]:
        """Return it as data: documents under their keys, commands as lists."""
        documents: dict[str, Any] = {document.key: document.content for document in self.documents}
        steps = [{"text": step.text, "command": list(step.command)} for step in self.steps]
        rest = {"steps": steps, "variables": dict(self.variables), "notes": list(self.notes)}
        return documents | {key: value for key, value in rest.items() if value}

    def lines(self) -> Iterator[str]:
        """Give the lines for a person: what each part is for stands before it, as a comment of a shell."""
        for note in self.notes:
            yield f"# Note: {note}"
            yield ""
        for document in self.documents:
            yield f"# {document.text}"
            yield from json.dumps(document.content, indent=2).splitlines()
            yield ""
        for step in self.steps:
            yield f"# {step.text}"
            yield _printable(_shell(step.command))
            yield ""
        if self.variables:
            yield "# Variables of the pipeline."
            yield from (_printable(f"{name}={value}") for name, value in self.variables.items())


def _printable(text: str) -> str:
    """What the vault says of a place may hold anything, and a terminal obeys some of it."""
    return "".join(character for character in text if character.isprintable() or character == "\n")


def _shell(command: Sequence[str]) -> str:
    line = shlex.join(command)
    if len(line) <= _WIDTH:
        return line
    first = next((index for index, word in enumerate(command) if word.startswith("--")), len(command))
    options: list[list[str]] = []
    for word in command[first:]:
        if word.startswith("--"):
            options.append([])
        options[-1].append(word)
    return " \\\n    ".join(shlex.join(words) for words in [command[:first], *options])


def no_identity(configuration: Configuration, source: str, kind: str, options: str = "--oidc") -> ConfigurationError:
    """Return the error for a configuration that names nobody who could trust a caller or a CI's jobs."""
    text = f"is missing, so there is no {kind} that could trust anybody. Name one, or leave {options} out."
    return mistake(source, configuration.name, "syncIdentity", text)


def check_prefix(cloud: Cloud, configuration: Configuration, source: str) -> None:
    """Raise `ConfigurationError` for a prefix that no name can have: in a policy it could mean more than itself."""
    if not all(cloud.names.allowed.match(character) for character in configuration.name_prefix):
        text = f"{cloud.names.cloud} takes no name that begins so. Use {cloud.names.wording}."
        raise mistake(source, configuration.name, "namePrefix", text)


class CloudPermissions(Protocol):
    """What the module of a cloud has."""

    def permissions(
        self, target: Target, configuration: Configuration, source: str, stack: str, trusted: str | Federation | None
    ) -> Permissions:
        """Return what the configuration's identity must be allowed. `trusted` takes it on: the ARN of a user or role,
        which AWS alone knows, or the jobs of a CI.

        Raises `ConfigurationError` naming `source` where there is no identity to take on.
        """
