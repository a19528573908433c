"""Where the Keeper Secrets Manager configuration comes from."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.leaks import leaks
from uss.errors import ConfigurationError
from uss.keeper import Access, find_access

CONTENT = json.dumps({"clientId": "c", "privateKey": "canary", "appKey": "a", "hostname": "h"})


def test_the_environment_comes_before_the_file_and_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "ksm.json"
    file.write_text("from-file")
    both = {"KSM_CONFIG": "from-env", "KSM_CONFIG_FILE": str(file)}
    assert find_access("from-stack", both).content == "from-env"
    assert find_access("from-stack", {"KSM_CONFIG_FILE": str(file)}).content == "from-file"
    assert find_access("from-stack", {}).content == "from-stack"
    (tmp_path / "client-config.json").write_text("default")
    assert find_access(None, {}).content == "default"


def test_nothing_set_is_told_with_the_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="KSM_CONFIG, KSM_CONFIG_FILE and uss:ksmConfig"):
        find_access("", {})
    with pytest.raises(ConfigurationError, match="nowhere.json cannot be read"):
        find_access(None, {"KSM_CONFIG_FILE": "nowhere.json"})


@pytest.mark.parametrize("content", [CONTENT, base64.b64encode(CONTENT.encode()).decode(), f"\n{CONTENT}\n"])
def test_json_and_base64_are_understood(content: str) -> None:
    assert Access(content, "KSM_CONFIG").storage() is not None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("US:canary-token", "KSM_CONFIG"),
        ("canary", "KSM_CONFIG"),
        ("[]", "KSM_CONFIG"),
        ('{"clientKey": "canary"}', "lacks clientId, privateKey, appKey"),
        (json.dumps({"clientId": "c", "privateKey": "canary"}), "lacks appKey"),
    ],
)
def test_what_is_no_bound_configuration_is_refused_without_quoting_it(content: str, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Access(content, "KSM_CONFIG").storage()
    assert text in str(caught.value)
    assert leaks(f"{caught.value!r}{caught.value.__cause__!r}", "canary") == {}


def test_an_access_prints_as_its_source() -> None:
    assert repr(Access(CONTENT, "KSM_CONFIG")) == "Access(from KSM_CONFIG)"


@pytest.mark.parametrize(
    ("secret", "environment", "source"),
    [
        ("s", {"KSM_CONFIG": "e"}, "KSM_CONFIG"),
        ("s", {"KSM_CONFIG": ""}, "uss:ksmConfig"),
        ("s", {"KSM_CONFIG": "", "KSM_CONFIG_FILE": ""}, "uss:ksmConfig"),
        ("s", {"KSM_CONFIG_FILE": "ksm.json"}, "the file ksm.json"),
        (None, {}, "the file client-config.json"),
        ("", {"KSM_TOKEN": "t"}, "the file client-config.json"),
    ],
)
def test_an_access_names_where_it_came_from(
    secret: str | None,
    environment: dict[str, str],
    source: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ksm.json", "client-config.json"):
        (tmp_path / name).write_text("{}")
    assert find_access(secret, environment).source == source


def test_a_file_that_cannot_be_read_is_told_by_name_and_not_by_content(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"canary\xff\xfe")
    (tmp_path / "folder").mkdir()
    for name, fault in (("binary", "UnicodeDecodeError"), ("folder", "IsADirectoryError"), ("no", "FileNotFoundError")):
        with pytest.raises(ConfigurationError) as caught:
            find_access("from-stack", {"KSM_CONFIG_FILE": str(tmp_path / name)})
        assert f"{name} cannot be read ({fault})" in str(caught.value)
        assert leaks(str(caught.value), "canary") == {}


@pytest.mark.parametrize("content", ["", " ", "{", "5", "null", '"canary"', "[1]", "eyJ", "{}", '{"clientId": ""}'])
@pytest.mark.parametrize("source", ["KSM_CONFIG", "uss:ksmConfig", "the file client-config.json"])
def test_the_error_names_the_source_and_the_mend(content: str, source: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Access(content, source).storage()
    assert str(caught.value).startswith(f"Keeper access: {source} ")
    assert "Set it to the JSON or base64 configuration" in str(caught.value)
    assert leaks(str(caught.value), "canary") == {}
