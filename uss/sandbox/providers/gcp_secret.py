"""`gcp:secretmanager/secret:Secret`: the container of a secret's versions, as the real provider keeps it.

Behaviour after terraform-provider-google, `resource_secret_manager_secret.go`, and the Secret Manager API reference.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta
from typing import Any, ClassVar

from google.cloud.secretmanager_v1 import types

from uss.sandbox.providers import gcp_replication
from uss.sandbox.providers.gcp_errors import NOT_FOUND, GcpError, gcp_call
from uss.sandbox.providers.gcp_labels import merged, split
from uss.sandbox.providers.gcp_session import GcpSession
from uss.sandbox.providers.interface import (
    Change,
    ChangeKind,
    PartialFailureError,
    ProviderError,
    ReadResult,
    ResourceKind,
    Rule,
    change_kind,
)
from uss.sandbox.providers.values import UNKNOWN, Properties, contains_unknown

_IMPORT_IDS = (
    re.compile(r"projects/(?P<project>[^/]+)/secrets/(?P<secret>[^/]+)"),
    re.compile(r"(?P<project>[^/]+)/(?P<secret>[^/]+)"),
    re.compile(r"(?P<secret>[^/]+)"),
)
_SECONDS = re.compile(r"(\d+(?:\.\d{1,9})?)s")
_POLICIES = {"DELETE", "ABANDON", "PREVENT"}
_KINDS = ("auto", "userManaged")
_MASKS = {
    "effectiveLabels": "labels",
    "effectiveAnnotations": "annotations",
    "replication": "replication",
    "versionAliases": "version_aliases",
    "versionDestroyTtl": "version_destroy_ttl",
}
"""The outputs of which a change is sent to the cloud, and the field that it changes there."""


class Secret(ResourceKind[GcpSession]):
    """A secret without its values."""

    rules: ClassVar = {
        "annotations": Rule(),
        "deletionPolicy": Rule(computed=True),
        "deletionProtection": Rule(default=False),
        "labels": Rule(),
        "project": Rule(replaces=True, computed=True),
        "replication": Rule(required=True, replaces=True),
        "secretId": Rule(replaces=True, autoname=True),
        "versionAliases": Rule(),
        "versionDestroyTtl": Rule(),
    }
    derived_secrets: ClassVar = {
        "pulumiLabels": "labels",
        "effectiveLabels": "labels",
        "effectiveAnnotations": "annotations",
    }

    def faults(self, inputs: Properties) -> list[tuple[str, str]]:
        """Find a replication that is neither automatic nor user-managed, and settings that do not exist."""
        found = []
        replication, policy = inputs.get("replication"), inputs.get("deletionPolicy")
        if isinstance(replication, dict) and sum(replication.get(key) is not None for key in _KINDS) != 1:
            found.append(("replication", "one of `auto,userManaged` must be specified"))
        if policy not in (None, UNKNOWN) and policy not in _POLICIES:
            found.append(("deletionPolicy", f"expected deletionPolicy to be one of {sorted(_POLICIES)}"))
        ttl = inputs.get("versionDestroyTtl")
        if isinstance(ttl, str) and ttl not in ("", UNKNOWN) and not _SECONDS.fullmatch(ttl):
            found.append(("versionDestroyTtl", 'must be a duration in seconds, such as "86400s"'))
        return found

    def same(self, key: str, old: Any, new: Any) -> bool:
        """Compare inputs; a replication that is known is compared part by part in `derived_changes`."""
        return (key == "replication" and _comparable(old, new)) or super().same(key, old, new)

    def derived_changes(self, config: GcpSession, olds: Properties, news: Properties) -> dict[str, Change]:
        """Compare the replication's parts, all labels and annotations, and the project where the provider's holds."""
        before, after = olds.get("replication"), news.get("replication")
        changes = gcp_replication.changes(before, after) if _comparable(before, after) else {}
        changes |= {
            key: Change(change_kind(olds.get(key), new))
            for key, new in merged(config.config, olds, news).items()
            if not self.same(key, olds.get(key), new)
        }
        if not news.get("project") and config.project(news) != olds.get("project"):
            changes["project"] = Change(ChangeKind.UPDATE, replaces=True)
        return changes

    def plan(self, config: GcpSession, olds: Properties, news: Properties) -> Properties:
        """Return what is known before the update."""
        settled = {key: news[key] for key in self.rules if news.get(key) is not None}
        settled |= {"project": config.project(news)} | merged(config.config, olds, news)
        settled |= {"deletionPolicy": news.get("deletionPolicy") or config.config.deletion_policy}
        unknown = {key: olds.get(key) or UNKNOWN for key in ("id", "name", "createTime", "expireTime")}
        return unknown | settled

    def create(self, config: GcpSession, inputs: Properties) -> tuple[str, Properties]:
        """Create the secret, and read it."""
        project, secret_id = config.project(inputs), inputs["secretId"]
        planned = merged(config.config, {}, inputs)
        secret = _body(inputs, planned)
        with gcp_call("Error creating Secret"):
            secret.replication = gcp_replication.message(inputs["replication"])
        config.ask(
            "Error creating Secret",
            config.client.create_secret,
            {"parent": f"projects/{project}", "secret_id": secret_id, "secret": secret},
        )
        resource_id = f"projects/{project}/secrets/{secret_id}"
        try:
            return resource_id, _outputs(config, resource_id, inputs, planned)
        except ProviderError as error:
            known = {key: inputs.get(key) for key in self.rules} | planned
            known |= {"id": resource_id, "project": project}
            raise PartialFailureError(resource_id, known, str(error)) from error

    def read(self, config: GcpSession, resource_id: str, inputs: Properties, outputs: Properties) -> ReadResult | None:
        """Read the secret; at an import an ID without a project is one of the provider's."""
        full_id = _full_id(config, resource_id)
        try:
            found = _outputs(config, full_id, outputs, outputs)
        except GcpError as error:
            if error.code == NOT_FOUND:
                return None
            raise
        replication = gcp_replication.live(found["replication"], inputs.get("replication"))
        return ReadResult(full_id, found, self.live_inputs(found, inputs) | {"replication": replication})

    def update(
        self, config: GcpSession, resource_id: str, olds: Properties, news: Properties, changed: Collection[str]
    ) -> Properties:
        """Change labels, annotations, encryption, aliases and the delay of destructions; the rest is the provider's."""
        planned = merged(config.config, olds, news)
        mask = [field for output, field in _MASKS.items() if output in changed]
        if mask:
            secret = _body(news, planned)
            secret.name = resource_id
            if "replication" in mask:
                secret.replication = gcp_replication.message(news["replication"])
            config.ask(
                f'Error updating Secret "{resource_id}"',
                config.client.update_secret,
                {"secret": secret, "update_mask": {"paths": mask}},
            )
        return _outputs(config, resource_id, news, planned)

    def delete(self, config: GcpSession, resource_id: str, outputs: Properties) -> None:
        """Delete the secret with all versions, unless the state protects it."""
        policy = outputs.get("deletionPolicy")
        if outputs.get("deletionProtection"):
            raise ProviderError(
                "cannot destroy secretmanager secret without setting deletionProtection=false and running `pulumi up`"
            )
        if policy == "PREVENT":
            raise ProviderError(
                f'cannot destroy {resource_id}: its deletionPolicy is "PREVENT" in the state; change it and run '
                "`pulumi up` first"
            )
        if policy == "ABANDON":
            return
        try:
            config.ask("Error when reading or editing Secret", config.client.delete_secret, {"name": resource_id})
        except GcpError as error:
            if error.code != NOT_FOUND:
                raise


