"""How two texts of one secret differ, in words and without any value: for a person who decides what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from uss.importer.recognition import Entry, Reading, read
from uss.records.format import Kind, decode
from uss.text import shown

SAME = "the same"
_FORMATS = {Kind.JSON: "JSON", Kind.LINES: "KEY=VALUE"}


def differences(before: str, after: str) -> tuple[str, ...]:
    """Return how the text that the cloud has and the one that the sync would write differ, in a few words each."""
    if before == after:
        return (SAME,)
    first, second = read(before), read(after)
    if first is None and second is None:
        return ("whitespace" if before.split() == after.split() else "value",)
    found = [] if _named(first) == _named(second) else [f"format ({_named(first)} becomes {_named(second)})"]
    if first and second:
        found += _entries(first, second)
        if first.kind is second.kind and (_gaps_differ(first, second) or not found):
            found.append("whitespace")
    return tuple(found)


def _named(reading: Reading | None) -> str:
    return _FORMATS[reading.kind] if reading else "plain text"


def _entries(first: Reading, second: Reading) -> Iterator[str]:
    """What is different about the keys, and about the values of those that both have."""
    one, other = ({entry.name: entry for entry in reading.entries} for reading in (first, second))
    if names := sorted(one.keys() ^ other.keys()):
        yield f"key names ({', '.join(map(shown, names))})"
    if [name for name in one if name in other] != [name for name in other if name in one]:
        yield "key order"
    for name, entry in one.items():
        if name in other and (difference := _difference(entry, other[name], first.kind is second.kind)):
            yield f"{difference} of key {shown(name)}"


def _difference(one: Entry, other: Entry, same_kind: bool) -> str | None:
    """What is different about one key. `spelling`: escapes, or spaces in an object, that mean the same."""
    if one.text != other.text:
        alike = one.raw and other.raw and decode(one.text)[0] == decode(other.text)[0]
        return "spelling" if alike else "value"
    if not same_kind:
        return None
    if one.raw != other.raw:
        return "type"
    return "spelling" if (one.written_name, one.source) != (other.written_name, other.source) else None


def _gaps_differ(first: Reading, second: Reading) -> bool:
    """Whether what stands around the entries differs; two single entries have nothing between them."""
    return (
        (first.open, first.close, first.colons) != (second.open, second.close, second.colons)
        or bool(first.betweens and second.betweens)
        and first.betweens != second.betweens
    )
