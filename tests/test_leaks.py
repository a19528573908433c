"""The search for canaries finds them however they were written, and nothing else."""

from __future__ import annotations

import base64
import gzip
import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.leaks import SHORTEST, Form, leaking_files, leaks

CANARY = "canary-of-the-leaks-7c1e"
Writing = Callable[[str], bytes]


def go_json(text: str) -> str:
    """JSON as Go writes it."""
    written = json.dumps(text, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return written


def all_escaped(text: str) -> str:
    """JSON with an escape for every character."""
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def in_lines(text: str, width: int, ending: str = "\n") -> str:
    """A text as a terminal or an encoder breaks it."""
    return ending.join(text[at : at + width] for at in range(0, len(text), width))


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def payload(text: str) -> str:
    """What Google's client sends, and its provider prints."""
    return json.dumps({"payload": {"data": b64(json.dumps({"password": text}))}})


WRITINGS: dict[str, tuple[Form, Writing]] = {
    "plain": (Form.CLEAR, str.encode),
    "UTF-16": (Form.CLEAR, lambda text: text.encode("utf-16")),
    "UTF-16, big end first": (Form.CLEAR, lambda text: text.encode("utf-16-be")),
    "JSON": (Form.CLEAR, lambda text: json.dumps(text).encode()),
    "JSON in JSON": (Form.CLEAR, lambda text: json.dumps(json.dumps({"a": [text]})).encode()),
    "JSON of Go": (Form.CLEAR, lambda text: go_json(go_json(text)).encode()),
    "JSON, all escaped": (Form.CLEAR, lambda text: all_escaped(text).encode()),
    "Python's bytes": (Form.CLEAR, lambda text: repr(text.encode()).encode()),
    "octal, as prototext": (Form.CLEAR, lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()).encode()),
    "URL": (Form.CLEAR, lambda text: quote(text, safe="").encode()),
    "URL's query": (Form.CLEAR, lambda text: quote_plus(text).encode()),
    "URL, all escaped": (Form.CLEAR, lambda text: "".join(f"%{byte:02x}" for byte in text.encode()).encode()),
    "URL in a URL": (Form.CLEAR, lambda text: quote(quote(text, safe=""), safe="").encode()),
    "lines": (Form.CLEAR, lambda text: in_lines(text, 7).encode()),
    "lines of JSON": (Form.CLEAR, lambda text: in_lines(json.dumps(text), 5, "\r\n   ").encode()),
    "colours": (Form.CLEAR, lambda text: in_lines(text, 3, "\x1b[38;5;1m").encode()),
    "colours of Pulumi": (Form.CLEAR, lambda text: in_lines(text, 3, "<{%fg 2%}>").encode()),
    "gzip": (Form.CLEAR, lambda text: gzip.compress(json.dumps(text).encode())),
    "several gzips": (Form.CLEAR, lambda text: gzip.compress(b"first") + gzip.compress(text.encode())),
    "a gzip cut off": (Form.CLEAR, lambda text: gzip.compress(text.encode(), 0)[:-8]),
    "base64": (Form.BASE64, lambda text: base64.b64encode(text.encode())),
    "base64 for URLs": (Form.BASE64, lambda text: base64.urlsafe_b64encode(text.encode())),
    "base64 in a URL": (Form.BASE64, lambda text: quote(b64(text), safe="").encode()),
    "base64 in JSON, slashes escaped": (Form.BASE64, lambda text: json.dumps(b64(text)).replace("/", "\\/").encode()),
    "base64 in lines": (Form.BASE64, lambda text: in_lines(b64(text), 64).encode()),
    "base64 of MIME": (Form.BASE64, lambda text: base64.encodebytes(text.encode())),
    "base64 in lines of JSON": (Form.BASE64, lambda text: json.dumps(in_lines(b64(text), 76, "\r\n")).encode()),
    "base64 of UTF-16": (Form.BASE64, lambda text: base64.b64encode(text.encode("utf-16-le"))),
    "payload of GCP": (Form.BASE64, lambda text: f"[DEBUG] map[]{payload(text)}".encode()),
    "hex": (Form.HEX, lambda text: text.encode().hex().encode()),
    "hex, upper case": (Form.HEX, lambda text: text.encode().hex().upper().encode()),
    "hex with spaces": (Form.HEX, lambda text: text.encode().hex(" ").encode()),
    "bytes of Go, in hex": (Form.HEX, lambda text: ", ".join(f"{byte:#04x}" for byte in text.encode()).encode()),
    "bytes of Go": (Form.DECIMAL, lambda text: " ".join(map(str, text.encode())).encode()),
    "bytes in JSON": (Form.DECIMAL, lambda text: json.dumps(list(text.encode())).encode()),
}
ASCII_INSIDE = {"payload of GCP"}
"""Writings in which JSON escapes what is not ASCII before something else is done with it."""

