"""`gcp:secretmanager/secret:Secret`, as the real provider keeps it: after terraform-provider-google's
`resource_secret_manager_secret.go` and the Secret Manager API reference.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from google.cloud.secretmanager_v1 import types
from google.protobuf.field_mask_pb2 import FieldMask

from uss.sandbox.providers.gcp_session import RETRY, GcpError, GcpSession, gcp_call, moment
from uss.sandbox.providers.interface import Change, ProviderError, ReadResult, ResourceKind, Rule, change_kind
from uss.sandbox.providers.values import UNKNOWN, Properties, contains_unknown

NOT_FOUND = 404


class Secret(ResourceKind[GcpSession]):
    """A secret without its values."""

    rules: ClassVar = {
        "secretId": Rule(autoname=True, replaces=True),
        "project": Rule(replaces=True, computed=True),
        "replication": Rule(required=True, replaces=True),
        "labels": Rule(),
        "annotations": Rule(),
        "deletionProtection": Rule(default=False),
        "deletionPolicy": Rule(default="DELETE"),
    }

    def same(self, key: str, old: Any, new: Any) -> bool:
        """Compare replication by its locations, whatever their order."""
        if key == "replication" and not contains_unknown(new):
            return _locations(old) == _locations(new) and bool(old) == bool(new)
        return super().same(key, old, new)

    def derived_changes(self, config: GcpSession, olds: Properties, news: Properties) -> dict[str, Change]:
        """The effective labels follow the provider's default ones too."""
        wanted = config.default_labels | (news.get("labels") or {})
        held = olds.get("effectiveLabels") or {}
        return {} if held == wanted else {"effectiveLabels": Change(change_kind(held, wanted))}

    def plan(self, config: GcpSession, olds: Properties, news: Properties) -> Properties:
        """Return what is known before the update."""
        given = {key: news.get(key) for key in self.rules if news.get(key) is not None}
        if olds:
            return olds | given | _marks(config, news)
        unknown = dict.fromkeys(("id", "name", "createTime"), UNKNOWN)
        return unknown | {"project": config.project} | given | _marks(config, news)

    def create(self, config: GcpSession, inputs: Properties) -> tuple[str, Properties]:
        """Create the secret."""
        project, secret_id = inputs.get("project") or config.project, inputs["secretId"]
        secret = types.Secret(
            replication=_replication(inputs["replication"]),
            labels=config.default_labels | (inputs.get("labels") or {}),
            annotations=inputs.get("annotations") or {},
        )
        with gcp_call(f"Error creating Secret ({secret_id})"):
            request = types.CreateSecretRequest(parent=f"projects/{project}", secret_id=secret_id, secret=secret)
            created = config.client.create_secret(request=request, retry=RETRY)
        return created.name, self._outputs(config, created, inputs)

    def read(self, config: GcpSession, resource_id: str, inputs: Properties, outputs: Properties) -> ReadResult | None:
        """Read the secret; an import names it by its ID alone or with its project."""
        name = _full_name(config, resource_id)
        try:
            with gcp_call(f"Error reading Secret ({name})"):
                found = config.client.get_secret(request={"name": name}, retry=RETRY)
        except GcpError as error:
            if error.code == NOT_FOUND:
                return None
            raise
        read = self._outputs(config, found, inputs or outputs)
        return ReadResult(found.name, read, self.live_inputs(read, inputs))

    def update(
        self, config: GcpSession, resource_id: str, olds: Properties, news: Properties, changed: Collection[str]
    ) -> Properties:
        """Change labels and annotations; what else changes is the provider's own setting."""
        labels = config.default_labels | (news.get("labels") or {})
        secret = types.Secret(name=resource_id, labels=labels, annotations=news.get("annotations") or {})
        with gcp_call(f"Error updating Secret ({resource_id})"):
            mask = FieldMask(paths=["labels", "annotations"])
            updated = config.client.update_secret(request={"secret": secret, "update_mask": mask}, retry=RETRY)
        return self._outputs(config, updated, news)

    def delete(self, config: GcpSession, resource_id: str, outputs: Properties) -> None:
        """Delete the secret with all its versions, unless the state protects it."""
        if outputs.get("deletionProtection"):
            raise ProviderError(
                f"cannot destroy secret {resource_id} without setting deletion_protection=false and running `pulumi up`"
            )
        if outputs.get("deletionPolicy") == "PREVENT":
            raise ProviderError(f"cannot destroy secret {resource_id}: its deletion_policy is PREVENT")
        if outputs.get("deletionPolicy") == "ABANDON":
            return
        try:
            with gcp_call(f"Error deleting Secret ({resource_id})"):
                config.client.delete_secret(request={"name": resource_id}, retry=RETRY)
        except GcpError as error:
            if error.code != NOT_FOUND:
                raise

    def _outputs(self, config: GcpSession, secret: types.Secret, inputs: Properties) -> Properties:
        _, project, _, secret_id = secret.name.split("/")
        labels, annotations = dict(secret.labels), dict(secret.annotations)
        # Labels and annotations are not authoritative: those of others are there and not managed.
        own = inputs.get("labels") or {}
        return {
            "id": secret.name,
            "name": secret.name,
            "secretId": secret_id,
            "project": project,
            "replication": _written(secret.replication),
            "labels": {key: value for key, value in labels.items() if key in own},
            "pulumiLabels": config.default_labels | {key: value for key, value in labels.items() if key in own},
            "effectiveLabels": labels,
            "annotations": {k: v for k, v in annotations.items() if k in (inputs.get("annotations") or {})},
            "effectiveAnnotations": annotations,
            "createTime": moment(secret.create_time),
            "deletionProtection": bool(inputs.get("deletionProtection")),
            "deletionPolicy": inputs.get("deletionPolicy") or "DELETE",
        }


def _marks(config: GcpSession, news: Properties) -> Properties:
    labels = config.default_labels | (news.get("labels") or {})
    return {"effectiveLabels": labels, "pulumiLabels": labels, "effectiveAnnotations": news.get("annotations") or {}}


def _locations(replication: Any) -> list[str]:
    replicas = ((replication or {}).get("userManaged") or {}).get("replicas") or []
    return sorted(replica["location"] for replica in replicas)


def _replication(given: Any) -> types.Replication:
    locations = [{"location": location} for location in _locations(given)]
    if locations:
        return types.Replication(user_managed={"replicas": locations})
    return types.Replication(automatic={})


def _written(replication: types.Replication) -> Properties:
    locations = [{"location": replica.location} for replica in replication.user_managed.replicas]
    return {"userManaged": {"replicas": locations}} if locations else {"auto": {}}


def _full_name(config: GcpSession, resource_id: str) -> str:
    if resource_id.startswith("projects/"):
        return resource_id
    project, _, secret_id = resource_id.rpartition("/")
    return f"projects/{project or config.project}/secrets/{secret_id}"
