"""What the engine answers of the last checkpoint."""

from __future__ import annotations

from uss.state import parse_state

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
    assert "canary" not in repr(state)


def test_a_stack_that_was_never_updated_holds_nothing() -> None:
    assert parse_state({}) == parse_state({STACK: {"type": "pulumi:pulumi:Stack"}})
