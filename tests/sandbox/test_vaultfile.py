"""The vault file: what is read from it, and what is said of one that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.leaks import leaks
from uss.sandbox.vaultfile import Vault, VaultFileError, dump_vault, load_vault, parse_vault

PATH = Path("vault.yaml")

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def values(text: str) -> list[Any]:
    """Read the values of a vault whose one record's one field is written as in `text`."""
    vault = parse_vault(f"records: [{{uid: R, title: T, fields: [{{type: text, value: {text}}}]}}]".encode(), PATH)
    return vault.records[0].fields[0].value


def fault(content: str) -> str:
    with pytest.raises(VaultFileError) as caught:
        parse_vault(content.encode(), PATH)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["007", "+49301234567", "yes", "off", "12:30", "2024-01-31", "0x1f", "1_000", ".5", "1e3", ".inf", "0o17", "01.5"],
)
def test_a_plain_word_that_is_no_json_value_stays_text(text: str) -> None:
    assert values(f"[{text}]") == [text]


def test_json_values_keep_their_types() -> None:
    assert values("[true, null, 5432, -1, 1.5, {port: 5432, list: [a]}]") == [
        True,
        None,
        5432,
        -1,
        1.5,
        {"port": 5432, "list": ["a"]},
    ]


@pytest.mark.parametrize("value", ["!!binary aGk=", "!!timestamp 2024-01-31"])
def test_a_value_that_json_cannot_hold_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(VaultFileError, match="none of JSON's types") as caught:
        values(f"[{value}]")
    assert "aGk" not in str(caught.value)
    assert "2024" not in str(caught.value)


@given(st.lists(JSON_VALUES, max_size=4))
def test_what_yaml_writes_is_read_back(content: list[Any]) -> None:
    document = {"records": [{"uid": "R", "title": "T", "fields": [{"type": "text", "value": content}]}]}
    written = yaml.safe_dump(document).encode()
    assert parse_vault(written, PATH).records[0].fields[0].value == content


@given(st.lists(JSON_VALUES, max_size=4), st.text())
def test_a_vault_that_is_written_is_read_back_the_same(content: list[Any], title: str) -> None:
    record = {"uid": "R", "title": title, "notes": title, "fields": [{"type": "text", "value": content}]}
    vault = Vault.model_validate({"records": [record]})
    assert parse_vault(dump_vault(vault, PATH), PATH) == vault


@pytest.mark.parametrize(
    "text", ["\x85", "a\x85b", "a\n\x85", "\u2028", "\ufeff", "a\r\nb\r", "\t", " a ", "\0", "a" * 60_000]
)
def test_special_characters_are_written_so_that_they_are_read_back(text: str) -> None:
    vault = Vault.model_validate({"records": [{"uid": "R", "title": text}]})
    assert parse_vault(dump_vault(vault, PATH), PATH).records[0].title == text


def test_writing_keeps_the_clouds_and_adds_no_keys() -> None:
    content = {"records": [{"uid": "R", "title": "T"}], "clouds": {"aws": {"account": "000000000001"}}}
    assert yaml.safe_load(dump_vault(Vault.model_validate(content), PATH)) == content


def test_half_a_surrogate_pair_cannot_be_written() -> None:
    vault = parse_vault(b'{"records": [{"uid": "R", "title": "\\ud83d"}]}', PATH)
    with pytest.raises(VaultFileError, match="surrogate"):
        dump_vault(vault, PATH)


def test_a_file_that_is_json_is_read_as_json() -> None:
    title = "\N{GRINNING FACE}"
    written = json.dumps({"records": [{"uid": "R", "title": title}]})
    assert "\\ud83d" in written
    assert parse_vault(written.encode(), PATH).records[0].title == title


def test_yaml_in_flow_style_is_read() -> None:
    assert parse_vault(b"{records: [{uid: R, title: T}]}", PATH).records[0].uid == "R"


