"""The Azure resources of a plan, in Pulumi's terms. Imported only when there is something to declare on Azure."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import pulumi
import pulumi_azure_native as azure

from uss.clouds.azure import SECRET, VAULT, AzureTarget, made_here, no_metadata_service, vault_logical_name
from uss.clouds.interface import Findings, FoundSecret, KeyVault, LogicalName, Marked, Obstacle, Ownership, marked
from uss.config import Configuration, mistake
from uss.engine.registration import UNKNOWN, Input, Kind, Options, Registered, Secret, reference, register
from uss.errors import CloudDeniedError, CloudError, ConfigurationError
from uss.planning.plan import NEW_NAMES, ConfigurationPlan, PlannedSecret
from uss.planning.settle import Claim, claim
from uss.resources import azure_metadata, options
from uss.resources.interface import Declared, Work
from uss.resources.looking import Questions, tries_identity, wanted
from uss.state import StateResource
from uss.text import shown

if TYPE_CHECKING:
    from uss.resources.azure_vault import DeletedEntry

_PROVIDER = "pulumi:providers:azure-native"
ABSENT = re.compile(r'Status=404 Code="(?!ResourceGroup|Subscription)\w*NotFound"')
"""Matches what the provider says when there is no such thing: Resource Manager's own word. Where a metadata service or
a proxy answers 404, nobody looked.
"""
DENIED = re.compile(r'Status=403 Code="AuthorizationFailed"')
"""Matches what it says when the identity may not ask: Resource Manager's word again."""
_NO_PLACE = re.compile(r'Status=404 Code="(ResourceGroup|Subscription)NotFound"')
"""Matches what it says when the place of the key vault is not there."""
_VAULTS = "/providers/Microsoft.KeyVault/vaults"
_OTHERS = ("properties.attributes.expires", "properties.attributes.notBefore")
"""What the sync says nothing of, and would otherwise take from a secret that it adopts."""
_SECRET = Kind(SECRET, reads=("properties",))
_VAULT = Kind(VAULT)
_ONLY_SHOWN = ("hsmPoolResourceId", "privateEndpointConnections", "provisioningState", "vaultUri")
"""Properties of a key vault that Azure alone sets."""
_PURGE = (
    "Purge it (`az keyvault secret purge`), wait until then, retitle the record; or list the record under `adopt` to "
    "bring it back and write to it."
)


def provider(plan: ConfigurationPlan, ownership: Ownership, resources: Iterable[StateResource]) -> azure.Provider:
    """Register the provider; see `Resources.provider`. Raises `ConfigurationError` for a managed identity that cannot
    be taken on here. Whether by a token or by the metadata service is the environment's to say: so the provider's
    inputs, which the state keeps, are the same on every machine.
    """
    target = cast(AzureTarget, plan.target)
    opts = pulumi.ResourceOptions(aliases=options.former_providers(plan.name, resources))
    if not target.managed_identity:
        secret = pulumi.Output.secret(target.client_secret) if target.client_secret else None
        return azure.Provider(
            plan.name,
            subscription_id=target.subscription,
            tenant_id=target.tenant,
            client_id=target.client_id,
            client_secret=secret,
            opts=opts,
        )
    if not azure_metadata.answers():
        raise no_metadata_service(plan.name)
    return azure.Provider(
        plan.name,
        subscription_id=target.subscription,
        tenant_id=target.tenant,
        use_msi=True,
        client_id=target.managed_identity,
        opts=opts,
    )


def declare(work: Work) -> Iterator[Awaitable[Declared]]:
    """Register the plan's secrets, the kept ones, and the key vault that the sync makes; see `Resources.declare`."""
    plan, target = work.plan, cast(AzureTarget, work.plan.target)
    identity = reference(work.provider)
    vault = None
    if plan.key_vault is not KeyVault.GIVEN:
        vault = asyncio.ensure_future(_declare_vault(work, _new_vault(plan, target, work.ownership)))
        yield _declared(vault)
    kept = [resource for held in plan.kept for resource in held.resources]
    yield from options.keep_all({SECRET: _SECRET}, kept, plan.name, identity, plan.configuration)
    for secret in plan.secrets:
        yield _declare_secret(secret, plan.configuration, target, identity, vault)


def _new_vault(plan: ConfigurationPlan, target: AzureTarget, ownership: Ownership) -> dict[str, Input]:
    """Return the inputs of a key vault that is to be made. What is left out, as the network, is Azure's default and its
    policies' to say.
    """
    location = plan.configuration.location
    if location is None:
        text = f"is missing, and the key vault {target.vault} has to be made. Say where, as in westeurope."
        raise mistake("the stack configuration", plan.name, "location", text)
    return {
        "resourceGroupName": target.resource_group,
        "vaultName": target.vault,
        "location": location,
        "properties": {
            "tenantId": target.tenant,
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
            "enableSoftDelete": True,
            # The service takes no false: the property is true or not there.
            "enablePurgeProtection": True if plan.configuration.purge_protection else None,
        },
        "tags": {"managed-by": "keeper-uss", "pulumi-project": ownership.project, "pulumi-stack": ownership.stack},
    }


