"""Reading back what landed in AWS, with AWS's own client, and comparing it with what must be there."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import boto3

REGIONS = ("us-east-1", "eu-west-1")


class MismatchError(Exception):
    """AWS does not hold what the demo says it must hold. Names secrets, never values."""


@dataclass(frozen=True)
class Landed:
    """One secret in one region, as AWS tells it."""

    title: str
    name: str
    region: str
    version: str
    content_type: str


def read_back(expected: Mapping[str, str], outputs: Mapping[str, Any], environment: Mapping[str, str]) -> list[Landed]:
    """Return what AWS holds, by name and region; raise `MismatchError` unless it is exactly what is expected.

    `outputs` is the configuration's stack output: its titles, names and versions must be AWS's too.
    """
    records = {record["name"]: record for record in outputs["records"].values()}
    _same(f"the stack's outputs name {sorted(records)}", set(records), set(expected))
    landed: list[Landed] = []
    for region in REGIONS:
        with closing(_client(region, environment)) as client:
            held = set(_names(client))
            _same(f"{region} holds {sorted(held)}", held, set(expected))
            landed += [_read(client, region, name, expected[name], records[name]) for name in sorted(expected)]
    return sorted(landed, key=lambda secret: (secret.name, REGIONS.index(secret.region)))


def deleted_names(environment: Mapping[str, str]) -> list[str]:
    """Return the names in the primary region that wait for the end of their recovery window."""
    with closing(_client(REGIONS[0], environment)) as client:
        return sorted(_names(client, deleted=True))


def _client(region: str, environment: Mapping[str, str]) -> Any:
    return boto3.client(
        "secretsmanager",
        region_name=region,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def _names(client: Any, *, deleted: bool = False) -> Iterator[str]:
    for page in client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=deleted):
        yield from (entry["Name"] for entry in page["SecretList"] if bool(entry.get("DeletedDate")) is deleted)


def _read(client: Any, region: str, name: str, expected: str, record: Mapping[str, Any]) -> Landed:
    answer = client.get_secret_value(SecretId=name)
    if not hmac.compare_digest(answer["SecretString"].encode(), expected.encode()):
        raise MismatchError(f"The value of {name} in {region} is not the one that its record has.")
    tags = {tag["Key"]: tag["Value"] for tag in client.describe_secret(SecretId=name)["Tags"]}
    _same(f"the version of {name} in {region} is {answer['VersionId']}", answer["VersionId"], record["version"])
    _same(f"the content type of {name} in {region}", tags.get("content-type"), record["contentType"])
    return Landed(record["title"], name, region, answer["VersionId"], tags["content-type"])


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise MismatchError(f"{what}; it should be {expected}.")
