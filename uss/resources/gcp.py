"""The GCP resources of a plan, in Pulumi's terms. Imported only when there is something to declare on GCP.

A value that changes is a new SecretVersion under a logical name of its own (`v1`, `v2`, ...), which exists before the
engine deletes the versions that are no longer declared: `latest` can be read at every moment.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import pulumi
import pulumi_gcp as gcp

from uss.clouds.gcp import ANNOTATION, LABEL, SECRET, VERSION, GcpTarget, belongs, encryption, ordinal, replicas, worded
from uss.clouds.interface import Findings, FoundSecret, LogicalName, Marked, Obstacle, Ownership, Tags, marked
from uss.config import Configuration, OldVersions
from uss.engine.registration import Input, Kind, Options, Secret, reference, register
from uss.errors import CloudDeniedError
from uss.planning.plan import NEW_NAMES, Change, ConfigurationPlan, PlannedSecret
from uss.planning.settle import Claim, claim
from uss.resources import options
from uss.resources.interface import Declared, Work
from uss.resources.looking import Questions, tries_identity, wanted
from uss.state import StateResource

_PROVIDER = "pulumi:providers:gcp"
# A quoted answer begins with { or <: what stands in it is a token service's word, a proxy's, or a page's.
_GOOGLE = r"^[^{<]* googleapi: Error "
ABSENT = re.compile(rf"{_GOOGLE}404: |{_GOOGLE}400: Secret Version |\* projects/[^/ ]+/secrets/[\w-]+ not found\b")
"""Matches what the provider says when there is no such thing: Secret Manager's word, or the provider's own."""
DENIED = re.compile(rf"{_GOOGLE}403: Permission 'secretmanager\.[a-z]+\.[a-z]+' denied ")
"""Matches what it says when the identity may not ask. The host's name, secretmanager.googleapis.com, is in every error
of the way there, also of an identity that does not work; other reasons of a 403 are a project without the service, or
none.
"""
_NEVER = re.compile(r"(?!)")
"""Of what is there in any case nothing is absent: "not found" means an identity that does not exist."""
_OTHERS = ("topics", "rotation", "versionAliases", "versionDestroyTtl")
"""What the sync says nothing of, and would otherwise take from a secret that it adopts."""
_REPLICATION = "replication"
_ENCRYPTION = "customerManagedEncryption"
_SECRET = Kind(SECRET, reads=("name",), secret=("effectiveLabels", "pulumiLabels"))
_VERSION = Kind(VERSION, reads=("version",), secret=("secretData", "secretDataWo"))
_KINDS = {SECRET: _SECRET, VERSION: _VERSION}
_NEW_VALUE = (Change.VALUE, Change.TAKE_OVER)
_NEW_CONTAINER = (*NEW_NAMES, Change.RECOVER, Change.ADOPT, Change.REPLACE)


def provider(plan: ConfigurationPlan, ownership: Ownership, resources: Iterable[StateResource]) -> gcp.Provider:
    """Register the provider; see `Resources.provider`."""
    target = cast(GcpTarget, plan.target)
    return gcp.Provider(
        plan.name,
        project=target.project,
        credentials=pulumi.Output.secret(target.credentials) if target.credentials else None,
        impersonate_service_account=target.impersonate,
        opts=pulumi.ResourceOptions(aliases=options.former_providers(plan.name, resources)),
    )


def declare(work: Work) -> Iterator[Awaitable[Declared]]:
    """Register the plan's secrets and the kept ones; see `Resources.declare`."""
    plan, target = work.plan, cast(GcpTarget, work.plan.target)
    identity = reference(work.provider)
    kept = [resource for held in plan.kept for resource in held.resources]
    yield from options.keep_all(_KINDS, kept, plan.name, identity, plan.configuration)
    for secret in plan.secrets:
        yield _declare_secret(secret, plan.configuration, target, identity)


