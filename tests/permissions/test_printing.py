"""How policies and commands are printed, and what stops a policy that would mean too much."""

from __future__ import annotations

import shlex

import pytest

from tests.builders import SOURCE, configuration
from uss.clouds import CLOUDS
from uss.config import CloudType
from uss.errors import ConfigurationError
from uss.permissions.interface import Document, Permissions, Step, check_prefix

LONG = ("az", "role", "--name", "it's", "--flag", "--scope", "x" * 100)


def test_a_command_can_be_pasted_into_a_shell() -> None:
    *_, line, end = Permissions(steps=[Step("What for.", LONG)]).lines()
    assert shlex.split(line.replace("\\\n", "")) == list(LONG)
    assert line.splitlines()[0] == "az role \\"
    assert end == ""


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    assert "\x1b" not in "".join(Permissions(steps=[Step("", ("az", "\x1b[2J"))]).lines())


def test_data_has_documents_by_their_keys_and_commands_as_lists() -> None:
    data = Permissions([Document("policy", "", {"a": 1})], [Step("s", ("az", "x"))]).data()
    assert data == {"policy": {"a": 1}, "steps": [{"text": "s", "command": ["az", "x"]}]}
    assert Permissions([Document("policy", "P.", {"a": 1})]).data() == {"policy": {"a": 1}}
    assert [*Permissions([Document("policy", "P.", {"a": 1})]).lines()] == ["# P.", "{", '  "a": 1', "}", ""]


@pytest.mark.parametrize("prefix", ["*", "team?", 'a")||true||("', "${aws:x}"])
@pytest.mark.parametrize("cloud", CloudType)
def test_a_prefix_that_would_mean_more_than_itself_is_refused(cloud: CloudType, prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="key `namePrefix`"):
        check_prefix(CLOUDS[cloud], configuration(name_prefix=prefix), SOURCE)
    check_prefix(CLOUDS[cloud], configuration(name_prefix="team-"), SOURCE)
