"""The functions of the package `aws` that look at Secrets Manager and at the provider's own identity."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from uss.sandbox.providers.aws_errors import aws_call
from uss.sandbox.providers.aws_secret import describe_secret, read_policy
from uss.sandbox.providers.aws_session import AwsSession
from uss.sandbox.providers.interface import ProviderError
from uss.sandbox.providers.values import Properties

SECRET_RESULTS = frozenset({"secretString", "secretBinary"})
"""The results that are secret."""


def get_secret(session: AwsSession, arguments: Properties) -> Properties:
    """`getSecret`: a secret's description, by `arn` or by `name`."""
    secret_id = arguments.get("arn") or arguments.get("name")
    if not secret_id:
        raise ProviderError("one of `arn,name` must be specified")
    region = arguments.get("region") or session.region
    client = session.secretsmanager(region)
    described = describe_secret(client, secret_id)
    with aws_call(f"reading Secrets Manager Secret ({secret_id})"):
        arn, name = described["ARN"], described["Name"]
    return {
        "id": arn,
        "arn": arn,
        "name": name,
        "createdDate": _moment(described.get("CreatedDate")),
        "description": described.get("Description") or "",
        "kmsKeyId": described.get("KmsKeyId") or "",
        "lastChangedDate": _moment(described.get("LastChangedDate")),
        "policy": read_policy(client, arn),
        "region": region,
        "tags": {tag["Key"]: tag["Value"] for tag in described.get("Tags") or []},
        "type": "",
    }


def get_secret_version(session: AwsSession, arguments: Properties) -> Properties:
    """`getSecretVersion`: a value, by `versionId` or by `versionStage` (AWSCURRENT where neither is given)."""
    secret_id, region = arguments["secretId"], arguments.get("region") or session.region
    version_id, stage = arguments.get("versionId"), arguments.get("versionStage") or "AWSCURRENT"
    chosen = {"VersionId": version_id} if version_id else {"VersionStage": stage}
    with aws_call(f"reading Secrets Manager Secret Version ({secret_id})"):
        answer = session.secretsmanager(region).get_secret_value(SecretId=secret_id, **chosen)
        return {
            "id": f"{secret_id}|{version_id or stage}",
            "arn": answer["ARN"],
            "secretArn": answer["ARN"],
            "createdDate": _moment(answer.get("CreatedDate")),
            "region": region,
            "secretId": secret_id,
            "secretString": answer.get("SecretString") or "",
            "secretBinary": (answer.get("SecretBinary") or b"").decode("latin-1"),
            "versionId": answer["VersionId"],
            "versionStage": arguments.get("versionStage") or ("" if version_id else stage),
            "versionStages": sorted(answer.get("VersionStages") or []),
        }


def get_secrets(session: AwsSession, arguments: Properties) -> Properties:
    """`getSecrets`: names and ARNs of the secrets that all filters pass."""
    region, filters = arguments.get("region") or session.region, arguments.get("filters") or []
    wanted: Any = [{"Key": given["name"], "Values": given["values"]} for given in filters]
    with aws_call("listing Secrets Manager Secrets"):
        pages = session.secretsmanager(region).get_paginator("list_secrets").paginate(Filters=wanted)
        found = [(secret["ARN"], secret["Name"]) for page in pages for secret in page["SecretList"]]
    return {
        "id": region,
        "arns": [arn for arn, _ in found],
        "names": [name for _, name in found],
        "filters": filters,
        "region": region,
    }


def get_caller_identity(session: AwsSession, arguments: Properties) -> Properties:
    """`getCallerIdentity`: who the provider is to AWS."""
    identity = session.identity()
    return {
        "id": identity.account,
        "accountId": identity.account,
        "arn": identity.arn,
        "userId": identity.user_id,
    }


def get_region(session: AwsSession, arguments: Properties) -> Properties:
    """`getRegion`: the region named, or the provider's own."""
    region = arguments.get("region") or arguments.get("name") or session.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
        "description": session.region_description(region),
    }


def _moment(when: datetime | None) -> str:
    return when.isoformat() if when else ""
