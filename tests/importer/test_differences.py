"""Differences in words, and never a value in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.leaks import leaks
from uss.importer.differences import differences


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("x", "x", ("the same",)),
        ("x", "y", ("value",)),
        ("x\n", "x", ("whitespace",)),
        ('{"b":"1","a":"2"}', '{"a":"2","b":"1"}', ("key order",)),
        ('{"a": "1"}', '{"a":"1"}', ("whitespace",)),
        ('{"a":"1",  "b":"2", "c":"3"}', '{"a":"1","b":"2","c":"3"}', ("whitespace",)),
        ('{"a":"1", "b":"2",\n"c":"3"}', '{"a":"1",\n"b":"2", "c":"3"}', ("whitespace",)),
        ('{"user":"1","b":"2"}', '{"login":"1","b":"2"}', ('key names ("login", "user")',)),
        ('{"a":"1"}', '{"a":"1","b":"2"}', ('key names ("b")',)),
        ("A=1\nB=2\n", '{"A":"1","B":"2"}', ("format (KEY=VALUE becomes JSON)",)),
        ("A=1\nB=2\n", '{"A":"1","B":"3"}', ("format (KEY=VALUE becomes JSON)", 'value of key "B"')),
        ("A=1\nB=2\n", "A=1\r\nB=2\r\n", ("whitespace",)),
        ("x", '{"value":"x"}', ("format (plain text becomes JSON)",)),
        ('{"a":5}', '{"a":"5"}', ('type of key "a"',)),
        ('{"a":1.0}', '{"a":1.00}', ('value of key "a"',)),
        (r'{"a":"\/"}', '{"a":"/"}', ('spelling of key "a"',)),
        (r'{"\u0061":"x"}', '{"a":"x"}', ('spelling of key "a"',)),
        ('{"a":{"b": 1}}', '{"a":{"b":1}}', ('spelling of key "a"',)),
        ('{"a":null}', '{"a":"x"}', ('value of key "a"',)),
        ('{"b":"1", "a":5}', '{"a":"5","b":"2"}', ("key order", 'value of key "b"', 'type of key "a"', "whitespace")),
        ('{"a\\u001b[1m":"1"}', '{"a":"1"}', ('key names ("a", "a\\x1b[1m")',)),
    ],
)
def test_how_two_texts_differ(before: str, after: str, words: tuple[str, ...]) -> None:
    assert differences(before, after) == words


texts = st.one_of(
    st.sampled_from(["canary", " canary ", "A=canary\nB=canary", "A=canary\r\nB=1"]),
    st.builds(
        '{{"{}":{}"canary",{}"b":{}}}'.format,
        st.sampled_from("abc"),
        st.sampled_from(["", " "]),
        st.sampled_from(["", " ", "\n"]),
        st.sampled_from(["1", '"1"', "null", '["canary"]', '[ "canary"]', '"\\u0063anary"']),
    ),
)


@given(texts, texts)
@settings(max_examples=300, deadline=None)
def test_two_texts_are_the_same_or_something_is_said_and_no_value_is(before: str, after: str) -> None:
    words = differences(before, after)
    assert words
    assert (words == ("the same",)) is (before == after)
    assert leaks(" ".join(words), "canary") == {}