def secret_properties(secret: types.Secret) -> Properties:
    """Return what Google says of a secret, by the provider's property names, labels and annotations aside."""
    ttl: Any = secret.version_destroy_ttl  # a timedelta, whatever the library's types say
    return {
        "name": secret.name,
        "createTime": moment(secret.create_time),
        "expireTime": "",
        "replication": gcp_replication.shown(secret.replication),
        "versionAliases": {alias: str(number) for alias, number in secret.version_aliases.items()},
        "versionDestroyTtl": f"{int(ttl.total_seconds())}s" if ttl else "",
    }


def moment(when: Any) -> str:
    """Return a time of the library's own kind as Google writes it; an empty text for none."""
    return when.rfc3339() if when else ""


def _full_id(config: GcpSession, resource_id: str) -> str:
    for pattern in _IMPORT_IDS:
        if match := pattern.fullmatch(resource_id):
            project = match.groupdict().get("project") or config.project({})
            return f"projects/{project}/secrets/{match['secret']}"
    raise ProviderError(f"import id {resource_id!r} doesn't match projects/PROJECT/secrets/SECRET")


def _outputs(config: GcpSession, resource_id: str, settings: Properties, held: Properties) -> Properties:
    """Read a secret. `settings` tell what Google does not know; both tell whose labels and annotations are whose."""
    doing = f'Error when reading or editing SecretManagerSecret "{resource_id}"'
    secret = config.ask(doing, config.client.get_secret, {"name": resource_id})
    _, project, _, secret_id = resource_id.split("/")
    with gcp_call(doing):
        found = secret_properties(secret)
        found |= split(held, settings, dict(secret.labels), dict(secret.annotations))
    return found | {
        "id": resource_id,
        "project": project,
        "secretId": secret_id,
        "deletionProtection": bool(settings.get("deletionProtection")),
        "deletionPolicy": settings.get("deletionPolicy") or config.config.deletion_policy,
    }


def _body(inputs: Properties, planned: Properties) -> types.Secret:
    seconds = _SECONDS.fullmatch(inputs.get("versionDestroyTtl") or "")
    with gcp_call("Error in the secret's settings"):
        return types.Secret(
            labels=planned["effectiveLabels"],
            annotations=planned["effectiveAnnotations"],
            version_aliases={alias: int(number) for alias, number in (inputs.get("versionAliases") or {}).items()},
            version_destroy_ttl=timedelta(seconds=float(seconds[1])) if seconds else None,
        )


def _comparable(old: Any, new: Any) -> bool:
    return isinstance(old, dict) and isinstance(new, dict) and not contains_unknown(new)
