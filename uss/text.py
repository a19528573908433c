"""Texts from outside (titles, labels, names) made safe to show on a terminal, in a report or in a log."""

from __future__ import annotations

_SHOWN = 120
_DIRECTIVE = "<{%"


def shown(text: str, limit: int = _SHOWN) -> str:
    """Return the text for people to read: `printable`, in double quotes."""
    return f'"{printable(text, limit)}"'


def printable(text: str, limit: int = _SHOWN) -> str:
    """Return at most `limit` characters of the text, with every character that is not printable (control characters,
    escapes, direction marks, line ends) written as an escape.
    """
    cut = text if len(text) <= limit else text[:limit] + "…"
    safe = "".join(character if character.isprintable() else _escaped(character) for character in cut)
    return without_directives(safe)


def encodable(text: str) -> str:
    """Return the text as it is, but with escapes for lone surrogates, which neither UTF-8 nor the engine can carry, and
    for what the engine would take for a colour.
    """
    return without_directives(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def without_directives(text: str) -> str:
    """Return the text with an escape where Pulumi's engine would see the beginning of a colour directive: in a message
    or an output it swallows what follows, and panics at a colour that it does not know.
    """
    return text.replace(_DIRECTIVE, r"\x3c{%")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
