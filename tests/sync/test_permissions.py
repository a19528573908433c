"""What `uss permissions` prints is enough for the whole life of a secret, and nothing in it is too much: without any
one action, a step of that life does not go through and says which action it lacks.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from tests.sync.clouds import AZURE_GROUP, AZURE_SUBSCRIPTION, CLOUDS, CloudUnderTest
from tests.sync.harness import USS, Project, Record, Run, Sandbox, login, password, plain_prefix, uid

STAYS = login(uid(2), "Stays", "p")
TAGGED = {"tags": {"team": "a"}}


class World(NamedTuple):
    """What the vault and the stack file say."""

    records: tuple[Record, ...]
    keys: Mapping[str, Any] = {}


CREATED = World((login(uid(1), "First", "p1"), STAYS))
CHANGED = World((login(uid(1), "First", "p2"), STAYS))
MARKED = World(CREATED.records, TAGGED)
RENAMED = World((login(uid(1), "Renamed", "p1"), STAYS))
DELETED = World((STAYS,))
AGAIN = World((login(uid(3), "First", "p3"), STAYS))
ONE_REGION = World(CREATED.records, {"regions": ["us-east-1"]})


@dataclass
class Life:
    """A project whose Sync Identity is allowed what is printed for its configuration, and nothing else."""

    project: Project
    cloud: CloudUnderTest
    keys: Mapping[str, Any]
    printed: Mapping[str, Any]

    def up(self, world: World, *arguments: str, allows: Iterable[str] | None = None) -> Run:
        """Bring the world about, with these actions allowed; none given: all that are printed."""
        self.enter(world, self.allowed if allows is None else allows)
        return self.project.up(*arguments)

    def enter(self, world: World, allows: Iterable[str]) -> None:
        """Write the vault file and the stack file."""
        content = self.cloud.vault(*world.records)
        self.grant(content["clouds"][self.cloud.name], list(allows))
        self.project.sandbox.write_vault(content)
        self.project.configure(self.configuration | dict(world.keys))

    @property
    def configuration(self) -> dict[str, Any]:
        """The configuration for which the policy was printed."""
        return self.cloud.configuration() | {"namePrefix": self.project.prefix} | dict(self.keys)

    @property
    def allowed(self) -> list[str]:
        """The printed actions."""
        if self.cloud.name == "aws":
            (statement,) = self.printed["permissionPolicy"]["Statement"]
            return list(statement["Action"])
        if self.cloud.name == "gcp":
            return ",".join(self.options("--permissions")).split(",")
        (role,) = (json.loads(text) for text in self.options("--role-definition"))
        return [*role["Actions"], *role["DataActions"]]

    def options(self, name: str) -> list[str]:
        """The values of an option of the printed commands."""
        commands = [step["command"] for step in self.printed["steps"]]
        return [command[command.index(name) + 1] for command in commands if name in command]

    def grant(self, section: dict[str, Any], allows: list[str]) -> None:
        """Allow these actions in a cloud's section of the vault file, where the printed ones hold."""
        if self.cloud.name == "aws":
            section["roles"][0]["allows"] = allows
        elif self.cloud.name == "gcp":
            section["serviceAccounts"][0]["allows"] = allows
        else:
            section["identities"][0] |= {"allows": allows, "scopes": self.options("--scope")}
            if not self.configuration["location"]:
                vault = {"name": self.configuration["vaultName"], "resourceGroup": AZURE_GROUP}
                section["vaults"] = [vault | {"subscription": AZURE_SUBSCRIPTION}]