async def _declare_vault(work: Work, inputs: Mapping[str, Input]) -> Registered:
    """Register the key vault that the sync makes.

    An update writes the whole of it, so it would open a key vault that somebody closed. So there is none: once it is
    there, its inputs are those that the state holds. But for purge protection, when that is turned on: then everything
    else is written as it is found.
    """
    plan, target = work.plan, cast(AzureTarget, work.plan.target)
    held = [entry for entry in work.resources if made_here(entry, target.vault)]
    ignored: tuple[str, ...] = ("*",)
    if held and plan.configuration.purge_protection and not _is_protected(held[0].outputs):
        there = await _vault(Questions.of(work, ABSENT, DENIED), target)
        if there is not None and not _is_protected(there):
            inputs, ignored = {**inputs, **_protected(there)}, ()
    logical = vault_logical_name(plan.name, target.vault)
    how = Options(
        provider=reference(work.provider),
        ignore_changes=ignored,
        # Whatever becomes of the program or the stack, a key vault outlives it.
        retain_on_delete=True,
        aliases=tuple(entry.urn for entry in held if entry.name != logical),
    )
    return await register(_VAULT, logical, inputs, how)


def _is_protected(vault: Mapping[str, Any]) -> bool:
    return bool((vault.get("properties") or {}).get("enablePurgeProtection"))


def _protected(vault: Mapping[str, Any]) -> dict[str, Input]:
    """Return the inputs of a key vault that stays as Resource Manager shows it, but for its purge protection."""
    properties = {key: value for key, value in vault["properties"].items() if key not in _ONLY_SHOWN}
    shown_as = {"location": vault.get("location"), "tags": vault.get("tags") or {}}
    return {**shown_as, "properties": {**properties, "enablePurgeProtection": True}}


async def _declared(vault: Awaitable[Registered]) -> Declared:
    await vault
    return Declared()


async def _declare_secret(
    secret: PlannedSecret,
    configuration: Configuration,
    target: AzureTarget,
    provider: Awaitable[str],
    vault: Awaitable[Registered] | None,
) -> Declared:
    inputs: dict[str, Input] = {
        "resourceGroupName": target.resource_group,
        "vaultName": target.vault,
        "secretName": secret.name,
        "properties": {
            "value": Secret(secret.payload.value),
            "contentType": secret.payload.content_type,
            # One that was disabled and is taken into a new state would stay unreadable.
            "attributes": {"enabled": True},
        },
        "tags": secret.tags,
    }
    how = Options(
        provider=provider,
        ignore_changes=_OTHERS,
        delete_before_replace=False,
        retain_on_delete=options.retains(configuration),
        depends_on=((await vault).urn,) if vault else (),
        aliases=tuple(resource.urn for resource in secret.inherited),
        import_=secret.imported(SECRET),
    )
    declared = await register(_SECRET, str(LogicalName(configuration.name, secret.record_uid)), inputs, how)
    outcome = {"id": declared.id, "version": _version(declared.outputs["properties"]), "vault": target.vault}
    return Declared(secret.record_uid, outcome)


def _version(properties: Any) -> str | None:
    if properties == UNKNOWN:
        return UNKNOWN
    uri = (properties or {}).get("secretUriWithVersion")
    return str(uri).rpartition("/")[2] if uri else None


def keep(name: str, resources: Iterable[StateResource]) -> Iterator[Awaitable[Declared]]:
    """Register all resources of a configuration as the state holds them; see `Resources.keep`."""
    listed = list(resources)
    if not any(resource.type == _PROVIDER for resource in listed):
        return
    provider = azure.Provider(name, opts=options.keeping_provider(name, listed))
    identity = reference(provider)
    yield from (_keep_vault(name, resource, identity) for resource in listed if resource.type == VAULT)
    yield from options.keep_all({SECRET: _SECRET}, listed, name, identity, None)


async def _keep_vault(name: str, resource: StateResource, provider: Awaitable[str]) -> Declared:
    logical = vault_logical_name(name, resource.name.partition("@")[2])
    how = Options(
        provider=provider,
        ignore_changes=("*",),
        retain_on_delete=True,
        aliases=(resource.urn,) if logical != resource.name else (),
    )
    await register(_VAULT, logical, {}, how)
    return Declared()


