"""The AWS resources of a plan, in Pulumi's terms. Imported only when there is something to declare on AWS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import pulumi
import pulumi_aws as aws

from uss.clouds.aws import SECRET, VERSION, AwsTarget, places
from uss.clouds.interface import Findings, FoundSecret, LogicalName, Marked, Obstacle, Ownership, marked
from uss.config import Configuration, RegionMode
from uss.engine.registration import Input, Kind, Options, Registered, Secret, reference, register
from uss.errors import CloudDeniedError, CloudError
from uss.planning.plan import NEW_NAMES, Change, ConfigurationPlan, PlannedSecret
from uss.planning.settle import Claim, claim
from uss.resources import options
from uss.resources.interface import Declared, Work
from uss.resources.looking import Questions, tries_identity, wanted
from uss.state import StateResource
from uss.text import shown

_PROVIDER = "pulumi:providers:aws"
# All with a space, which no name can hold: the text names the secret, which may be called like an error.
_MISSING = re.compile(r"couldn't find resource\b|ResourceNotFoundException: Secrets Manager can't find ")
_DELETED = re.compile(r"InvalidRequestException: You can't .*\b(scheduled|marked) for deletion")
ABSENT = re.compile(f"{_MISSING.pattern}|{_DELETED.pattern}")
"""Matches what the provider says when there is no such thing."""
_RESTORE = "Restore it (`aws secretsmanager restore-secret`), wait until then, or retitle the record."
DENIED = re.compile(
    r"operation error Secrets Manager: \w+, https response error StatusCode: \d+, RequestID: [\w-]*, "
    r"api error AccessDeniedException: "
)
"""Matches what it says when the identity may not ask: Secrets Manager's own answer, with nothing between it and the
call, where a failed sign-in would stand (`get credentials: ... STS: AssumeRole, ... AccessDenied`). A key of KMS that
the identity may not use is told so, too: a right that the right identity lacks.
"""
_GET_SECRET = "aws:secretsmanager/getSecret:getSecret"  # noqa: S105 - a function of the provider
_GET_VERSION = "aws:secretsmanager/getSecretVersion:getSecretVersion"
_OTHERS = ("description", "kmsKeyId")
"""What the sync says nothing of, and would otherwise take from a secret that it adopts."""
_FAILED = "Failed"
_SECRET = Kind(SECRET, reads=("arn", "replicas"))
_VERSION = Kind(VERSION, reads=("versionId",), secret=("secretBinary", "secretString", "secretStringWo"))
_KINDS = {SECRET: _SECRET, VERSION: _VERSION}


class _Copy(NamedTuple):
    """A secret in one region."""

    container: Registered
    version: Registered


def provider(plan: ConfigurationPlan, ownership: Ownership, resources: Iterable[StateResource]) -> aws.Provider:
    """Register the provider; see `Resources.provider`."""
    target = cast(AwsTarget, plan.target)
    return aws.Provider(
        plan.name,
        region=target.regions[0],
        access_key=target.access_key_id,
        secret_key=target.secret_access_key,
        assume_roles=_assume_roles(target, ownership),
        opts=pulumi.ResourceOptions(aliases=options.former_providers(plan.name, resources)),
    )


def declare(work: Work) -> Iterator[Awaitable[Declared]]:
    """Register the plan's secrets and the kept ones; see `Resources.declare`."""
    plan, target = work.plan, cast(AwsTarget, work.plan.target)
    identity = reference(work.provider)
    kept = [resource for held in plan.kept for resource in held.resources]
    yield from options.keep_all(_KINDS, kept, plan.name, identity, plan.configuration)
    for secret in plan.secrets:
        yield _declare_secret(secret, plan.configuration, target, identity)


def _assume_roles(target: AwsTarget, ownership: Ownership) -> list[aws.ProviderAssumeRoleArgs] | None:
    if target.role is None:
        return None
    # STS: a session name has 2 to 64 of these characters; AWS shows it in CloudTrail.
    session = f"keeper-uss-{ownership.project}-{ownership.stack}"[:64]
    role = aws.ProviderAssumeRoleArgs(role_arn=target.role, session_name=session, external_id=target.external_id)
    return [role]


