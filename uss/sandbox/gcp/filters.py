"""The filters of list calls: terms such as `labels.team=payments`, `name:prod` or `NOT state=ENABLED`, joined by AND.

Source: https://cloud.google.com/secret-manager/docs/filtering. OR, parentheses and comparisons of times are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from uss.sandbox.gcp.exceptions import InvalidArgumentError

_TERM = re.compile(
    r"""\s*(?:AND\s+)?(?P<not>NOT\s+|-)?
        (?P<field>[A-Za-z_]+(?:\.(?:"[^"]*"|[^\s=:!<>()"]+))?)
        \s*(?P<operator>!=|=|:)\s*
        (?P<value>"(?:[^"\\]|\\.)*"|[^\s()"<>]+)\s*""",
    re.VERBOSE,
)

Fields = Mapping[str, str | Mapping[str, str]]
"""What can be asked for: a text, or texts by key (labels)."""


def matcher(text: str) -> Callable[[Fields], bool]:
    """Return the test that a filter stands for; raise `InvalidArgumentError` when the sandbox cannot read it."""
    terms: list[Callable[[Fields], bool]] = []
    place = 0
    while place < len(text.rstrip()):
        match = _TERM.match(text, place)
        if not match or match["value"] in ("AND", "OR"):
            raise InvalidArgumentError(
                "Invalid filter: the sandbox reads terms such as labels.key=value joined by AND."
            )
        terms.append(_term(match))
        place = match.end()
    return lambda fields: all(term(fields) for term in terms)


def _term(match: re.Match[str]) -> Callable[[Fields], bool]:
    name, _, key = match["field"].partition(".")
    wanted = _unquoted(match["value"])
    negated = bool(match["not"]) != (match["operator"] == "!=")

    def holds(fields: Fields) -> bool:
        if name not in fields:
            raise InvalidArgumentError(f"Invalid filter: unknown field [{name}].")
        return _matches(fields[name], _unquoted(key), match["operator"], wanted) != negated

    return holds


def _matches(held: str | Mapping[str, str], key: str, operator: str, wanted: str) -> bool:
    if not isinstance(held, str):
        if not key:
            return wanted in held
        if key not in held:
            return False
        held = held[key]
    if operator == ":":
        return wanted == "*" or wanted.lower() in held.lower()
    return held == wanted


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
