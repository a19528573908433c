"""What the text of a cloud's secret is: one JSON object, KEY=VALUE lines, or opaque.

Opaque is whatever no format (`uss.records.format`) gives back to the byte, and whatever only looks like one of the two:

- JSON that is no object, or one without a single value that is not empty (there would be nothing in its record), or
  with a key twice, NaN, or a half of a surrogate pair;
- JSON whose spaces are not the same everywhere, or that escapes a character here and not there;
- lines of which one is a comment, blank, or starts with `export`; keys twice; line ends of two kinds;
- lines in which no value has anything but `=`: tokens in base64 end with `=`;
- one line alone, unless its key is in capitals: a connection string (`Server=db;User=...`) and a query
  (`sv=1&sig=...`) start like KEY=VALUE and are none. `DB_PASSWORD=...` is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from uss.records.format import LINE_NAME, SPACE, Format, Key, Kind, decode, render

_OPEN, _CLOSE = re.compile(rf"{SPACE}\{{{SPACE}"), re.compile(rf"{SPACE}\}}{SPACE}")
_COLON, _BETWEEN = re.compile(f"{SPACE}:{SPACE}"), re.compile(f"{SPACE},{SPACE}")
_LINE = re.compile(rf"({LINE_NAME.pattern})=([^\r\n]*)")
_ALONE = re.compile(r"[A-Z_][A-Z0-9_]*")
_EMPTY = ('""', "null")
_SURROGATE = r"\\u[dD]{}[0-9a-fA-F]{{2}}"
_ESCAPE = re.compile(rf"{_SURROGATE.format('[89abAB]')}{_SURROGATE.format('[c-fC-F]')}|\\u[0-9a-fA-F]{{4}}|\\.")


@dataclass(frozen=True)
class Entry:
    """One key of a secret with its value."""

    name: str
    source: str = field(repr=False)
    """The value as it is written."""
    text: str = field(repr=False)
    """What it says: a JSON string without quotes and escapes, else the source itself."""
    raw: bool
    """It is JSON, and not a string."""
    empty: bool
    written_name: str

    @property
    def key(self) -> Key:
        """The entry as a format has it."""
        return Key(name=self.name, raw=self.raw and not self.empty, literal=self.source if self.empty else None)


@dataclass(frozen=True)
class Reading:
    """The entries of a text, and what stands around them: each kind of gap once."""

    kind: Kind
    entries: tuple[Entry, ...]
    open: str
    betweens: frozenset[str]
    colons: frozenset[str]
    close: str


@dataclass(frozen=True)
class Recognised:
    """A text that a format gives back to the byte: `render(format, values)`."""

    format: Format
    values: Mapping[str, str] = field(repr=False)
    """By name, those that are not empty."""


def recognise(text: str) -> Recognised | None:
    """Return how a text is made up; None for an opaque one."""
    reading = read(text)
    if reading is None or len(reading.colons) != 1 or len(reading.betweens) > 1:
        return None
    values = {entry.name: entry.text for entry in reading.entries if not entry.empty}
    if not values:
        return None
    try:
        form = _format(reading)
        exact = render(form, values) == text
    except ValueError:  # the half of a surrogate pair; what the error quotes is not told
        return None
    return Recognised(form, values) if exact else None


def read(text: str) -> Reading | None:
    """Return what a text holds, however it is spaced; None for what is neither JSON nor lines."""
    try:
        reading = _object(text) or _lines(text)
    except ValueError:
        reading = _lines(text)
    if reading and len({entry.name for entry in reading.entries}) < len(reading.entries):
        return None
    return reading


def _object(text: str) -> Reading | None:
    """Raises `ValueError` where the text is no JSON."""
    start = _OPEN.match(text)
    if start is None:
        return None
    entries, colons, betweens = [], set(), set()
    position = start.end()
    while True:
        begin = position
        name, position = decode(text, begin)
        colon = _COLON.match(text, position)
        if colon is None or not isinstance(name, str) or text[begin] != '"':
            return None
        value, position = decode(text, colon.end())
        source = text[colon.end() : position]
        raw = source[0] != '"'
        said = source if raw else str(value)
        entries.append(Entry(name, source, said, raw, source in _EMPTY, written_name=text[begin : colon.start()]))
        colons.add(colon.group())
        between = _BETWEEN.match(text, position)
        if between is None:
            break
        betweens.add(between.group())
        position = between.end()
    close = _CLOSE.fullmatch(text, position)
    if close is None:
        return None
    return Reading(Kind.JSON, tuple(entries), start.group(), frozenset(betweens), frozenset(colons), close.group())


def _lines(text: str) -> Reading | None:
    end = "\r\n" if "\r\n" in text else "\n"
    body = text.removesuffix(end)
    found = [_LINE.fullmatch(line) for line in body.split(end)]
    matches = [match for match in found if match]
    if len(matches) < len(found) or not any(match[2].strip("=") for match in matches):
        return None
    if len(matches) == 1 and not _ALONE.fullmatch(matches[0][1]):
        return None
    entries = tuple(Entry(name, value, value, False, not value, name) for name, value in (m.groups() for m in matches))
    return Reading(Kind.LINES, entries, "", frozenset({end}), frozenset({"="}), text[len(body) :])


def _format(reading: Reading) -> Format:
    """The format of a text with uniform gaps. Raises `ValueError` for an escape that stands for no character."""
    (colon,) = reading.colons
    space = reading.open.partition("{")[2] or colon.partition(":")[2]
    between = next(iter(reading.betweens), f",{space}")  # of one entry alone: as one would write a second
    keys = tuple(entry.key for entry in reading.entries)
    form = Format(kind=reading.kind, open=reading.open, between=between, colon=colon, close=reading.close, keys=keys)
    if reading.kind is Kind.LINES:
        return form
    escapes = dict(_escapes(reading))
    plain = form.model_copy(update={"ascii": not all(map(str.isascii, escapes))})
    own = {character: escape for character, escape in escapes.items() if plain.string(character) != f'"{escape}"'}
    return plain.model_copy(update={"escapes": own})


def _escapes(reading: Reading) -> Iterator[tuple[str, str]]:
    """Each character that the keys and strings write in a way of its own, and how."""
    for entry in reading.entries:
        for source in (entry.written_name, "" if entry.raw else entry.source):
            for escape in _ESCAPE.findall(source):
                yield json.loads(f'"{escape}"'), escape