async def _declare_secret(
    secret: PlannedSecret,
    configuration: Configuration,
    target: AwsTarget,
    provider: Awaitable[str],
) -> Declared:
    replicated = configuration.region_mode is RegionMode.REPLICATE
    copies: list[_Copy] = []
    for region, place in places(target, configuration):
        logical = LogicalName(configuration.name, secret.record_uid, place)
        # A copy follows the primary, so that a replica there is gone before its name is needed.
        how = _options(secret, logical, configuration, provider, [copy.container for copy in copies[:1]])
        description, key = _carried(secret, place)
        inputs: dict[str, Input] = {
            "name": secret.name,
            "region": region,
            "recoveryWindowInDays": configuration.recovery_window_in_days,
            # Always a list: to leave it out would leave replicas that are there as they are.
            "replicas": _replicas(target) if replicated else [],
            "tags": secret.tags,
            "description": description,
            "kmsKeyId": key,
        }
        container = await register(_SECRET, str(logical), inputs, how[SECRET])
        inputs = {"secretId": container, "region": region, "secretString": Secret(secret.payload.value)}
        version = await register(_VERSION, str(logical), inputs, how[VERSION])
        copies.append(_Copy(container, version))
    return Declared(secret.record_uid, _outcome(copies, target), _failure(secret, copies[0].container))


def _carried(secret: PlannedSecret, place: str) -> tuple[str | None, str | None]:
    """The description and the encryption key that a secret has: a retitled record's new one gets them too, since the
    engine forgets what it ignores when it replaces. A key is of one region, so it does not move along.
    """
    if secret.change is Change.MOVE:
        return None, None
    named = ((LogicalName.parse(resource.name), resource) for resource in secret.present if resource.type == SECRET)
    outputs = next((resource.outputs for name, resource in named if name and name.place == place), {})
    return outputs.get("description") or None, outputs.get("kmsKeyId") or None


def _replicas(target: AwsTarget) -> list[dict[str, str]]:
    return [{"region": region} for region in target.regions[1:]]


def _options(
    secret: PlannedSecret,
    logical: LogicalName,
    configuration: Configuration,
    provider: Awaitable[str],
    after: Sequence[Registered],
) -> dict[str, Options]:
    """Options by resource type. The provider would delete before it replaces, because the name is given: the new name
    shall be readable before the old one is gone.
    """
    return {
        kind: Options(
            provider=provider,
            ignore_changes=_OTHERS if kind == SECRET else (),
            delete_before_replace=False,
            retain_on_delete=options.retains(configuration),
            depends_on=tuple(resource.urn for resource in after),
            aliases=_aliases(secret, kind, logical.place),
            import_=secret.imported(kind, logical.place),
        )
        for kind in (SECRET, VERSION)
    }


def _aliases(secret: PlannedSecret, kind: str, place: str) -> tuple[str, ...]:
    return tuple(
        resource.urn
        for resource in secret.inherited
        if resource.type == kind and (name := LogicalName.parse(resource.name)) and name.place == place
    )


def _outcome(copies: Sequence[_Copy], target: AwsTarget) -> dict[str, Any]:
    outcome: dict[str, Any] = {"regions": list(target.regions), **_identity(copies[0])}
    if len(copies) > 1:
        further = zip(target.regions[1:], copies[1:], strict=True)
        outcome["copies"] = {region: _identity(copy) for region, copy in further}
    return outcome


def _identity(copy: _Copy) -> dict[str, Any]:
    return {"arn": copy.container.outputs["arn"], "version": copy.version.outputs["versionId"]}


def _failure(secret: PlannedSecret, container: Registered) -> str | None:
    """Replication goes on after the call that asked for it: AWS says in the replicas' status how it ended."""
    replicas = container.outputs["replicas"]
    failed = [
        f"{replica['region']} ({replica.get('statusMessage') or 'no reason given'})"
        for replica in (replicas if isinstance(replicas, list) else ())
        if isinstance(replica, dict) and replica.get("status") == _FAILED
    ]
    if not failed:
        return None
    return (
        f"The secret {shown(secret.name)} of record {secret.record_uid} is in its primary region and did not reach "
        f"{', '.join(failed)}. Remove what is in its way there, then run `pulumi up --refresh`."
    )


def keep(name: str, resources: Iterable[StateResource]) -> Iterator[Awaitable[Declared]]:
    """Register all resources of a configuration as the state holds them; see `Resources.keep`."""
    listed = list(resources)
    if any(resource.type == _PROVIDER for resource in listed):
        provider = aws.Provider(name, opts=options.keeping_provider(name, listed))
        yield from options.keep_all(_KINDS, listed, name, reference(provider), None)