def begin(project: Project, name: str, **keys: Any) -> Life:
    """Print the policy for a configuration of this cloud."""
    cloud = next(cloud for cloud in CLOUDS if cloud.name == name)
    project.prefix = plain_prefix(project.prefix)
    if name == "azure":
        keys = {"location": None} | keys
    life = Life(project, cloud, keys, {})
    project.sandbox.write_vault(cloud.vault(*CREATED.records))
    project.configure(life.configuration)
    command = [str(USS), "permissions", "cloud", "--stack", project.stack, "--json"]
    done = subprocess.run(
        command, cwd=project.folder, env=project.environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    life.printed = json.loads(done.stdout)
    return life


@pytest.mark.parametrize("name", ["aws", "azure", "gcp"])
def test_it_is_enough_for_the_whole_life_of_a_secret(project: Project, sandbox: Sandbox, name: str) -> None:
    life = begin(project, name)
    for world in (CREATED, CHANGED, MARKED, RENAMED, DELETED, AGAIN):
        run = life.up(world)
        assert run.code == 0, run.output
        assert "may not look" not in run
        assert life.cloud.values(project).keys() == {record["title"] for record in world.records} or (
            name == "aws" and world is AGAIN  # AWS keeps the deleted name
        )
    assert life.up(AGAIN, "--refresh").code == 0


@pytest.mark.parametrize("name", ["aws", "azure", "gcp"])
def test_a_configuration_that_retains_needs_no_deleting(project: Project, sandbox: Sandbox, name: str) -> None:
    life = begin(project, name, onDelete="retain")
    assert not [action for action in life.allowed if "elete" in action or "disable" in action or "destroy" in action]
    for world in (CREATED, CHANGED, DELETED):
        run = life.up(world)
        assert run.code == 0, run.output
    assert life.cloud.values(project) == {"First": password("p2"), "Stays": password("p")}


class Case(NamedTuple):
    """The shortest life that needs an action: the worlds before, and the one that does not come about without it."""

    cloud: str
    action: str
    worlds: tuple[World, ...]
    keys: Mapping[str, Any] = {}
    best_effort: bool = False
    """Without it, the run goes on and warns."""


AWS, AZURE, GCP = "secretsmanager:", "Microsoft.KeyVault/vaults/", "secretmanager."
MADE = {"location": "westeurope", "vaultName": "kv-not-there-yet"}
CASES = [
    *(
        Case("aws", AWS + action, (CREATED,))
        for action in ("CreateSecret", "DescribeSecret", "GetResourcePolicy", "GetSecretValue", "PutSecretValue")
    ),
    Case("aws", AWS + "TagResource", (CREATED, MARKED)),
    Case("aws", AWS + "UntagResource", (MARKED, CREATED)),
    Case("aws", AWS + "DeleteSecret", (CREATED, DELETED)),
    Case("aws", AWS + "ReplicateSecretToRegions", (ONE_REGION, CREATED)),
    Case("aws", AWS + "RemoveRegionsFromReplication", (CREATED, DELETED)),
    *(Case("azure", AZURE + action, (CREATED,)) for action in ("read", "secrets/read", "secrets/write")),
    Case("azure", AZURE + "write", (CREATED,), MADE),
    Case("azure", AZURE + "secrets/delete", (CREATED, DELETED)),
    Case("azure", AZURE + "secrets/readMetadata/action", (CREATED, DELETED, AGAIN)),
    Case("azure", AZURE + "secrets/recover/action", (CREATED, DELETED, AGAIN)),
    Case("gcp", GCP + "secrets.list", (CREATED,), best_effort=True),
    *(
        Case("gcp", GCP + action, (CREATED,))
        for action in (
            *("secrets.create", "secrets.get"),
            *("versions.access", "versions.add", "versions.enable", "versions.get"),
        )
    ),
    Case("gcp", GCP + "secrets.update", (CREATED, MARKED)),
    Case("gcp", GCP + "secrets.delete", (CREATED, DELETED)),
    Case("gcp", GCP + "versions.disable", (CREATED, CHANGED)),
    Case("gcp", GCP + "versions.destroy", (CREATED, CHANGED), {"oldVersions": "destroy"}),
    Case("gcp", GCP + "versions.destroy", (CREATED, CHANGED), {"oldVersions": "keep", "keepVersions": 1}),
]
STAGE = AWS + "UpdateSecretVersionStage"
"""Has a test of its own."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join([case.action, *map(str, case.keys.values())]))
def test_without_any_one_action_a_step_does_not_go_through(project: Project, sandbox: Sandbox, case: Case) -> None:
    life = begin(project, case.cloud, **case.keys)
    assert case.action in life.allowed
    *before, last = case.worlds
    for world in before:
        run = life.up(world)
        assert run.code == 0, run.output
    run = life.up(last, allows=[action for action in life.allowed if action != case.action])
    assert (run.code == 0) is case.best_effort, run.output
    assert case.action in run


def test_a_value_that_was_changed_by_hand_leaves_a_label_to_be_taken_away(project: Project, sandbox: Sandbox) -> None:
    life = begin(project, "aws")
    assert life.up(CREATED).code == 0
    with closing(sandbox.aws()) as client:
        client.put_secret_value(SecretId=project.prefix + "First", SecretString="by hand")
    assert life.up(CREATED, "--refresh").code == 0
    run = life.up(DELETED, allows=[action for action in life.allowed if action != STAGE])
    assert run.code != 0
    assert STAGE in run
    assert life.up(DELETED).code == 0


@pytest.mark.parametrize("name", ["aws", "azure", "gcp"])
def test_every_action_that_is_printed_has_its_case(project: Project, sandbox: Sandbox, name: str) -> None:
    proved = {case.action for case in CASES if case.cloud == name} | ({STAGE} if name == "aws" else set())
    variants: list[dict[str, Any]] = {"azure": [{}, MADE], "gcp": [{}, {"oldVersions": "destroy"}]}.get(name, [{}])
    assert {action for keys in variants for action in begin(project, name, **keys).allowed} == proved


def test_the_optional_policy_tells_what_a_lost_state_leaves_behind(project: Project, sandbox: Sandbox) -> None:
    life = begin(project, "aws")
    (statement,) = life.printed["optionalPolicy"]["Statement"]
    assert life.up(CREATED).code == 0
    shutil.rmtree(project.state / ".pulumi")
    project.init()
    for allows, told in ((life.allowed, False), ([*life.allowed, *statement["Action"]], True)):
        life.enter(DELETED, allows)
        run = project.preview()
        assert run.code == 0, run.output
        assert (f'"{project.prefix}First"' in run) is told
