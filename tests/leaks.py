"""The search for canaries, the values that nothing may show: in clear, and in the forms in which programs print."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from urllib.parse import unquote_to_bytes

SHORTEST = 6
"""Bytes that a canary has at least: of fewer, the part that is sure to be in a base64 would be found by chance."""

_ESCAPE = re.compile(
    rb"\\(?:(u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*)|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|(.))", re.DOTALL
)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"a": b"\a"}
_WHITE = b" \t\n\r\v\f"
_COLOUR = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]|<\{%[a-z0-9-]*%\}>")
"""A terminal's colours, and Pulumi's own."""
_DEPTH = 4
"""How often a text may have been escaped: JSON in JSON in a log's line, and one more."""
_GZIP = b"\x1f\x8b"


class Form(StrEnum):
    """How a canary was written where it was found. Escapes, of JSON and of URLs, leave it in clear."""

    CLEAR = "clear"
    BASE64 = "base64"
    HEX = "hex"
    DECIMAL = "a list of bytes"


def leaks(content: bytes | str, *canaries: str) -> dict[str, set[Form]]:
    """Return the canaries that are in the content, each with the forms in which it is there; empty if none is."""
    found: dict[str, set[Form]] = {}
    for reading in set(_readings(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)):
        bare = _bare(reading)
        numbers = bare.replace(b",", b"").replace(b"0x", b"")  # a list of bytes, without what stands between them
        places = {
            Form.CLEAR: (reading, bare),
            Form.BASE64: (bare,),
            Form.HEX: (numbers.lower(),),
            Form.DECIMAL: (numbers,),
        }
        for canary in canaries:
            for form, needles in _needles(canary).items():
                if any(needle in place for needle in needles for place in places[form]):
                    found.setdefault(canary, set()).add(form)
    return found


def leaking_files(folder: Path, *canaries: str) -> dict[str, dict[str, set[Form]]]:
    """Return the files below a folder (or the one file) that hold a canary, with what `leaks` says of each."""
    paths = [folder] if folder.is_file() else folder.rglob("*")
    files = (path for path in paths if path.is_file() and not path.is_symlink())
    return {str(path): found for path in files if (found := leaks(path.read_bytes(), *canaries))}


@cache
def _needles(canary: str) -> dict[Form, frozenset[bytes]]:
    """What is searched for: the part of each form that is the same whatever stands before and after the canary."""
    clear = _bare(canary.encode())
    if len(clear) < SHORTEST:
        raise ValueError(f"a canary of fewer than {SHORTEST} bytes, white space aside, is found by chance")
    written = [canary.encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be")]
    return {
        Form.CLEAR: frozenset((clear, *written)),
        Form.BASE64: frozenset(needle for data in written for needle in _base64s(data)),
        Form.HEX: frozenset(data.hex().encode() for data in written),
        Form.DECIMAL: frozenset("".join(map(str, data)).encode() for data in written),
    }


def _base64s(data: bytes) -> Iterator[bytes]:
    """The base64 in both alphabets, after 0, 1 and 2 other bytes, without the characters that hold bits of others."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data)
        sure = whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield sure
        yield sure.replace(b"+", b"-").replace(b"/", b"_")


def _readings(content: bytes) -> Iterator[bytes]:
    """The content, and what it is once the ways of writing that may have been used on it are taken back."""
    starts = [content]
    if content.startswith(_GZIP):
        starts.append(_unzipped(content))
    starts += [start.replace(b"\0", b"") for start in starts if b"\0" in start]  # UTF-16 of what is ASCII
    for start in starts:
        for text in (start, _bare(start)):  # a line may end within an escape
            for plain in _repeated(_unescaped, text):
                yield plain
                for query in {plain, plain.replace(b"+", b" ")}:
                    for url in _repeated(unquote_to_bytes, query):
                        yield url
                        yield _unescaped(url)


def _repeated(decode: Callable[[bytes], bytes], text: bytes) -> Iterator[bytes]:
    """The text, and what it becomes by decoding it again and again, for as long as that changes it."""
    yield text
    for _ in range(_DEPTH):
        before, text = text, decode(text)
        if text == before:
            return
        yield text


def _unescaped(text: bytes) -> bytes:
    """Take back a string's escapes: JSON's, Go's and Python's."""
    return _ESCAPE.sub(_character, text) if b"\\" in text else text


def _character(escape: re.Match[bytes]) -> bytes:
    units, point, byte, octal, letter = escape.groups()
    if units:
        pairs = bytes.fromhex(re.sub(rb"\\?u", b"", units).decode())
        return pairs.decode("utf-16-be", "replace").encode()
    if point:
        return chr(int(point, 16)).encode("utf-8", "replace") if int(point, 16) <= 0x10FFFF else escape[0]
    if byte or octal:
        return bytes([int(byte, 16) if byte else int(octal, 8)])
    return _LETTERS.get(letter, letter)


def _bare(text: bytes) -> bytes:
    """Take out what a terminal's width, a line's length and colours put into a text."""
    text = text.translate(None, _WHITE)
    return _COLOUR.sub(b"", text) if b"\x1b[" in text or b"<{%" in text else text


def _unzipped(content: bytes) -> bytes:
    """What a gzip holds, also of one that was cut off or is several in a row."""
    whole = b""
    while content.startswith(_GZIP):
        member = zlib.decompressobj(wbits=31)
        try:
            whole += member.decompress(content)
        except zlib.error:
            break
        content = member.unused_data
    return whole
