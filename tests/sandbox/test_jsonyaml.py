"""YAML with JSON's types, where `test_vaultfile.py` does not read it through a vault."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from uss.sandbox import jsonyaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("word", "word"),
        ("'1'", "1"),
        ("! 1", 1),
        ("!!str 1", "1"),
        ("!!int '1'", 1),
        ("!!bool 'true'", True),
        ("!!map {a: !!seq [!!null '', !!float '1.5']}", {"a": [None, 1.5]}),
        ("- &a {k: [1]}\n- *a", [{"k": [1]}, {"k": [1]}]),
        ("- &a {k: 1, l: 2}\n- {<<: *a, l: 3}", [{"k": 1, "l": 2}, {"k": 1, "l": 3}]),
        ("{<<: [{k: 1}, {k: 2, l: 2}], '<<': text}", {"k": 1, "l": 2, "<<": "text"}),
        ("[<<]", ["<<"]),
        ("|+\n  text\n\n", "text\n\n"),
    ],
)
def test_a_document_is_read(text: str, value: Any) -> None:
    assert jsonyaml.load(text) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{a: 1, a: 2}", "a key is there twice"),
        ("{1: a}", "a key is not text"),
        ("{[a]: b}", "a key is not text"),
        ("a: *b", "an alias stands for nothing"),
        ("&a [*a]", "an alias stands for nothing"),
        ("a\n---\nb", "there is a second document"),
        ("!!set {a}", "a tag that stands for none"),
        ("!mine x", "a tag that stands for none"),
        ("{<<: [1]}", "what is merged is not a mapping"),
        ("[" * 101 + "]" * 101, "nested more than 100 deep"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError, match=problem) as caught:
        jsonyaml.load(text)
    assert caught.value.problem_mark is not None


def test_shared_values_are_written_out_each_time() -> None:
    shared = ["x"]
    assert jsonyaml.load(jsonyaml.dump([shared, shared])) == [["x"], ["x"]]
    assert "&" not in jsonyaml.dump([shared, shared])
