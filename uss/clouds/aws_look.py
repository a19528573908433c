"""What AWS holds already under the names that a plan gives: one DescribeSecret for each, which sees a secret at once.

ListSecrets would take fewer calls, but may not show what was created in the last five minutes (AWS, ListSecrets), which
is what a run that was cut off leaves; and an identity that may list sees the names of the whole account. Where a value
changes, the current one is read: it may be there already.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, cast

from uss.clouds.aws import SECRET, VERSION, AwsTarget, places
from uss.clouds.interface import Findings, FoundSecret, Ownership
from uss.clouds.looking import Questions
from uss.findings import Claim, claim
from uss.plan import NEW_NAMES, Change, PlannedSecret

if TYPE_CHECKING:
    import pulumi

    from uss.plan import ConfigurationPlan

ABSENT = re.compile(r"(couldn't|can't|could not) find|not found|NotFoundException|(scheduled|marked) for deletion")
"""Matches what the provider says when there is no such thing."""
DENIED = re.compile(r"error Secrets Manager: .*api error AccessDenied|not authorized to perform: secretsmanager:")
"""Matches what it says when the identity may not ask."""


async def look(plan: ConfigurationPlan, ownership: Ownership, provider: pulumi.ProviderResource) -> Findings:
    """See `Cloud.look`."""
    target = cast(AwsTarget, plan.target)
    questions = Questions(plan.name, provider, ABSENT, DENIED)
    regions = places(target, plan.configuration)

    async def find(secret: PlannedSecret) -> FoundSecret | None:
        if secret.change is Change.VALUE:
            values = await asyncio.gather(*(_value(questions, secret, *region) for region in regions))
            imports = {key: value for found in values for key, value in found.items()}
            return FoundSecret(tags=(), imports=imports) if imports else None
        copies = await asyncio.gather(*(_copy(questions, plan, secret, ownership, *region) for region in regions))
        return _joined([copy for copy in copies if copy])

    return await questions.each(
        [secret for secret in plan.secrets if secret.change in (*NEW_NAMES, Change.VALUE)], find
    )


def _joined(copies: list[FoundSecret]) -> FoundSecret | None:
    if not copies:
        return None
    same = {copy.same_value for copy in copies}
    return FoundSecret(
        tags=tuple(tags for copy in copies for tags in copy.tags),
        imports={key: value for copy in copies for key, value in copy.imports.items()},
        same_value=same.pop() if len(same) == 1 else False,
    )


async def _copy(
    questions: Questions,
    plan: ConfigurationPlan,
    secret: PlannedSecret,
    ownership: Ownership,
    region: str,
    place: str,
) -> FoundSecret | None:
    """The secret in one region; its value only where the stack may take it."""
    answer = await questions.ask("aws:secretsmanager/getSecret:getSecret", {"name": secret.name, "region": region})
    if answer is None:
        return None
    tags = answer.get("tags") or {}
    imports = {(SECRET, place): _import_id(str(answer["arn"]), place)}
    if claim(plan, secret, tags, ownership) is Claim.FOREIGN:
        return FoundSecret(tags=(tags,), imports=imports)
    value = await _value(questions, secret, region, place)
    return FoundSecret(tags=(tags,), imports=imports | value, same_value=bool(value))


async def _value(questions: Questions, secret: PlannedSecret, region: str, place: str) -> dict[tuple[str, str], str]:
    """The current version in one region, where it has the plan's value and the state does not know it.

    One with another value is not imported: a version's value cannot be changed, so a new one is put.
    """
    answer = await questions.ask(
        "aws:secretsmanager/getSecretVersion:getSecretVersion", {"secretId": secret.name, "region": region}
    )
    if not answer or answer.get("secretString") != secret.payload.value:
        return {}
    if any(entry.outputs.get("versionId") == answer["versionId"] for entry in secret.present):
        return {}
    return {(VERSION, place): _import_id(f"{answer['arn']}|{answer['versionId']}", place)}


def _import_id(resource_id: str, place: str) -> str:
    """An import names a region other than the provider's behind the ID."""
    return f"{resource_id}@{place}" if place else resource_id