async def look(work: Work) -> Findings:
    """See `Resources.look`.

    The key vault, and in it the secrets, through Azure Resource Manager, whose right to read a secret the provider
    needs anyway. It never returns a value, so a secret that is recovered is written once more. What is deleted and can
    be recovered, the key vault itself tells.
    """
    plan, target = work.plan, cast(AzureTarget, work.plan.target)
    questions = Questions.of(work, ABSENT, DENIED)
    vault = {"resourceGroupName": target.resource_group, "vaultName": target.vault}
    ours = any(made_here(entry, target.vault) for entry in work.resources)
    secrets = wanted(plan, NEW_NAMES)
    if ours and not secrets and not tries_identity(plan):
        return Findings(key_vault=KeyVault.OURS)
    there: Mapping[str, Any] | None = {}
    with suppress(CloudDeniedError) if ours else nullcontext():
        there = await _vault(questions, target)
    if not ours and there is None:
        return Findings(key_vault=KeyVault.MISSING)
    inside = _Inside(target, str(((there or {}).get("properties") or {}).get("vaultUri") or ""))
    told = await inside.deleted() if secrets else {}
    deleted = told or {}

    async def find(secret: PlannedSecret) -> FoundSecret | None:
        answer = await questions.ask("azure-native:keyvault:getSecret", vault | {"secretName": secret.name})
        if answer is None:
            return _deleted(plan, secret, deleted.get(secret.name.lower()), work.ownership)
        return FoundSecret(tags=(answer.get("tags") or {},), imports={(SECRET, ""): str(answer["id"])})

    async def mine(_: Findings) -> tuple[Marked, ...]:
        return await inside.marked(work.ownership)

    findings = await questions.look(work, secrets, find, mine)
    return replace(findings, key_vault=KeyVault.OURS if ours else KeyVault.GIVEN, deleted_unseen=told is None)


async def _vault(questions: Questions, target: AzureTarget) -> Mapping[str, Any] | None:
    """Return the key vault as Resource Manager shows it, or None where there is none of this name.

    Raises `CloudError`, and `ConfigurationError` where there is no such resource group or subscription.
    """
    place = {"resourceGroupName": target.resource_group, "vaultName": target.vault}
    try:
        return await questions.ask("azure-native:keyvault:getVault", place)
    except CloudError as error:
        if match := _NO_PLACE.search(str(error)):
            raise _no_place(questions.configuration, target, match[1]) from error
        raise


def _no_place(configuration: str, target: AzureTarget, missing: str) -> ConfigurationError:
    group, subscription = shown(target.resource_group), shown(target.subscription)
    key, text = {
        "ResourceGroup": (
            "resourceGroup",
            f"found {group}, and the subscription {subscription} has no such resource group. Name the key vault's, or "
            "make this one first (`az group create`).",
        ),
        "Subscription": (
            "subscriptionId",
            f"found {subscription}, and Azure knows no such subscription. Name the key vault's, and its tenant.",
        ),
    }[missing]
    return mistake("the stack configuration or the PAM Configuration", configuration, key, text)


@dataclass(frozen=True)
class _Inside:
    """What the key vault at this address tells itself."""

    target: AzureTarget
    uri: str

    async def deleted(self) -> Mapping[str, DeletedEntry] | None:
        """Its deleted secrets by lower-case name; None where it does not tell."""
        from uss.resources import azure_vault  # noqa: PLC0415 - Microsoft's client takes half a second to import

        return await asyncio.to_thread(azure_vault.deleted_secrets, self.uri, self.target) if self.uri else None

    async def marked(self, ownership: Ownership) -> tuple[Marked, ...]:
        """Its secrets with this stack's marks."""
        from uss.resources import azure_vault  # noqa: PLC0415 - the same

        tags = await asyncio.to_thread(azure_vault.secret_tags, self.uri, self.target) if self.uri else {}
        place = f"/subscriptions/{self.target.subscription}/resourceGroups/{self.target.resource_group}"
        vault = f"{place}{_VAULTS}/{self.target.vault}"
        return marked(((name, marks, f"{vault}/secrets/{name}") for name, marks in tags.items()), ownership)


def _deleted(
    plan: ConfigurationPlan, secret: PlannedSecret, entry: DeletedEntry | None, ownership: Ownership
) -> FoundSecret | None:
    """A deleted secret in the name's way. The stack's own comes back with the name, as the provider does it."""
    if entry is None or ownership.record_of(entry.tags) is not None:
        return None
    if claim(plan, secret, entry.tags, ownership) is Claim.ADOPTED:
        return None
    until = f" until {entry.purged:%Y-%m-%d}" if entry.purged else ""
    found = f"the key vault keeps a deleted secret {shown(secret.name)}{until}, which this stack did not create"
    return FoundSecret(tags=(), imports={}, obstacle=Obstacle(found, _PURGE))