async def _declare_secret(
    secret: PlannedSecret, configuration: Configuration, target: GcpTarget, provider: Awaitable[str]
) -> Declared:
    inputs: dict[str, Input] = {
        "secretId": secret.name,
        "project": target.project,
        _REPLICATION: _replication(secret, target),
        "labels": _part(secret.tags, LABEL),
        "annotations": _part(secret.tags, ANNOTATION),
        "deletionProtection": configuration.deletion_protection,
    }
    logical = str(LogicalName(configuration.name, secret.record_uid))
    container = await register(_SECRET, logical, inputs, _options(secret, SECRET, configuration, provider))
    held = sorted((entry for entry in secret.present if entry.type == VERSION), key=ordinal)
    current = ordinal(held[-1]) if held else 0
    same_value = secret.held is not None and secret.held.values == (secret.payload.value,)
    new_value = secret.change in _NEW_CONTAINER or not same_value
    number = current + 1 if new_value else current
    how = _options(secret, VERSION, configuration, provider, None if new_value else held[-1])
    inputs = {
        "secret": container,
        "secretData": Secret(secret.payload.value),
        "deletionPolicy": "DISABLE" if configuration.old_versions is OldVersions.DISABLE else "DELETE",
    }
    logical = str(LogicalName(configuration.name, secret.record_uid, f"v{number}"))
    version = await register(_VERSION, logical, inputs, how)
    if configuration.old_versions is OldVersions.KEEP and secret.change not in (*_NEW_CONTAINER, Change.TAKE_OVER):
        older = [entry for entry in held if number - configuration.keep_versions < ordinal(entry) < number]
        for kept in options.keep_all(_KINDS, older, configuration.name, provider, configuration):
            await kept
    return Declared(secret.record_uid, {"id": container.outputs["name"], "version": version.outputs["version"]})


def _replication(secret: PlannedSecret, target: GcpTarget) -> dict[str, Any]:
    """The target's replication, with the customer's keys (CMEK) that the secret has in the same one: a retitled
    record's new secret gets them too. Another project may not use them, so they do not move along.
    """
    has = secret.held.outputs(SECRET) if secret.held else {}
    stays = has.get("project") == target.project and replicas(has) == target.replication
    keys = encryption(has) if stays else {}

    def encrypted(location: str) -> dict[str, Any]:
        return {_ENCRYPTION: {"kmsKeyName": keys[location]}} if location in keys else {}

    if not target.replication:
        return {"auto": encrypted("")}
    return {"userManaged": {"replicas": [{"location": place} | encrypted(place) for place in target.replication]}}


def _part(tags: Tags, prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): value for key, value in tags.items() if key.startswith(prefix)}


def _options(
    secret: PlannedSecret,
    kind: str,
    configuration: Configuration,
    provider: Awaitable[str],
    version: StateResource | None = None,
) -> Options:
    """The provider would delete before it replaces, because the name is given. That is right only where the name stays:
    a changed replication; a retitled record's new secret shall be readable before the old one is gone.
    """
    wanted = version.urn if version else None
    inherited = (entry for entry in secret.inherited if entry.type == kind)
    return Options(
        provider=provider,
        ignore_changes=_ignored(secret) if kind == SECRET else (),
        delete_before_replace=secret.change is Change.REPLACE,
        retain_on_delete=options.retains(configuration),
        aliases=tuple(entry.urn for entry in inherited if kind == SECRET or entry.urn == wanted),
        # Not where the resource is one of the state: its version is known.
        import_=None if version else secret.imported(kind),
    )


def _ignored(secret: PlannedSecret) -> tuple[str, ...]:
    """Where a secret stays, so does its replication: its locations are the configuration's by then, while the keys and
    the order of the replicas, which the provider compares too, are their owner's.
    """
    anew = secret.change in (*NEW_NAMES, Change.REPLACE)
    return _OTHERS if anew else (*_OTHERS, _REPLICATION)


def keep(name: str, resources: Iterable[StateResource]) -> Iterator[Awaitable[Declared]]:
    """Register all resources of a configuration as the state holds them; see `Resources.keep`."""
    listed = list(resources)
    if any(resource.type == _PROVIDER for resource in listed):
        provider = gcp.Provider(name, opts=options.keeping_provider(name, listed))
        yield from options.keep_all(_KINDS, listed, name, reference(provider), None)


