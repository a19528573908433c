"""YAML with JSON's types: a plain word is null, a boolean, a number as JSON writes them, or else the text it is.

What `yaml.safe_dump` writes is read back as the same values, for its plain words that are no text here are none there.
The reader works on the parser's events, for PyYAML's own way by nodes costs four times as much, and ends the process
when the nesting is deep enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

_DEPTH = 100
"""How deep lists and mappings may be nested."""

_TAG = "tag:yaml.org,2002:"
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?")
_EXPLICIT: Mapping[str, Callable[[str], Any]] = {
    _TAG + "null": lambda text: None,
    _TAG + "bool": lambda text: text.lower() == "true",
    _TAG + "int": int,
    _TAG + "float": float,
    _TAG + "str": str,
}


def load(text: str) -> Any:
    """Return the value of the one document in `text`, or None when there is none.

    Raises `yaml.YAMLError`, or `ValueError` for a number that Python does not take.
    """
    reader = _Reader()
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        reader.take(event)
    return reader.document


def dump(value: Any) -> str:
    """Return `value`, made of JSON's types, as YAML; raise `UnicodeEncodeError` for half a surrogate pair."""
    text: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**9)
    return text


class _Dumper(yaml.CSafeDumper):
    """libyaml's emitter, for PyYAML's own writes U+0085 so that it is read back as a space."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write out a value each time it occurs."""
        return True


@dataclass
class _Collection:
    """A list or mapping whose end has not come yet."""

    value: list[Any] | dict[str, Any]
    anchor: str | None
    key: str | None = None
    """A mapping's key whose value is the next to come."""
    merging: bool = False
    """Whether the next value is one to merge into the mapping."""
    merged: list[dict[str, Any]] = field(default_factory=list)


class _Reader:
    def __init__(self) -> None:
        self.document: Any = None
        self._documents = 0
        self._open: list[_Collection] = []
        self._anchors: dict[str, Any] = {}

    def take(self, event: yaml.Event) -> None:
        """Take the parser's next event."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _error("there is a second document", event)
        elif isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end(event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _error("an alias stands for nothing that ended before it", event)
            self._put(self._anchors[event.anchor], event)

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        if event.implicit[0] and event.value == "<<" and self._wants_key():
            self._open[-1].merging = True
            return
        value = _scalar(event)
        if event.anchor:
            self._anchors[event.anchor] = value
        self._put(value, event)

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if mapping else "seq")):
            raise _error("a value has a tag that stands for none of JSON's types", event)
        if self._wants_key():
            raise _error("a key is not text", event)
        if len(self._open) == _DEPTH:
            raise _error(f"lists and mappings are nested more than {_DEPTH} deep", event)
        self._open.append(_Collection({} if mapping else [], event.anchor))

    def _end(self, event: yaml.CollectionEndEvent) -> None:
        collection = self._open.pop()
        if isinstance(collection.value, dict):
            for merged in collection.merged:
                collection.value = {**merged, **collection.value}
        if collection.anchor:
            self._anchors[collection.anchor] = collection.value
        self._put(collection.value, event)

    def _put(self, value: Any, event: yaml.Event) -> None:
        if not self._open:
            self.document = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.merging:
            top.merged.extend(_mappings(value, event))
            top.merging = False
        elif top.key is not None:
            top.value[top.key] = value
            top.key = None
        elif not isinstance(value, str):
            raise _error("a key is not text", event)
        elif value in top.value:
            raise _error("a key is there twice", event)
        else:
            top.key = value

    def _wants_key(self) -> bool:
        top = self._open[-1] if self._open else None
        return top is not None and isinstance(top.value, dict) and top.key is None and not top.merging


def _scalar(event: yaml.ScalarEvent) -> Any:
    text: str = event.value
    if event.tag in (None, "!"):
        return _plain(text) if event.implicit[0] else text
    make = _EXPLICIT.get(event.tag)
    if make is None:
        raise _error("a value has a tag that stands for none of JSON's types", event)
    return make(text)


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _mappings(value: Any, event: yaml.Event) -> Iterator[dict[str, Any]]:
    for mapping in value if isinstance(value, list) else [value]:
        if not isinstance(mapping, dict):
            raise _error("what is merged is not a mapping", event)
        yield mapping


def _error(problem: str, event: yaml.Event) -> yaml.MarkedYAMLError:
    mark: Any = event.start_mark  # libyaml's mark is not PyYAML's, but has the same line and column
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