canaries = st.text(min_size=2).filter(lambda text: len("".join(text.split()).encode()) >= SHORTEST + 2)
few = settings(max_examples=30, deadline=None)
"""For each of the many writings."""
plain_canaries = st.from_regex(r"[A-Za-z0-9_.!-]{8,40}", fullmatch=True)


@pytest.mark.parametrize("name", WRITINGS)
@few
@given(canary=plain_canaries, before=st.text(), after=st.text())
def test_a_canary_is_found_in_every_writing(name: str, canary: str, before: str, after: str) -> None:
    form, write = WRITINGS[name]
    assert form in leaks(write(before + canary + after), canary)[canary]


@pytest.mark.parametrize("name", [name for name in WRITINGS if name not in ASCII_INSIDE])
@few
@given(canary=canaries, before=st.text(), after=st.text())
def test_a_canary_of_any_characters_is_found_too(name: str, canary: str, before: str, after: str) -> None:
    form, write = WRITINGS[name]
    assert form in leaks(write(before + canary + after), canary)[canary]


@pytest.mark.parametrize("name", WRITINGS)
@few
@given(canary=plain_canaries, before=st.text(), after=st.text(), at=st.integers(2, 5))
def test_what_differs_in_one_character_is_not_taken_for_it(
    name: str, canary: str, before: str, after: str, at: int
) -> None:
    other = canary[:at] + "\u00b6" + canary[at + 1 :]
    assert leaks(WRITINGS[name][1](before + other + after), canary) == {}


@given(st.one_of(st.text(max_size=2000), st.binary(max_size=2000)))
def test_nothing_is_found_in_what_holds_none(content: str | bytes) -> None:
    assert leaks(content, CANARY) == {}


@given(before=st.text(), after=st.text(), width=st.integers(1, 100))
def test_a_terminal_of_any_width_hides_nothing(before: str, after: str, width: int) -> None:
    assert leaks(textwrap.fill(f"{before}{CANARY}{after}", width), CANARY) == {CANARY: {Form.CLEAR}}
    assert Form.BASE64 in leaks(in_lines(b64(before + CANARY + after), width, "\n  "), CANARY)[CANARY]


def test_each_canary_is_told_with_all_its_forms() -> None:
    text = f"{CANARY} {b64(CANARY)} {b64('another-canary')}"
    assert leaks(text, CANARY, "another-canary", "a-third-canary") == {
        CANARY: {Form.CLEAR, Form.BASE64},
        "another-canary": {Form.BASE64},
    }


def test_files_are_searched_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    clear, zipped, clean = tmp_path / "clear", tmp_path / "deep" / "zipped.gz", tmp_path / "clean"
    clear.write_text(CANARY, encoding="utf-8")
    zipped.write_bytes(gzip.compress(b64(CANARY).encode()))
    clean.write_text("canary", encoding="utf-8")
    (tmp_path / "link").symlink_to(clear)
    assert leaking_files(tmp_path, CANARY) == {str(clear): {CANARY: {Form.CLEAR}}, str(zipped): {CANARY: {Form.BASE64}}}
    assert leaking_files(clear, CANARY).keys() == {str(clear)}
    assert leaking_files(clean, CANARY) == {}


@pytest.mark.parametrize("canary", ["", "short", "a b c \n d e"])
def test_a_canary_that_would_be_found_by_chance_is_refused(canary: str) -> None:
    with pytest.raises(ValueError, match="by chance"):
        leaks("", canary)