async def look(work: Work) -> Findings:
    """See `Resources.look`.

    One DescribeSecret for each name, which sees a secret at once. ListSecrets would take fewer calls, but may not show
    what was created in the last five minutes (AWS, ListSecrets), which is what a run that was cut off leaves; and an
    identity that may list sees the names of the whole account. Where a value changes, the current one is read: it may
    be there already.
    """
    questions = Questions.of(work, ABSENT, DENIED)
    regions = places(cast(AwsTarget, work.plan.target), work.plan.configuration)

    async def find(secret: PlannedSecret) -> FoundSecret | None:
        if secret.change is Change.VALUE:
            values = await asyncio.gather(*(_value(questions, secret, *region) for region in regions))
            imports = {key: value for found in values for key, value in found.items()}
            return FoundSecret(tags=(), imports=imports) if imports else None
        copies = await asyncio.gather(*(_copy(questions, work, secret, *region) for region in regions))
        return _joined([copy for copy in copies if copy])

    async def mine(findings: Findings) -> tuple[Marked, ...]:
        known = {value for found in findings.secrets.values() for value in found.imports.values()}
        listed = await asyncio.gather(*(_marked(questions, work, region, known) for region, _ in regions))
        return tuple(entry for found in listed for entry in found)

    secrets = wanted(work.plan, (*NEW_NAMES, Change.VALUE))
    if not secrets and tries_identity(work.plan):
        await questions.ask("aws:index/getCallerIdentity:getCallerIdentity", {})
    return await questions.look(work, secrets, find, mine)


def _joined(copies: list[FoundSecret]) -> FoundSecret | None:
    if not copies:
        return None
    same = {copy.same_value for copy in copies}
    return FoundSecret(
        tags=tuple(tags for copy in copies for tags in copy.tags),
        imports={key: value for copy in copies for key, value in copy.imports.items()},
        same_value=same.pop() if len(same) == 1 else False,
        obstacle=next((copy.obstacle for copy in copies if copy.obstacle), None),
    )


async def _copy(questions: Questions, work: Work, secret: PlannedSecret, region: str, place: str) -> FoundSecret | None:
    """The secret in one region; its value only where the stack may take it."""
    answer = await questions.ask(_GET_SECRET, {"name": secret.name, "region": region})
    if answer is None:
        return await _deleted(questions, secret, region)
    tags = answer.get("tags") or {}
    imports = {(SECRET, place): _import_id(str(answer["arn"]), place)}
    if claim(work.plan, secret, tags, work.ownership) is Claim.FOREIGN:
        return FoundSecret(tags=(tags,), imports=imports)
    value = await _value(questions, secret, region, place)
    return FoundSecret(tags=(tags,), imports=imports | value, same_value=bool(value))


async def _deleted(questions: Questions, secret: PlannedSecret, region: str) -> FoundSecret | None:
    """A secret in its recovery window, which the provider calls not found: only who asks for its value is told why."""
    try:
        await replace(questions, absent=_MISSING).ask(_GET_VERSION, {"secretId": secret.name, "region": region})
    except CloudDeniedError:
        return None
    except CloudError as error:
        if not _DELETED.search(str(error)):
            raise
        found = f"AWS keeps a deleted secret {shown(secret.name)} in {region} until its recovery window ends"
        return FoundSecret(tags=(), imports={}, obstacle=Obstacle(found, _RESTORE))
    return None


async def _marked(questions: Questions, work: Work, region: str, known: Collection[str]) -> tuple[Marked, ...]:
    """The secrets in a region with this stack's marks, but for the ARNs that are known; none where the identity may not
    list, which it need not, or where the cloud is busy. A filter's values are beginnings (AWS, ListSecrets), so each
    one's marks are read.
    """
    filters = [
        {"name": "tag-key", "values": ["keeper-record-uid"]},
        {"name": "tag-value", "values": [work.ownership.stack]},
    ]
    if prefix := work.plan.configuration.name_prefix:
        filters.append({"name": "name", "values": [prefix]})
    try:
        found = await questions.ask("aws:secretsmanager/getSecrets:getSecrets", {"filters": filters, "region": region})
        # The provider's answer has names and ARNs as two sets, in no common order.
        arns = [str(arn) for arn in (found or {}).get("arns") or [] if arn not in known]
        secrets = await asyncio.gather(*(questions.ask(_GET_SECRET, {"arn": arn, "region": region}) for arn in arns))
    except CloudError:
        return ()
    tagged = ((str(entry["name"]), entry.get("tags") or {}, str(entry["arn"])) for entry in secrets if entry)
    return marked(tagged, work.ownership)


async def _value(questions: Questions, secret: PlannedSecret, region: str, place: str) -> dict[tuple[str, str], str]:
    """The current version in one region, where it has the plan's value and the state does not know it.

    One with another value is not imported: a version's value cannot be changed, so a new one is put.
    """
    answer = await questions.ask(_GET_VERSION, {"secretId": secret.name, "region": region})
    if not answer or answer.get("secretString") != secret.payload.value:
        return {}
    if any(entry.outputs.get("versionId") == answer["versionId"] for entry in secret.present):
        return {}
    return {(VERSION, place): _import_id(f"{answer['arn']}|{answer['versionId']}", place)}


def _import_id(resource_id: str, place: str) -> str:
    """An import names a region other than the provider's behind the ID."""
    return f"{resource_id}@{place}" if place else resource_id