async def look(work: Work) -> Findings:
    """See `Resources.look`.

    One list for all names, since a project allows 600 reads a minute (GCP, Secret Manager quotas). A value is looked at
    where the secret is this stack's: a run that was cut off after it had added a version left one that the state does
    not know, and a second one would leave the first readable when the next value comes.
    """
    plan, target = work.plan, cast(GcpTarget, work.plan.target)
    questions = Questions.of(work, ABSENT, DENIED)
    secrets = wanted(plan, (*NEW_NAMES, *_NEW_VALUE))
    if not secrets and tries_identity(plan):
        await _check_identity(questions, plan, target)
    new = tuple(secret.name for secret in secrets if secret.change in NEW_NAMES)
    try:
        present = await _present(questions, target, plan.configuration.name_prefix) if new else {}
    except CloudDeniedError as error:
        return Findings(denied=new, refusal=str(error))

    async def find(secret: PlannedSecret) -> FoundSecret | None:
        if secret.change in _NEW_VALUE:
            version = await _version(questions, target, secret)
            return FoundSecret(tags=(), imports=version) if version else None
        entry = present.get(secret.name)
        if entry is None:
            return None
        tags = _marks(entry)
        imports = {(SECRET, ""): f"projects/{target.project}/secrets/{secret.name}"}
        if claim(plan, secret, tags, work.ownership) is Claim.FOREIGN:
            return FoundSecret(tags=(tags,), imports=imports)
        if obstacle := _elsewhere(entry, target):
            return FoundSecret(tags=(tags,), imports=imports, obstacle=obstacle)
        version = await _version(questions, target, secret)
        return FoundSecret(tags=(tags,), imports=imports | version, same_value=bool(version))

    async def mine(_: Findings) -> tuple[Marked, ...]:
        place = f"projects/{target.project}/secrets"
        listed = ((name, _marks(entry), f"{place}/{name}") for name, entry in present.items())
        return marked(listed, work.ownership)

    return await questions.look(work, secrets, find, mine)


async def _check_identity(questions: Questions, plan: ConfigurationPlan, target: GcpTarget) -> None:
    """Ask for a secret that is there, so that an identity that does not work shows before anything is written."""
    names = [secret.held.name for secret in plan.secrets if secret.held]
    names += [held.name for held in plan.deletions]
    with suppress(CloudDeniedError):
        arguments = {"project": target.project, "secretId": names[0]}
        await questions.ask("gcp:secretmanager/getSecret:getSecret", arguments)


def _elsewhere(secret: Mapping[str, Any], target: GcpTarget) -> Obstacle | None:
    """A secret whose replication is another than the configuration's: the engine would have to make it anew."""
    managed = [entry for listed in secret.get("replications") or [] for entry in listed.get("userManageds") or []]
    has = tuple(sorted(replica["location"] for entry in managed for replica in entry.get("replicas") or []))
    if has == target.replication:
        return None
    found = f"GCP holds it with the replication {worded(has)}, and the configuration's is {worded(target.replication)}"
    return Obstacle(
        found, "Replication cannot be changed: put the record into a configuration of its own with that one."
    )


def _marks(secret: Mapping[str, Any]) -> dict[str, str]:
    return {**(secret.get("labels") or {}), **(secret.get("annotations") or {})}


async def _present(questions: Questions, target: GcpTarget, prefix: str) -> Mapping[str, Mapping[str, Any]]:
    """The project's secrets by name; with a prefix, those whose names hold it."""
    arguments = {"project": target.project} | ({"filter": f"name:{prefix}"} if prefix else {})
    answer = await replace(questions, absent=_NEVER).ask("gcp:secretmanager/getSecrets:getSecrets", arguments) or {}
    return {str(entry["secretId"]): entry for entry in answer.get("secrets") or []}


async def _version(questions: Questions, target: GcpTarget, secret: PlannedSecret) -> dict[tuple[str, str], str]:
    """The latest version's ID, where it has the value that the plan gives and the state does not know it."""
    answer = await questions.ask(
        "gcp:secretmanager/getSecretVersion:getSecretVersion", {"project": target.project, "secret": secret.name}
    )
    # Numbers of versions mean something below one name only.
    present = (entry for entry in secret.present if secret.change in _NEW_VALUE and belongs(entry, secret.name))
    known = {entry.outputs.get("version") for entry in present}
    if not answer or answer.get("secretData") != secret.payload.value or answer.get("version") in known:
        return {}
    name = f"projects/{target.project}/secrets/{secret.name}/versions/{answer['version']}"
    return {(VERSION, ""): name}
