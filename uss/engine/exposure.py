"""What makes Pulumi write values down where nothing encrypts them, said before the first value is sent.

Nothing here keeps a value out of a log: that is for whoever starts the run. docs/security.md has all ways, and how each
was found out.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from uss.config import CloudType

_DEBUG_MESSAGES_FROM = 3
"""From this `-v` on, the engine's verbose log has the messages for debugging, too."""
_PROPERTIES_FROM = 7
"""From this `-v` on, it has the properties of resources, those that are secret only before version 3.254."""
_ENGINES = ("pulumi", "pulumi.exe")
_TERRAFORM_LEVELS = ("DEBUG", "TRACE")
_SHORT = {"d": "debug", "j": "json", "v": "verbose"}
_SHORT_WITH_VALUE = "cmpstCv"
_LONG_WITH_VALUE = ("tracing", "verbose")
_MEND = "Leave it out, delete what was written so, and change those values."


@dataclass(frozen=True)
class Talk:
    """What makes a run talk: the flags of its `pulumi` command by their long names, and its environment."""

    flags: Mapping[str, str] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> Talk:
        """Read the arguments of a `pulumi` command."""
        return cls(dict(_flags(arguments)), environment)

    def on(self, flag: str) -> bool:
        """Whether a flag that needs no value is given, and not as false."""
        return flag in self.flags and self.flags[flag].lower() not in ("0", "f", "false")

    @property
    def verbosity(self) -> int:
        """The number of `-v`."""
        level = self.flags.get("verbose", "")
        return int(level) if level.isdecimal() else 0

    @property
    def debugging(self) -> str:
        """What shows messages for debugging; empty if nothing does."""
        if self.on("debug"):
            return "--debug"
        return f"-v={self.verbosity}" if self.verbosity >= _DEBUG_MESSAGES_FROM else ""


@functools.cache
def running() -> Talk:
    """Return what makes the run of this program talk. Of arguments that cannot be seen here, nothing is known."""
    import psutil  # late, because it takes long, and Keeper answers meanwhile

    arguments: list[str] = []
    with contextlib.suppress(psutil.Error, OSError):
        engine = next((process for process in psutil.Process().parents() if process.name() in _ENGINES), None)
        arguments = engine.cmdline()[1:] if engine else []
    return Talk.of(arguments, os.environ)


def of_engine(talk: Talk) -> list[str]:
    """Return a warning for each way in which the engine itself writes values down, whatever the cloud."""
    found = []
    if talk.environment.get("PULUMI_DEBUG_GRPC"):
        found.append("PULUMI_DEBUG_GRPC: the engine writes all values in clear, the PAM Configuration's keys too")
    if talk.flags.get("tracing"):
        found.append("--tracing: the engine writes all values in clear, the PAM Configuration's keys too")
    if talk.on("show-secrets"):
        found.append("--show-secrets: the engine prints values that change in clear, the old ones too")
    if talk.verbosity >= _PROPERTIES_FROM:
        found.append(f"-v={talk.verbosity}: an engine older than 3.254 writes all values in clear")
    return _told(found)


def of_providers(talk: Talk, clouds: Collection[CloudType], *, preview: bool = False) -> list[str]:
    """Return a warning for each way in which these clouds' providers write values down.

    A preview is warned of what an update with the same flags would write, but for `--json`, which is for the one alone.
    """
    found = []
    debugging = talk.debugging or ("--json" if talk.on("json") and not preview else "")
    terraform = talk.environment.get("TF_LOG", "").upper()
    if CloudType.GCP in clouds and debugging:
        found.append(f"{debugging}: GCP's provider writes each new value in base64")
    if CloudType.AWS in clouds and debugging and terraform in _TERRAFORM_LEVELS:
        found.append(f"{debugging} with TF_LOG={terraform}: AWS's provider writes each value that it sends or reads")
    if CloudType.AZURE in clouds and talk.on("logtostderr"):
        found.append("--logtostderr: Azure's provider writes values and client secrets in clear")
    return _told(found)


def _told(found: list[str]) -> list[str]:
    return [f"This run has {what}. {_MEND}" for what in found]


def _flags(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The flags with their values, which are empty where a flag stands alone."""
    rest = iter(arguments)
    for argument in rest:
        if long := re.fullmatch(r"--([a-z-]+)(?:=(.*))?", argument, re.DOTALL):
            name, value = long.groups()
            yield name, value if value is not None else (next(rest, "") if name in _LONG_WITH_VALUE else "")
        elif re.match("-[A-Za-z]", argument):
            yield from _letters(argument[1:], rest)


def _letters(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The flags behind one hyphen, the last of which may take what follows as its value."""
    for at, letter in enumerate(letters):
        name, after = _SHORT.get(letter, letter), letters[at + 1 :]
        if letter in _SHORT_WITH_VALUE:
            yield name, after.removeprefix("=") or next(rest, "")
            return
        if after.startswith("="):
            yield name, after[1:]
            return
        yield name, ""
