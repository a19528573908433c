"""Filters of list calls."""

from __future__ import annotations

import pytest

from uss.sandbox.gcp.exceptions import InvalidArgumentError
from uss.sandbox.gcp.filters import Fields, matcher

SECRET: Fields = {"name": "projects/1/secrets/Database-prod", "labels": {"team": "payments", "uss-stack": "prod"}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name:database",
        "labels.team=payments",
        'labels.team = "payments" AND name:prod',
        "labels.team=payments labels.uss-stack=prod",
        "labels.team:pay",
        "labels:team",
        "labels.team:*",
        "NOT labels.team=other",
        "-labels.none:*",
        "labels.team!=other",
        'labels."team"=payments',
    ],
)
def test_a_filter_that_holds_keeps_the_secret(text: str) -> None:
    assert matcher(text)(SECRET)


@pytest.mark.parametrize(
    "text", ["name:staging", "labels.team=pay", "labels.none=x", "NOT name:prod", "name:prod AND labels.team=other"]
)
def test_a_filter_that_does_not_hold_drops_it(text: str) -> None:
    assert not matcher(text)(SECRET)


@pytest.mark.parametrize("text", ["name:a OR name:b", "(name:a)", "create_time>2024", "name", "AND", "colour=red"])
def test_a_filter_that_the_sandbox_cannot_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError):
        matcher(text)(SECRET)
