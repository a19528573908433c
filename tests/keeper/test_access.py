"""Where the Keeper Secrets Manager configuration comes from."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

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
    assert "canary" not in f"{caught.value!r}{caught.value.__cause__!r}"


def test_an_access_prints_as_its_source() -> None:
    assert repr(Access(CONTENT, "KSM_CONFIG")) == "Access(from KSM_CONFIG)"
