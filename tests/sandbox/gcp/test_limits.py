"""What Secret Manager takes for names, labels, annotations and times."""

from __future__ import annotations

from typing import Any

import pytest

from uss.sandbox.gcp import limits
from uss.sandbox.gcp.exceptions import InvalidArgumentError


@pytest.mark.parametrize("secret_id", ["a", "-", "_Secret-1", "x" * 255])
def test_a_secret_id_that_fits_is_taken(secret_id: str) -> None:
    limits.check_secret_id(secret_id)


@pytest.mark.parametrize("secret_id", ["", "x" * 256, "with space", "a.b", "a/b", "ü"])
def test_a_secret_id_that_does_not_fit_is_refused(secret_id: str) -> None:
    with pytest.raises(InvalidArgumentError):
        limits.check_secret_id(secret_id)


@pytest.mark.parametrize(
    "labels", [{}, {"a": ""}, {"größe_1-x": "ü-9"}, {"k" * 63: "v" * 63}, {f"k{n}": "v" for n in range(64)}]
)
def test_labels_that_fit_are_taken(labels: dict[str, str]) -> None:
    assert limits.read_labels(labels) == labels


@pytest.mark.parametrize(
    "labels",
    [
        {"": "v"},
        {"Key": "v"},
        {"1key": "v"},
        {"key": "Value"},
        {"key": "with space"},
        {"k" * 64: "v"},
        {"key": "v" * 64},
        {"あ" * 43: "v"},
        {f"k{n}": "v" for n in range(65)},
        {"key": 1},
        ["key"],
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        limits.read_labels(labels)


def test_annotations_hold_any_text_up_to_16_kib_in_total() -> None:
    assert limits.read_annotations({"a.b_c-1": "Ein Täxt /"}) == {"a.b_c-1": "Ein Täxt /"}
    limits.read_annotations({"key": "v" * (16 * 1024 - 4)})
    with pytest.raises(InvalidArgumentError, match="16 KiB"):
        limits.read_annotations({"key": "v" * (16 * 1024 - 3)})


@pytest.mark.parametrize("key", ["", "-a", "a-", "a b", "a/b", "k" * 64])
def test_an_annotation_key_that_does_not_fit_is_refused(key: str) -> None:
    with pytest.raises(InvalidArgumentError):
        limits.read_annotations({key: "v"})


@pytest.mark.parametrize("aliases", [{"latest": 1}, {"NEW": 1}, {"1a": 1}, {"a": "x"}, {"a": 2}, {"a" * 64: 1}])
def test_an_alias_that_does_not_fit_is_refused(aliases: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError):
        limits.read_aliases(aliases, {1: None})


def test_a_destruction_is_delayed_by_1_to_1000_days() -> None:
    assert limits.read_destroy_ttl(None) is None
    assert limits.read_destroy_ttl("86400s") == 86_400
    for wrong in ("86399s", "86400001s", "1 day"):
        with pytest.raises(InvalidArgumentError):
            limits.read_destroy_ttl(wrong)