def test_anchors_and_merge_keys_are_followed() -> None:
    text = "records: [&a {uid: R, title: T, notes: &n text}, {<<: *a, uid: S, type: *n}]"
    first, second = parse_vault(text.encode(), PATH).records
    assert (second.uid, second.title, second.notes, second.type) == ("S", first.title, first.notes, "text")


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "{}"])
def test_an_empty_file_is_an_empty_vault(content: str) -> None:
    assert parse_vault(content.encode(), PATH) == Vault()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VaultFileError, match=r"none\.yaml: cannot be read"):
        load_vault(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("folders: [{uid: A, name: a, parent: B}]", "folder A: its parent B is not among the folders"),
        ("folders: [{uid: A, name: a, parent: A}]", "folder A: lies inside itself"),
        ("folders: [{uid: A, name: a, parent: B}, {uid: B, name: b, parent: A}]", "folder A: lies inside itself"),
        ("folders: [{uid: A, name: a}, {uid: A, name: b}]", "the folder UID A is used 2 times"),
        ("records: [{uid: R, title: a}, {uid: R, title: b}]", "the record UID R is used 2 times"),
        ("records: [{uid: R, title: a, folder: F}]", "record R: its folder F is not among the folders"),
        ("records: [{uid: R, title: a, folder: [F, G]}]", "record R: its folder F is not among the folders"),
        ("{folders: [{uid: F, name: f}], records: [{uid: R, title: a, folder: [F, F]}]}", "F is named 2 times"),
        ("records: [{uid: R, title: a, files: [{uid: X, name: a}, {uid: X, name: b}]}]", "record R: the file UID X"),
        ("records: [{uid: '', title: a}]", "a record has an empty UID"),
        ("folders: [{uid: ' ', name: a}]", "a folder has an empty UID"),
        ("records: [{uid: 12345, title: a}]", "records.0.uid: Input should be a valid string"),
        ("records: [{uid: R, title: a, fields: [{type: x, value: [{1: one}]}]}]", "a key is not text"),
        ("records: [{uid: R, titel: a}]", "records.0.titel: Extra inputs are not permitted"),
        ("records: [{uid: R, title: a, files: [{name: a, contentBase64: '?'}]}]", "is not base64"),
    ],
)
def test_a_vault_that_does_not_fit_together_is_refused(content: str, message: str) -> None:
    assert message in fault(content)


@pytest.mark.parametrize(
    ("gcp", "message"),
    [
        ('{projects: [{id: ""}]}', "clouds.gcp.projects.0"),
        ("{quotas: {write: -1}}", "clouds.gcp.quotas.write"),
        ("{serviceAccounts: [{email: no-address}]}", "clouds.gcp.serviceAccounts.0.email"),
        (
            "{serviceAccounts: [{email: a@b, privateKey: canary}]}",
            "serviceAccounts.0.privateKey: Value error, is neither",
        ),
        ("{serviceAccounts: [{email: a@b}, {email: a@b}]}", "the service account a@b is named 2 times"),
    ],
)
def test_what_google_could_not_have_is_refused_without_showing_a_key(gcp: str, message: str) -> None:
    refused = fault(f"clouds: {{gcp: {gcp}}}")
    assert message in refused
    assert leaks(refused, "canary") == {}


def test_a_project_is_an_id_or_says_what_is_disabled_in_it() -> None:
    disabled = "{id: two-project, disabledServices: [secretmanager.googleapis.com]}"
    vault = parse_vault(f"clouds: {{gcp: {{projects: [one-project, {disabled}]}}}}".encode(), PATH)
    one, two = vault.clouds.gcp.projects
    assert one == "one-project"
    assert not isinstance(two, str)
    assert two.disabled_services == ["secretmanager.googleapis.com"]


def test_the_depth_of_folders_has_no_limit() -> None:
    folders = [{"uid": "0", "name": "0"}, *({"uid": str(n), "name": "x", "parent": str(n - 1)} for n in range(1, 3000))]
    assert len(parse_vault(json.dumps({"folders": folders}).encode(), PATH).folders) == 3000


@pytest.mark.parametrize(
    "content",
    [
        "records: [{uid: R, title: !canary-1 x}]",
        "records: [{uid: R, title: *canary-1}]",
        "records: [{uid: R, title: a, fields: [{type: text, value: canary-1}]}]",
        "records: [{uid: R, title: [canary-1]}]",
        "records: [{uid: R, title: 'canary-1}]",
        "records: &canary-1 [*canary-1",
        f"records: {'1' * 5000}",
        "[" * 100_000,
        "- " * 100_000,
        '{"records": ' + "[" * 100_000,
    ],
)
def test_a_broken_file_is_refused_without_showing_a_value(content: str) -> None:
    assert leaks(fault(content), "canary") == {}


def test_a_file_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(VaultFileError, match=r"is not UTF-8 text: byte 10"):
        parse_vault(b"records: [\xff]", PATH)


def test_a_fault_of_yaml_names_its_line() -> None:
    assert "in line 3, column 1" in fault("records:\n  - uid: 'R\n")
