"""From a record's title to a cloud name, by the rules of Keeper's own sync: spaces become hyphens, the rest must fit.

A title that does not fit is refused and never cut or mangled: a name that is not the title's would be a name that
nobody asked for, and two titles could meet in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from uss.text import shown


@dataclass(frozen=True)
class NameRules:
    """What one cloud allows in a secret's name: its own module in `uss/clouds/` says it."""

    cloud: str
    maximum: int
    """Characters."""
    allowed: re.Pattern[str]
    """Matches one allowed character."""
    first: re.Pattern[str] | None
    last: re.Pattern[str] | None
    wording: str
    """The rule in words, for messages."""
    case_sensitive: bool = True

    def key(self, name: str) -> str:
        """Return what two names must differ in to be two names."""
        return name if self.case_sensitive else name.lower()


@dataclass(frozen=True)
class NameFault:
    """Why a title gives no name: `text` says what was found."""

    text: str


def cloud_name(title: str, prefix: str, rules: NameRules) -> str | NameFault:
    """Return the secret's name for a record's title, or the reason why there is none."""
    if not title:
        return NameFault("the record has no title")
    name = prefix + title.replace(" ", "-")
    if fault := _fault(name, rules):
        return fault
    if rules.first and not rules.first.match(name[0]):
        return NameFault(f"the name would start with {_character(name[0])}")
    if rules.last and not rules.last.match(name[-1]):
        return NameFault(f"the name would end with {_character(name[-1])}")
    return name


def exact_name(name: str, prefix: str, rules: NameRules) -> str | NameFault:
    """Return a name that a record gives by itself, for a secret that has it already, or the reason why it may not.

    The prefix is a fence, over which a record may not climb. How a name starts and ends is not looked at: clouds hold
    secrets that they would let nobody create by Keeper's rules.
    """
    if not name.startswith(prefix):
        return NameFault(f"the name does not start with {shown(prefix)}, this configuration's namePrefix")
    return _fault(name, rules) or name


def _fault(name: str, rules: NameRules) -> NameFault | None:
    """What the cloud does not take, wherever in the name it is."""
    if foreign := sorted({character for character in name if not rules.allowed.match(character)}):
        return NameFault(f"the name would hold {_listed(foreign)}")
    if len(name) > rules.maximum:
        return NameFault(f"the name would have {len(name)} characters")
    return None


def _listed(characters: list[str]) -> str:
    told = ", ".join(_character(character) for character in characters[:5])
    return told if len(characters) <= 5 else f"{told} and {len(characters) - 5} more kinds of characters"


def _character(character: str) -> str:
    """A character by itself where it can be seen, and by its code point always."""
    code = f"U+{ord(character):04X}"
    return f"'{character}' ({code})" if character.isprintable() and character != " " else code
