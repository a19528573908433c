"""`gcp:secretmanager/secretVersion:SecretVersion`, as the real provider keeps it: after terraform-provider-google's
`resource_secret_manager_secret_version.go` and the Secret Manager API reference.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, ClassVar

from google.cloud.secretmanager_v1 import types

from uss.sandbox.providers.gcp_secret import NOT_FOUND
from uss.sandbox.providers.gcp_session import RETRY, GcpError, GcpSession, gcp_call, moment
from uss.sandbox.providers.interface import PartialFailureError, ProviderError, ReadResult, ResourceKind, Rule
from uss.sandbox.providers.values import UNKNOWN, Properties

_NAME = re.compile(r"projects/[^/]+/secrets/[^/]+/versions/\d+")
_POLICIES = ("DELETE", "DISABLE", "ABANDON", "PREVENT")


class SecretVersion(ResourceKind[GcpSession]):
    """One value of a secret."""

    rules: ClassVar = {
        "secret": Rule(required=True, replaces=True),
        "secretData": Rule(replaces=True, secret=True),
        "enabled": Rule(default=True),
        "deletionPolicy": Rule(default="DELETE"),
    }

    def faults(self, inputs: Properties) -> list[tuple[str, str]]:
        """Find a value that is not text, and a policy that does not exist."""
        found = []
        if not isinstance(inputs.get("secretData"), str | None):
            found.append(("secretData", "must be a string"))
        if inputs.get("deletionPolicy") not in (*_POLICIES, None, UNKNOWN):
            found.append(("deletionPolicy", f"must be one of {', '.join(_POLICIES)}"))
        return found

    def plan(self, config: GcpSession, olds: Properties, news: Properties) -> Properties:
        """Return what is known before the update."""
        given = {key: news[key] for key in self.rules if news.get(key) is not None}
        return (olds or dict.fromkeys(("id", "name", "version", "createTime", "destroyTime"), UNKNOWN)) | given

    def create(self, config: GcpSession, inputs: Properties) -> tuple[str, Properties]:
        """Add the version, bring it into the state asked for, and read its value back, in this order."""
        secret, client = inputs["secret"], config.client
        with gcp_call(f"Error creating SecretVersion of {secret}"):
            payload = types.SecretPayload(data=str(inputs.get("secretData") or "").encode())
            added = client.add_secret_version(request={"parent": secret, "payload": payload}, retry=RETRY)
        known = {"id": added.name, "name": added.name, "version": added.name.rpartition("/")[2]}
        try:
            self._switch(config, added.name, inputs.get("enabled", True))
            return added.name, self._read(config, added.name, inputs)
        except ProviderError as error:
            given = {key: inputs.get(key) for key in self.rules}
            raise PartialFailureError(added.name, given | known, str(error)) from None

    def read(self, config: GcpSession, resource_id: str, inputs: Properties, outputs: Properties) -> ReadResult | None:
        """Read the version with its value; one that is destroyed is gone."""
        if not _NAME.fullmatch(resource_id):
            raise ProviderError(f"unexpected format of ID ({resource_id}), expected projects/P/secrets/S/versions/N")
        try:
            found = self._read(config, resource_id, inputs or outputs)
        except GcpError as error:
            if error.code == NOT_FOUND:
                return None
            raise
        if found.pop("destroyed"):
            return None
        return ReadResult(resource_id, found, self.live_inputs(found, inputs))

    def update(
        self, config: GcpSession, resource_id: str, olds: Properties, news: Properties, changed: Collection[str]
    ) -> Properties:
        """Enable or disable the version; the deletion policy is the provider's own setting."""
        if "enabled" in changed:
            self._switch(config, resource_id, news.get("enabled", True))
        return olds | {key: news.get(key) for key in self.rules}

    def delete(self, config: GcpSession, resource_id: str, outputs: Properties) -> None:
        """Destroy the version, or what the policy of the state says."""
        policy = outputs.get("deletionPolicy") or "DELETE"
        if policy == "PREVENT":
            raise ProviderError(f"cannot destroy secret version {resource_id}: its deletion_policy is PREVENT")
        if policy == "ABANDON":
            return
        try:
            with gcp_call(f"Error deleting SecretVersion ({resource_id})"):
                if policy == "DISABLE":
                    config.client.disable_secret_version(request={"name": resource_id}, retry=RETRY)
                else:
                    config.client.destroy_secret_version(request={"name": resource_id}, retry=RETRY)
        except GcpError as error:
            if error.code != NOT_FOUND:
                raise

    def _switch(self, config: GcpSession, name: str, enabled: bool) -> None:
        with gcp_call(f"Error setting the state of SecretVersion ({name})"):
            if enabled:
                config.client.enable_secret_version(request={"name": name}, retry=RETRY)
            else:
                config.client.disable_secret_version(request={"name": name}, retry=RETRY)

    def _read(self, config: GcpSession, name: str, inputs: Properties) -> dict[str, Any]:
        with gcp_call(f"Error reading SecretVersion ({name})"):
            version = config.client.get_secret_version(request={"name": name}, retry=RETRY)
            enabled = version.state == types.SecretVersion.State.ENABLED
            data = inputs.get("secretData")
            if enabled:
                answer = config.client.access_secret_version(request={"name": name}, retry=RETRY)
                data = answer.payload.data.decode("utf-8", "replace")
        return {
            "id": name,
            "name": name,
            "version": name.rpartition("/")[2],
            "secret": inputs.get("secret") or name.partition("/versions/")[0],
            "secretData": data,
            "enabled": enabled,
            "deletionPolicy": inputs.get("deletionPolicy") or "DELETE",
            "createTime": moment(version.create_time),
            "destroyTime": "",
            "destroyed": version.state == types.SecretVersion.State.DESTROYED,
        }
