"""Texts from outside (titles, labels, names) made safe to show on a terminal, in a report or in a log."""

from __future__ import annotations

_SHOWN = 120


def shown(text: str, limit: int = _SHOWN) -> str:
    """Return the text for people to read: in double quotes, at most `limit` characters of it, and every character
    that is not printable (control characters, escapes, direction marks, line ends) written as an escape.
    """
    cut = text if len(text) <= limit else text[:limit] + "…"
    safe = "".join(character if character.isprintable() else _escaped(character) for character in cut)
    return f'"{safe}"'


def encodable(text: str) -> str:
    """Return the text as it is, but lone surrogates, which neither UTF-8 nor the engine can carry, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
