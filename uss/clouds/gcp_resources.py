"""The GCP resources of a plan, in Pulumi's terms. Imported only when there is something to declare on GCP.

A value that changes is a new SecretVersion under a logical name of its own (`v1`, `v2`, ...), which exists before the
engine deletes the versions that are no longer declared: `latest` can be read at every moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import pulumi
import pulumi_gcp as gcp

from uss.clouds.gcp import ANNOTATION, LABEL, SECRET, VERSION, GcpTarget, ordinal
from uss.clouds.interface import Declared, LogicalName, Tags
from uss.clouds.options import former_providers, keeping, retains
from uss.config import Configuration, OldVersions
from uss.plan import NEW_NAMES, Change, PlannedSecret
from uss.state import StateResource

if TYPE_CHECKING:
    from uss.plan import ConfigurationPlan

_PROVIDER = "pulumi:providers:gcp"
_NEW_CONTAINER = (*NEW_NAMES, Change.RECOVER, Change.ADOPT, Change.REPLACE)


def provider(plan: ConfigurationPlan, resources: Iterable[StateResource]) -> gcp.Provider:
    """Register the provider; see `Cloud.provider`."""
    target = cast(GcpTarget, plan.target)
    return gcp.Provider(
        plan.name,
        project=target.project,
        credentials=pulumi.Output.secret(target.credentials) if target.credentials else None,
        impersonate_service_account=target.impersonate,
        opts=pulumi.ResourceOptions(aliases=former_providers(plan.name, resources)),
    )


def declare(plan: ConfigurationPlan, provider: pulumi.ProviderResource) -> Declared:
    """Register the plan's secrets and the kept ones; see `Cloud.declare`."""
    target = cast(GcpTarget, plan.target)
    kept = [resource for held in plan.kept for resource in held.resources]
    _keep_resources(plan.name, kept, provider, plan.configuration)
    return Declared(
        {secret.record_uid: _declare_secret(secret, plan.configuration, target, provider) for secret in plan.secrets}
    )


def _declare_secret(
    secret: PlannedSecret, configuration: Configuration, target: GcpTarget, provider: pulumi.ProviderResource
) -> dict[str, Any]:
    container = gcp.secretmanager.Secret(
        str(LogicalName(configuration.name, secret.record_uid)),
        secret_id=secret.name,
        project=target.project,
        replication=_replication(target),
        labels=_part(secret.tags, LABEL),
        annotations=_part(secret.tags, ANNOTATION),
        deletion_protection=configuration.deletion_protection,
        opts=_options(secret, SECRET, configuration, provider),
    )
    held = sorted((entry for entry in secret.present if entry.type == VERSION), key=ordinal)
    current = ordinal(held[-1]) if held else 0
    same_value = secret.held is not None and secret.held.values == (secret.payload.value,)
    new_value = secret.change in _NEW_CONTAINER or not same_value
    number = current + 1 if new_value else current
    version = gcp.secretmanager.SecretVersion(
        str(LogicalName(configuration.name, secret.record_uid, f"v{number}")),
        secret=container.id,
        secret_data=pulumi.Output.secret(secret.payload.value),
        deletion_policy="DISABLE" if configuration.old_versions is OldVersions.DISABLE else "DELETE",
        opts=_options(secret, VERSION, configuration, provider, None if new_value else held[-1]),
    )
    if configuration.old_versions is OldVersions.KEEP and secret.change not in (*_NEW_CONTAINER, Change.TAKE_OVER):
        older = [entry for entry in held if number - configuration.keep_versions < ordinal(entry) < number]
        _keep_resources(configuration.name, older, provider, configuration)
    return {"id": container.name, "version": version.version}


def _replication(target: GcpTarget) -> gcp.secretmanager.SecretReplicationArgs:
    if not target.replication:
        return gcp.secretmanager.SecretReplicationArgs(auto=gcp.secretmanager.SecretReplicationAutoArgs())
    replicas = [
        gcp.secretmanager.SecretReplicationUserManagedReplicaArgs(location=location) for location in target.replication
    ]
    return gcp.secretmanager.SecretReplicationArgs(
        user_managed=gcp.secretmanager.SecretReplicationUserManagedArgs(replicas=replicas)
    )


def _part(tags: Tags, prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): value for key, value in tags.items() if key.startswith(prefix)}


def _options(
    secret: PlannedSecret,
    kind: str,
    configuration: Configuration,
    provider: pulumi.ProviderResource,
    version: StateResource | None = None,
) -> pulumi.ResourceOptions:
    """The provider would delete before it replaces, because the name is given. That is right only where the name stays:
    a changed replication; a retitled record's new secret shall be readable before the old one is gone.
    """
    wanted = version.urn if version else None
    inherited = (entry for entry in secret.inherited if entry.type == kind)
    aliases: list[str | pulumi.Alias] = [entry.urn for entry in inherited if kind == SECRET or entry.urn == wanted]
    return pulumi.ResourceOptions(
        provider=provider,
        delete_before_replace=secret.change is Change.REPLACE,
        retain_on_delete=retains(configuration),
        aliases=aliases,
        # Not where the resource is one of the state: its version is known.
        import_=None if version else secret.imported(kind),
    )


def keep(name: str, resources: Iterable[StateResource]) -> None:
    """Register all resources of a configuration as the state holds them; see `Cloud.keep`."""
    listed = list(resources)
    if any(resource.type == _PROVIDER for resource in listed):
        provider = gcp.Provider(
            name, opts=pulumi.ResourceOptions(ignore_changes=["*"], aliases=former_providers(name, listed))
        )
        _keep_resources(name, listed, provider, None)


def _keep_resources(
    name: str,
    resources: Iterable[StateResource],
    provider: pulumi.ProviderResource,
    configuration: Configuration | None,
) -> None:
    for resource in resources:
        logical, options = keeping(resource, name, provider, configuration)
        if resource.type == SECRET:
            replication = gcp.secretmanager.SecretReplicationArgs()
            gcp.secretmanager.Secret(logical, replication=replication, opts=options)
        elif resource.type == VERSION:
            gcp.secretmanager.SecretVersion(logical, secret="", opts=options)
