"""Every mistake in the stack configuration is told with its key, what was found, and the mend."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.leaks import leaks
from uss.config import CloudType, Limits, OnDelete, RegionMode, json_schema, parse_configurations
from uss.errors import ConfigurationError

SOURCE = "stacks/Pulumi.test.yaml"
GOOD: dict[str, Any] = {"name": "prod", "folders": ["Production"]}


def message(value: object, *, secret: bool = False) -> str:
    """The text of the error that a value gives."""
    with pytest.raises(ConfigurationError) as caught:
        parse_configurations(value, SOURCE, secret=secret)
    return str(caught.value)


def test_defaults() -> None:
    (configuration,) = parse_configurations([GOOD], SOURCE)
    assert configuration.enabled
    assert not configuration.dry_run
    assert configuration.type is None
    assert configuration.region_mode is RegionMode.REPLICATE
    assert configuration.on_delete is OnDelete.DELETE
    assert configuration.limits == Limits(max_deletes=10, max_delete_percent=20)
    assert configuration.recovery_window_in_days == 30


def test_keys_are_those_of_the_file() -> None:
    given = GOOD | {"type": "aws", "dryRun": True, "regionMode": "independent", "recoveryWindowInDays": 0}
    (configuration,) = parse_configurations([given], SOURCE)
    assert configuration.type is CloudType.AWS
    assert configuration.dry_run
    assert configuration.region_mode is RegionMode.INDEPENDENT
    assert configuration.recovery_window_in_days == 0


@pytest.mark.parametrize(
    ("change", "key", "found", "mend"),
    [
        ({"name": "a b"}, "name", '"a b"', "Use 1 to 64 letters"),
        ({"name": ""}, "name", '""', "Use 1 to 64 letters"),
        ({"type": "awz"}, "type", '"awz"', "Use aws, azure or gcp"),
        ({"enabled": "yes"}, "enabled", '"yes"', "without quotes"),
        ({"dryRun": 1}, "dryRun", "1", "without quotes"),
        ({"folders": []}, "folders", "[]", "UID or unique path"),
        ({"folders": "Production"}, "folders", '"Production"', "UID or unique path"),
        ({"folders": [""]}, "folders[0]", '""', "UID or unique path"),
        ({"regions": [5]}, "regions[0]", "5", "us-east-1"),
        ({"regionMode": "copy"}, "regionMode", '"copy"', "replicate or independent"),
        ({"recoveryWindowInDays": 6}, "recoveryWindowInDays", "6", "7 to 30, or 0"),
        ({"recoveryWindowInDays": 31}, "recoveryWindowInDays", "31", "7 to 30, or 0"),
        ({"recoveryWindowInDays": "7"}, "recoveryWindowInDays", '"7"', "7 to 30, or 0"),
        ({"tags": {"a": 5}}, "tags.a", "5", "in quotes"),
        ({"limits": {"maxDeletes": -1}}, "limits.maxDeletes", "-1", "from 0 up"),
        ({"limits": {"maxDeletePercent": 101}}, "limits.maxDeletePercent", "101", "0 to 100"),
        ({"limits": 5}, "limits", "5", "maxDeletes and maxDeletePercent"),
        ({"onDelete": "forget"}, "onDelete", '"forget"', "delete or retain"),
        ({"adopt": [1]}, "adopt[0]", "1", "by UID or title"),
        ({"formerly": "a b"}, "formerly", '"a b"', "as it was before"),
    ],
)
def test_a_wrong_value_is_told_with_file_key_found_and_mend(
    change: dict[str, Any], key: str, found: str, mend: str
) -> None:
    text = message([GOOD | change])
    assert text.startswith(f"{SOURCE}: uss:configurations[0].{key}")
    assert f"found {found}." in text
    assert mend in text
    assert "found" not in message([GOOD | change], secret=True)


@pytest.mark.parametrize(
    ("key", "hint"),
    [("dryrun", "`dryRun`"), ("folder", "`folders`"), ("maxDeletes", "`maxDeletes`"), ("zzz", "The keys are: name, ")],
)
def test_an_unknown_key_is_told_with_the_nearest_one(key: str, hint: str) -> None:
    assert hint in message([GOOD | {key: 1}])


def test_missing_keys_are_told_by_name() -> None:
    text = message([{}])
    assert "uss:configurations[0].name: is missing." in text
    assert "uss:configurations[0].folders: is missing." in text
    assert "2 mistakes:" in text


@pytest.mark.parametrize("value", [None, 5, "text", {"name": "a"}, [5], ["x"]])
def test_another_shape_is_told_what_the_shape_is(value: object) -> None:
    assert message(value).startswith(f"{SOURCE}: uss:configurations")
    assert "list" in message(value) or "List" in message(value)


def test_a_doubled_name_is_told() -> None:
    assert 'the name "prod" is given more than once' in message([GOOD, GOOD])


def test_a_long_value_is_not_repeated() -> None:
    assert "list of 2000 characters" in message([GOOD | {"name": ["x"] * 400}])


def test_the_schema_accepts_what_the_models_accept_and_no_more() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())

    def accepts(configuration: dict[str, Any]) -> bool:
        return bool(validator.is_valid({"config": {"uss:configurations": [configuration]}}))

    assert accepts(GOOD)
    assert accepts(GOOD | {"type": "aws", "limits": {"maxDeletes": 0}, "tags": {"a": "b"}})
    assert not accepts(GOOD | {"region": []})
    assert not accepts({"name": "x"})
    assert not accepts(GOOD | {"type": "awz"})


@pytest.mark.parametrize("name", ["a", "0", "a.b-c_D", "x" * 64])
def test_names_that_are_allowed(name: str) -> None:
    (configuration,) = parse_configurations([GOOD | {"name": name}], SOURCE)
    assert configuration.name == name


@pytest.mark.parametrize("name", ["-a", ".a", "_a", "a/b", "a@b", "a\n", "é", "x" * 65, " a", "\u0663"])
def test_names_that_would_not_fit_a_logical_name_are_refused(name: str) -> None:
    assert "Use 1 to 64 letters" in message([GOOD | {"name": name}])


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"limits": {"maxDeletes": True}}, "limits.maxDeletes"),
        ({"limits": {"maxDeletes": 1.5}}, "limits.maxDeletes"),
        ({"limits": None}, "limits"),
        ({"enabled": None}, "enabled"),
        ({"includeSubfolders": "false"}, "includeSubfolders"),
        ({"ambientCredentials": 1}, "ambientCredentials"),
        ({"regions": "us-east-1"}, "regions"),
        ({"regions": None}, "regions"),
        ({"tags": ["a"]}, "tags"),
        ({"tags": {"a": None}}, "tags.a"),
        ({"namePrefix": None}, "namePrefix"),
        ({"syncIdentity": ""}, "syncIdentity"),
        ({"pamConfiguration": ["UID"]}, "pamConfiguration"),
        ({"type": ["aws"]}, "type"),
        ({"recoveryWindowInDays": -1}, "recoveryWindowInDays"),
        ({"recoveryWindowInDays": True}, "recoveryWindowInDays"),
    ],
)
def test_nothing_is_taken_for_what_it_is_not(change: dict[str, Any], key: str) -> None:
    assert message([GOOD | change]).startswith(f"{SOURCE}: uss:configurations[0].{key}")


def test_every_mistake_is_told_in_one_message_with_the_name_it_is_of() -> None:
    text = message([GOOD | {"enabled": "x", "dryRun": "y"}, GOOD | {"name": "two", "onDelete": "z"}])
    assert text.startswith(f"{SOURCE}: 3 mistakes:\n  - ")
    assert 'uss:configurations[0].enabled (of "prod"): found "x".' in text
    assert 'uss:configurations[0].dryRun (of "prod"): found "y".' in text
    assert 'uss:configurations[1].onDelete (of "two"): found "z".' in text


def test_what_was_found_cannot_write_lines_of_its_own() -> None:
    assert "\n" not in message([GOOD | {"onDelete": "a\n\x1b[31mb"}])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "type", "folders", "limits", "tags", "maxDeletes", "adopt", "zzz"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(anything)
@settings(max_examples=200, deadline=None)
def test_whatever_stands_there_gives_configurations_or_one_configuration_error(value: Any) -> None:
    for secret in (False, True):
        try:
            parse_configurations(value, SOURCE, secret=secret)
        except ConfigurationError as error:
            assert str(error).startswith(f"{SOURCE}: ")


@pytest.mark.parametrize(
    "change",
    [
        {"onDelete": "canary"},
        {"tags": {"a": ["canary"]}},
        {"zzz": "canary"},
        {"limits": "canary"},
        {"folders": "canary"},
    ],
)
def test_a_configuration_that_came_encrypted_is_not_repeated(change: dict[str, Any]) -> None:
    assert leaks(message([GOOD | change], secret=True), "canary") == {}
