"""How a record's value is written, where a field of the record says so: a format.

A secret that was imported from a cloud goes back to it to the byte: with its keys in their order, its spaces, its way
of escaping. What that takes and a record's fields cannot tell is its format, a small JSON text in the record's field
`uss:format` (docs/notes/0012-imported-bytes.md).

A format names the keys that the secret had, each with the flat key of the record's value
(`uss.records.payload.flatten`). What a person does with the record afterwards arrives as well: a key whose value is
gone is left out, or has its `literal`; a value that the format does not name comes behind the others, in the order of
the keys, written in the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import accumulate, count
from typing import Annotated, Any, NoReturn, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

SPACE = r"[ \t\r\n]*"
LINE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""A variable's name in a shell."""
_MAXIMUM_NESTING = 100
"""Far below what Python's own decoder takes, which depends on how deep the caller is: a value that could be read once
must always be readable."""


class Kind(StrEnum):
    """What a value is as a whole."""

    JSON = "json"
    """One JSON object."""
    LINES = "lines"
    """KEY=VALUE on each line, as in a `.env` file; a value reaches to the end of its line, quotes and all."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Key(_Model):
    """One key of the cloud's secret."""

    name: str
    """As the cloud has it."""
    field: str | None = None
    """The flat key of the record's value, where it is another than the name."""
    raw: bool = False
    """The field's text is JSON by itself (a number, true, false, null, an object, a list) and is written as it is, as
    long as it is that."""
    literal: str | None = None
    """What is written where the record has no such value, which cannot hold what is empty; without it, nothing is."""

    @property
    def source(self) -> str:
        """The flat key of the record's value."""
        return self.name if self.field is None else self.field


class Format(_Model):
    """How a value is written: `open`, the entries with `between`, then `close`; `colon` parts a key from its value."""

    kind: Kind
    open: str = ""
    between: str
    colon: str
    close: str = ""
    ascii: bool = False
    """Whether all that is not ASCII is escaped."""
    escapes: dict[Annotated[str, StringConstraints(min_length=1, max_length=1)], str] = Field(
        default_factory=dict, repr=False
    )
    """Characters that are written in another way than JSON asks for, as `/` is by PHP, and `<` by Go and Terraform."""
    keys: tuple[Key, ...] = ()

    def text(self) -> str:
        """Return the format as the field's text."""
        return self.model_dump_json(exclude_defaults=True)

    def string(self, text: str) -> str:
        """Return the text as a JSON string of this format. Raises `ValueError` for a lone surrogate."""
        text.encode()
        pieces = re.split(f"([{re.escape(''.join(self.escapes))}])", text) if self.escapes else [text]
        written = (self.escapes.get(piece) or json.dumps(piece, ensure_ascii=self.ascii)[1:-1] for piece in pieces)
        return f'"{"".join(written)}"'

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Whatever is let through writes what can be read again."""
        for part, pattern in _PUNCTUATION[self.kind].items():
            if len(getattr(self, part)) > _PUNCTUATION_LENGTH or not re.fullmatch(pattern, getattr(self, part)):
                raise ValueError(part)
        if self.kind is Kind.LINES:
            fits = all(LINE_NAME.fullmatch(key.name) and not key.raw and not key.literal for key in self.keys)
            fits = fits and not self.ascii and not self.escapes
        else:
            fits = all(key.literal in (None, '""', "null") for key in self.keys)
            fits = fits and all(json.loads(f'"{escape}"') == character for character, escape in self.escapes.items())
        if not fits or any(len(set(names)) < len(self.keys) for names in zip(*map(_both, self.keys), strict=True)):
            raise ValueError("keys")
        return self


_PUNCTUATION_LENGTH = 256
"""Characters: it is written once for each key, and a long one would make a huge text of a small record."""
_PUNCTUATION: Mapping[Kind, Mapping[str, str]] = {
    Kind.JSON: {
        "open": rf"{SPACE}\{{{SPACE}",
        "between": f"{SPACE},{SPACE}",
        "colon": f"{SPACE}:{SPACE}",
        "close": rf"{SPACE}\}}{SPACE}",
    },
    Kind.LINES: {"open": "", "between": r"\r?\n", "colon": "=", "close": r"(\r?\n)?"},
}


def _both(key: Key) -> tuple[str, str]:
    return key.name, key.source


def parse_format(text: str) -> Format | None:
    """Return the format that a field's text describes, or None where it is none."""
    try:
        return Format.model_validate_json(text)
    except ValueError:  # it quotes what it met, so nothing of it is told
        return None


def render(form: Format, flat: Mapping[str, Any]) -> str | None:
    """Return the record's value, from its values under their flat keys; None where lines cannot hold them.

    Raises `ValueError` for what is no text, or a number that JSON cannot hold.
    """
    entries = list(_entries(form, flat))
    if form.kind is Kind.LINES:
        if not all(LINE_NAME.fullmatch(name) and not re.search(r"[\r\n]", value) for name, value in entries):
            return None
    else:
        entries = [(form.string(name), value) for name, value in entries]
    return form.open + form.between.join(name + form.colon + value for name, value in entries) + form.close


def numbered(key: str) -> Iterator[str]:
    """The key, then `key.2`, `key.3` and so on: how keys that meet are told apart."""
    yield key
    for number in count(2):
        yield f"{key}.{number}"


def decode(text: str, position: int = 0) -> tuple[Any, int]:
    """Return the JSON value in a text and where it ends, numbers as their text; raise `ValueError` for none.

    Stricter than Python's own: no NaN or Infinity, and no nesting that is too deep to be read everywhere.
    """
    try:
        value, end = _DECODER.raw_decode(text, position)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _nesting(text[position:end]) > _MAXIMUM_NESTING:
        raise ValueError("nested too deeply")
    return value, end


def _entries(form: Format, flat: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The keys with their values as they are written, those that the format does not name last."""
    for key in form.keys:
        if key.source in flat:
            yield key.name, _written(form, flat[key.source], key.raw)
        elif key.literal is not None:
            yield key.name, key.literal
    taken = {key.name for key in form.keys}
    added = flat.keys() - {key.source for key in form.keys}
    for name in sorted(added):
        free = next(free for free in numbered(name) if free not in taken and (free == name or free not in added))
        taken.add(free)
        yield free, _written(form, flat[name], raw=False)


def _written(form: Format, value: Any, raw: bool) -> str:
    if not isinstance(value, str):
        return json.dumps(value, allow_nan=False)
    return value if form.kind is Kind.LINES or (raw and _stands_alone(value)) else form.string(value)


def _stands_alone(text: str) -> bool:
    """Whether the text is JSON by itself, and not a string."""
    try:
        _, end = decode(text)
    except ValueError:
        return False
    return end == len(text) and not text.startswith('"')


def _nesting(source: str) -> int:
    """How deep the brackets of a JSON text go."""
    brackets = re.sub(r'"(?:[^"\\]|\\.)*"|[^\[\]{}"]', "", source, flags=re.DOTALL)
    return max(accumulate((1 if bracket in "[{" else -1 for bracket in brackets), initial=0))


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_reject)
