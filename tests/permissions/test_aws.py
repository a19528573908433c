"""AWS's policies: only what the settings need, only where, and trust in nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import ROLE, SOURCE, configuration
from tests.leaks import leaks
from uss.clouds.aws import Aws, AwsTarget
from uss.errors import ConfigurationError
from uss.keeper import PamConfiguration
from uss.permissions import aws
from uss.permissions.aws import parse_caller
from uss.permissions.federation import parse_federation

CALLER = "arn:aws:iam::123456789012:user/keeper-pam"
KEYS = {"accesskeyid": "AKIA", "accesssecretkey": "canary"}


def printed(trusted: Any = None, keys: dict[str, str] | None = None, **settings: Any) -> dict[str, Any]:
    """What is printed for a configuration."""
    entry = configuration(**settings)
    pam = PamConfiguration("U", "AWS", Aws.type, keys) if keys else None
    target = Aws().target(entry, pam, SOURCE)
    assert isinstance(target, AwsTarget)
    return aws.permissions(target, entry, SOURCE, "test", trusted).data()


def writing(**settings: Any) -> tuple[set[str], list[str]]:
    """The actions of the permission policy, without the service's name, and its resources."""
    (statement,) = printed(**settings)["permissionPolicy"]["Statement"]
    return {action.removeprefix("secretsmanager:") for action in statement["Action"]}, statement["Resource"]


REPLICATING = {"ReplicateSecretToRegions", "RemoveRegionsFromReplication"}
DELETING = {"DeleteSecret", "UpdateSecretVersionStage"}
TWO = ["us-east-1", "eu-west-1"]


@pytest.mark.parametrize(
    ("settings", "absent"),
    [
        ({}, REPLICATING),
        ({"regions": TWO}, set()),
        ({"regions": TWO, "region_mode": "independent"}, REPLICATING),
        ({"on_delete": "retain"}, REPLICATING | DELETING),
    ],
)
def test_only_the_actions_that_the_settings_need(settings: dict[str, Any], absent: set[str]) -> None:
    actions, _ = writing(**settings)
    assert (REPLICATING | DELETING) - actions == absent
    assert not actions & {"ListSecrets", "UpdateSecret", "ListSecretVersionIds"}


@pytest.mark.parametrize(
    ("settings", "resources"),
    [
        ({}, ["arn:aws:secretsmanager:us-east-1:123456789012:secret:*"]),
        (
            {"regions": TWO, "name_prefix": "team/"},
            [f"arn:aws:secretsmanager:{region}:123456789012:secret:team/*" for region in TWO],
        ),
        (
            {"regions": ["cn-north-1"], "sync_identity": ROLE.replace("aws", "aws-cn", 1)},
            ["arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:*"],
        ),
        (
            {"regions": ["us-gov-west-1"], "sync_identity": None, "ambient_credentials": True},
            ["arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:*"],
        ),
    ],
)
def test_only_the_names_and_regions_of_the_configuration(settings: dict[str, Any], resources: list[str]) -> None:
    assert writing(**settings)[1] == resources


def test_listing_stands_apart_since_it_sees_the_whole_account() -> None:
    (statement,) = printed()["optionalPolicy"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (["secretsmanager:ListSecrets"], "*")
    assert not printed().keys() & {"trustPolicy", "callerPolicy"}


def test_a_user_is_trusted_and_may_assume() -> None:
    data = printed(CALLER, KEYS)
    assert data["trustPolicy"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"AWS": CALLER}, "Action": "sts:AssumeRole"}
    ]
    assert data["callerPolicy"]["Statement"] == [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}]
    assert leaks(str(data), "canary") == {}


@pytest.mark.parametrize("trusted", [CALLER, parse_federation("gitlab:acme/secrets")])
def test_an_external_id_is_asked_for_wherever_the_role_is_assumed(trusted: Any) -> None:
    statements = printed(trusted, external_id="acme-7")["trustPolicy"]["Statement"]
    (assuming,) = [entry for entry in statements if entry["Action"] == "sts:AssumeRole"]
    assert assuming["Condition"] == {"StringEquals": {"sts:ExternalId": "acme-7"}}


@pytest.mark.parametrize(
    ("text", "operator", "subjects"),
    [
        (
            "github:acme/secrets",
            "StringEquals",
            ["repo:acme/secrets:pull_request", "repo:acme/secrets:ref:refs/heads/main"],
        ),
        ("github:acme/secrets:production", "StringEquals", ["repo:acme/secrets:environment:production"]),
        ("gitlab:acme/team/secrets", "StringLike", ["project_path:acme/team/secrets:ref_type:branch:ref:*"]),
    ],
)
def test_the_jobs_of_one_project_are_trusted(text: str, operator: str, subjects: list[str]) -> None:
    federated, own = printed(parse_federation(text))["trustPolicy"]["Statement"]
    issuer = federated["Principal"]["Federated"].partition(":oidc-provider/")[2]
    assert federated["Principal"]["Federated"].startswith("arn:aws:iam::123456789012:oidc-provider/")
    assert federated["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert federated["Condition"][operator][f"{issuer}:sub"] == subjects
    assert federated["Condition"]["StringEquals"][f"{issuer}:aud"] in ("sts.amazonaws.com", "https://gitlab.com")
    # The provider assumes the role that the job has already.
    assert (own["Principal"], own["Action"]) == ({"AWS": ROLE}, "sts:AssumeRole")


@pytest.mark.parametrize(
    "arn", ["", "*", "123456789012", "arn:aws:iam::123456789012:root", CALLER + "*", CALLER + "\n"]
)
def test_a_caller_is_one_user_or_role(arn: str) -> None:
    with pytest.raises(ValueError, match="user or a role"):
        parse_caller(arn)


def test_a_session_is_not_a_caller() -> None:
    with pytest.raises(ValueError, match="the role's own ARN"):
        parse_caller("arn:aws:sts::123456789012:assumed-role/ci/session")


@pytest.mark.parametrize("text", ["", "github", "github:acme", "github:acme/*", "github:a/b:*", "gitlab:acme", "x:a/b"])
def test_whose_jobs_is_one_project(text: str) -> None:
    with pytest.raises(ValueError, match="OWNER/REPO"):
        parse_federation(text)


@pytest.mark.parametrize(
    ("trusted", "keys", "settings", "text"),
    [
        (CALLER, KEYS, {"sync_identity": None}, "key `syncIdentity`: is missing, so there is no role"),
        (None, KEYS, {"sync_identity": None, "external_id": "x7"}, "key `externalId`: is given, and no role asks"),
    ],
)
def test_trust_that_leads_nowhere_is_told(trusted: Any, keys: dict[str, str], settings: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        printed(trusted, keys, **settings)


@pytest.mark.parametrize("keys", [{}, KEYS])
def test_a_ci_needs_its_issuer_and_its_variables_and_no_keys(keys: dict[str, str]) -> None:
    data = printed(parse_federation("github:a/b"), keys)
    (step,) = data["steps"]
    assert step["command"][1:3] == ["iam", "create-open-id-connect-provider"]
    assert step["command"][-3:] == [
        "https://token.actions.githubusercontent.com",
        "--client-id-list",
        "sts.amazonaws.com",
    ]
    assert data["variables"] == {"AWS_ROLE_ARN": ROLE, "AWS_REGION": "us-east-1"}
    assert bool(data.get("notes")) is bool(keys)
    assert leaks(str(data), "canary") == {}
