"""AWS: a permission policy for the role, a trust policy for who assumes it, and what that one needs itself.

Sources: AWS, "Actions, resources, and condition keys for AWS Secrets Manager", "How to use IAM with CI/CD by OIDC";
GitHub and GitLab, "Configuring OpenID Connect in AWS"; the aws provider's resources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from uss.clouds.aws import AwsTarget
from uss.config import Configuration, OnDelete, RegionMode
from uss.permissions.federation import Federation
from uss.permissions.interface import Document, Permissions, Step, no_identity

_ALWAYS = (
    "CreateSecret",
    "DescribeSecret",
    "GetResourcePolicy",
    "GetSecretValue",
    "PutSecretValue",
    "TagResource",
    "UntagResource",
)
_DELETING = ("DeleteSecret", "UpdateSecretVersionStage")
"""The second where a value was changed by hand: its version's label goes before it does."""
_REPLICATING = ("ReplicateSecretToRegions", "RemoveRegionsFromReplication")
_LISTING = "ListSecrets"

_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(user|role)/[\w+=,.@/-]+", re.ASCII)
_SESSION = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/.+", re.ASCII)
_AUDIENCES = {"github": "sts.amazonaws.com", "gitlab": "https://gitlab.com"}
"""Whom the tokens are for: what GitHub's action asks for, and what the pipeline for GitLab does."""
_KEYS = "the PAM Configuration has access keys, which the jobs would use instead: take them out once the rest is done."
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}


def parse_caller(arn: str) -> str:
    """Return the ARN of a user or a role; raise `ValueError` for anything else."""
    if _SESSION.fullmatch(arn):
        raise ValueError("that is a session: give the role's own ARN, as in arn:aws:iam::123456789012:role/ci")
    if not _PRINCIPAL.fullmatch(arn):
        raise ValueError("give the ARN of a user or a role, as in arn:aws:iam::123456789012:user/keeper-pam")
    return arn


def permissions(
    target: AwsTarget, configuration: Configuration, source: str, stack: str, trusted: str | Federation | None = None
) -> Permissions:
    """Return the policies; `trusted` is the ARN of who assumes the role, or whose jobs do. Policies are given no name,
    so that of the stack is in none.
    """
    documents = [
        Document("permissionPolicy", f"Permission policy of {_owner(target)}.", _writing(target, configuration)),
        Document(
            "optionalPolicy",
            "Optional, beside it: after a lost state the preview also tells the secrets that no record has any more.",
            _policy(_statement([_LISTING], "*")),
        ),
    ]
    if trusted is None:
        return Permissions(documents)
    role = target.role
    if role is None:
        raise no_identity(configuration, source, "role", "--caller and --oidc")
    assume = _policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})
    documents += [_trust(target, role, trusted), Document("callerPolicy", _need(trusted), assume)]
    if isinstance(trusted, str):
        return Permissions(documents)
    variables = {"AWS_ROLE_ARN": role, "AWS_REGION": target.regions[0]}
    return Permissions(documents, [_issuer(trusted)], variables, [_KEYS] if target.access_key_id else [])


def _issuer(federation: Federation) -> Step:
    audience = ("--client-id-list", _AUDIENCES[federation.platform])
    created = ("aws", "iam", "create-open-id-connect-provider", "--url", f"https://{federation.issuer}", *audience)
    return Step("Whose tokens the account takes at all, unless it is there already.", created)


def _owner(target: AwsTarget) -> str:
    return f"the role {target.role}" if target.role else "the user or role that writes, since there is no syncIdentity"


def _need(trusted: str | Federation) -> str:
    if isinstance(trusted, str):
        return f"Permission policy of {trusted}, which assumes the role."
    return "One more permission policy of the role: the job has it already, and the provider assumes it once more."


def _writing(target: AwsTarget, configuration: Configuration) -> dict[str, Any]:
    actions = [*_ALWAYS]
    if configuration.on_delete is OnDelete.DELETE:
        actions += _DELETING
    if configuration.region_mode is RegionMode.REPLICATE and len(target.regions) > 1:
        actions += _REPLICATING
    return _policy(_statement(actions, [_secrets(target, configuration, region) for region in target.regions]))


def _secrets(target: AwsTarget, configuration: Configuration, region: str) -> str:
    account = target.account or "*"
    return f"arn:{_partition(target)}:secretsmanager:{region}:{account}:secret:{configuration.name_prefix}*"


def _partition(target: AwsTarget) -> str:
    return next((name for start, name in _PARTITIONS.items() if target.regions[0].startswith(start)), "aws")


def _trust(target: AwsTarget, role: str, trusted: str | Federation) -> Document:
    if isinstance(trusted, str):
        text, statements = f"Trust policy of the role {role}.", [_trusting(target, trusted)]
    else:
        text = f"Trust policy of the role {role}. IAM takes the second part once the role is there."
        statements = [_federated(target, trusted), _trusting(target, role)]
    return Document("trustPolicy", text, _policy(*statements))


def _trusting(target: AwsTarget, arn: str) -> dict[str, Any]:
    asked = {"Condition": {"StringEquals": {"sts:ExternalId": target.external_id}}} if target.external_id else {}
    return {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole", **asked}


def _federated(target: AwsTarget, federation: Federation) -> dict[str, Any]:
    provider = f"arn:{_partition(target)}:iam::{target.account}:oidc-provider/{federation.issuer}"
    audience = {f"{federation.issuer}:aud": _AUDIENCES[federation.platform]}
    operator, rest = ("StringLike", "*") if federation.beginning else ("StringEquals", "")
    condition: dict[str, dict[str, Any]] = {"StringEquals": audience}
    told = {f"{federation.issuer}:sub": [subject + rest for subject in federation.subjects]}
    condition.setdefault(operator, {}).update(told)
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }


def _statement(actions: list[str], resource: str | list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [f"secretsmanager:{action}" for action in actions], "Resource": resource}


def _policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}
