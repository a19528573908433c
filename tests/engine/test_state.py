"""What the engine answers of the last checkpoint."""

from __future__ import annotations

import pytest

from tests.leaks import leaks
from uss.engine.state import parse_state

STACK = "urn:pulumi:test::uss::pulumi:pulumi:Stack::uss-test"
SECRET = "urn:pulumi:test::uss::aws:secretsmanager/secret:Secret::aws/R1"


def test_resources_are_read_by_urn_and_the_stacks_own_outputs_apart() -> None:
    state = parse_state(
        {
            STACK: {"type": "pulumi:pulumi:Stack", "outputs": {"configurations": {"aws": {}}}},
            SECRET: {"type": "aws:secretsmanager/secret:Secret", "outputs": {"name": "canary"}},
            "urn:pulumi:test::uss::pulumi:providers:aws::aws": {"type": "pulumi:providers:aws", "outputs": None},
        }
    )
    assert [(resource.type, resource.name) for resource in state.resources] == [
        ("aws:secretsmanager/secret:Secret", "aws/R1"),
        ("pulumi:providers:aws", "aws"),
    ]
    assert state.resources[0].outputs == {"name": "canary"}
    assert state.stack_outputs == {"configurations": {"aws": {}}}
    assert leaks(repr(state), "canary") == {}


def test_a_stack_that_was_never_updated_holds_nothing() -> None:
    assert parse_state({}) == parse_state({STACK: {"type": "pulumi:pulumi:Stack"}})


@pytest.mark.parametrize(
    ("tail", "name"),
    [
        ("aws:secretsmanager/secret:Secret::aws/R1@eu-west-1", "aws/R1@eu-west-1"),
        ("aws:secretsmanager/secret:Secret::a::b", "a::b"),
        ("my:component:Thing$aws:secretsmanager/secret:Secret::aws/R-_1", "aws/R-_1"),
    ],
)
def test_the_logical_name_is_all_that_follows_the_type(tail: str, name: str) -> None:
    (resource,) = parse_state({f"urn:pulumi:test::uss::{tail}": {"type": "t", "outputs": {}}}).resources
    assert resource.name == name


def test_the_order_of_the_answer_does_not_matter() -> None:
    answer = {f"urn:pulumi:test::uss::t::r{number}": {"type": "t"} for number in range(5)}
    assert parse_state(answer) == parse_state(dict(reversed(answer.items())))
    assert parse_state(answer).resources[0].outputs == {}


def test_a_checkpoint_without_a_stack_resource_has_resources_all_the_same() -> None:
    state = parse_state({SECRET: {"type": "aws:secretsmanager/secret:Secret", "outputs": {}}})
    assert len(state.resources) == 1
    assert state.stack_outputs == {}
