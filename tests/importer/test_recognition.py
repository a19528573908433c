"""What a secret's text is taken for."""

from __future__ import annotations

import pytest

from uss.importer.recognition import recognise
from uss.records.format import Kind, render

SERVICE_ACCOUNT = '{\n  "type": "service_account",\n  "private_key": "-----BEGIN\\nx\\u003d\\n-----END\\n"\n}\n'


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"b":"2","a":"1"}', {"b": "2", "a": "1"}),
        (' { "a" : "1" , "b" : 2.0 } ', {"a": "1", "b": "2.0"}),
        ('{"a":"","b":null,"c":{},"d":"1"}', {"c": "{}", "d": "1"}),
        ('{"a": [1,2 , {"b":"\\u0041"}]}', {"a": '[1,2 , {"b":"\\u0041"}]'}),
        (r'{"a":"<\u00e9>"}', {"a": "<é>"}),
        (r'{"url":"https:\/\/x"}', {"url": "https://x"}),
        (r'{"a":"\u003ca\u0026b\u003e"}', {"a": "<a&b>"}),
        (r'{"a":"\u002B\u0022\u00E9"}', {"a": '+"é'}),
        (r'{"a":"\ud83d\ude00"}', {"a": "😀"}),
        (r'{"a":"\uD83D\uDE00"}', {"a": "😀"}),
        (r'{"a":"\\u0041"}', {"a": r"\u0041"}),
        (r'{"a\/b":"x"}', {"a/b": "x"}),
        (SERVICE_ACCOUNT, {"type": "service_account", "private_key": "-----BEGIN\nx=\n-----END\n"}),
        ('{"a":' + "9" * 5000 + "}", {"a": "9" * 5000}),
    ],
)
def test_an_object_with_its_values(text: str, values: dict[str, str]) -> None:
    found = recognise(text)
    assert found is not None
    assert (found.format.kind, found.values) == (Kind.JSON, values)
    assert render(found.format, found.values) == text


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1\nb=2", {"A": "1", "b": "2"}),
        ("A=1\r\nb=2\r\n", {"A": "1", "b": "2"}),
        ("DB_PASSWORD=x=y==\n", {"DB_PASSWORD": "x=y=="}),
        ("A= spaces 'and' \"quotes\" # all \nB=", {"A": " spaces 'and' \"quotes\" # all "}),
        ("user=a\npass=b\n", {"user": "a", "pass": "b"}),
    ],
)
def test_lines_with_their_values(text: str, values: dict[str, str]) -> None:
    found = recognise(text)
    assert found is not None
    assert (found.format.kind, found.values) == (Kind.LINES, values)
    assert render(found.format, found.values) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "token",
        "c2VjcmV0=",
        "c2VjcmV0PT0==",
        "ABC=",
        "ABC==",
        "ABC=\nDEF=\n",
        "Server=db;User=x",
        "sv=1&sig=abc%3D",
        "postgres://u:p@h/db?a=b",
        "-----BEGIN KEY-----\nMIIB==\n-----END KEY-----\n",
        "# comment\nA=1",
        "A=1\n\nB=2",
        "A=1\n\n",
        "\nA=1",
        "export A=1\nB=2",
        "A=1\nA=2",
        "A=1\r\nB=2\n",
        "A=1\nB=2\r",
        "A=1\rB=2",
        "db.host=x\ndb.port=1",
        "A =1\nB=2",
        "1A=1\nB=2",
        '"text"',
        "[1]",
        "1",
        "null",
        "{}",
        '{"a":""}',
        '{"a":null,"b":""}',
        '{"a":1,"a":2}',
        '{"a":1,}',
        '{"a":NaN}',
        '{"a":[Infinity]}',
        '{"a":01}',
        "{'a':1}",
        '{"a":"1"} x',
        '\ufeff{"a":"1"}',
        '{"a":"1",  "b":"2", "c":"3"}',
        '{"a":"1","b": "2"}',
        '{"a":"tab\there"}',
        r'{"a":"\ud800"}',
        '{"a":"\ud800"}',
        r'{"a":"\u003c<"}',
        r'{"a":"é\u00e9"}',
        '{"a":' + "[" * 101 + "]" * 101 + "}",
        '{"a":' * 100_000,
        "[" * 100_000,
        "\ud800",
    ],
)
def test_all_else_is_opaque(text: str) -> None:
    assert recognise(text) is None


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ('{"a":"1"}', '{"a":"1","b":"2"}'),
        ('{"a": "1"}', '{"a": "1", "b": "2"}'),
        ('{\n  "a": "1"\n}', '{\n  "a": "1",\n  "b": "2"\n}'),
        ("A=1", "A=1\nb=2"),
        ("A=1\r\n", "A=1\r\nb=2\r\n"),
    ],
)
def test_a_second_key_is_written_as_one_would_write_it(text: str, added: str) -> None:
    found = recognise(text)
    assert found is not None
    assert render(found.format, {**found.values, "b": "2"}) == added
