"""`gcp:secretmanager/secretVersion:SecretVersion`: one value of a secret, as the real provider keeps it.

Behaviour after terraform-provider-google, `resource_secret_manager_secret_version.go`. The write-only arguments are not
known here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from typing import Any, ClassVar

from google.cloud.secretmanager_v1 import types

from uss.sandbox.providers.gcp_errors import NOT_FOUND, GcpError, gcp_call
from uss.sandbox.providers.gcp_secret import moment
from uss.sandbox.providers.gcp_session import GcpSession
from uss.sandbox.providers.interface import PartialFailureError, ProviderError, ReadResult, ResourceKind, Rule
from uss.sandbox.providers.logs import debug
from uss.sandbox.providers.values import UNKNOWN, Properties

_POLICIES = {"DELETE", "DISABLE", "ABANDON", "PREVENT"}
_SECRET_NAME = re.compile(r"projects/[^/]+/secrets/[^/]+")
_NAME = re.compile(r"(?P<secret>projects/(?P<project>[^/]+)/secrets/[^/]+)/versions/(?P<version>[^/]+)")
_CREATING = "Error creating SecretVersion"
_READING = "Error reading SecretVersion"


class SecretVersion(ResourceKind[GcpSession]):
    """One value of a secret. A new value is a new version."""

    rules: ClassVar = {
        "deletionPolicy": Rule(default="DELETE"),
        "enabled": Rule(default=True),
        "isSecretDataBase64": Rule(replaces=True, default=False),
        "project": Rule(computed=True),
        "secret": Rule(required=True, replaces=True),
        "secretData": Rule(replaces=True, secret=True),
    }

    def faults(self, inputs: Properties) -> list[tuple[str, str]]:
        """Find a value that is no text, and settings that do not exist."""
        found = []
        data, policy = inputs.get("secretData"), inputs.get("deletionPolicy")
        if data is None:
            found.append(("secretData", "one of `secretData,secretDataWo` must be specified"))
        elif not isinstance(data, str):
            found.append(("secretData", "must be a string"))
        if policy != UNKNOWN and policy not in _POLICIES:
            found.append(("deletionPolicy", f"expected deletionPolicy to be one of {sorted(_POLICIES)}"))
        return found

    def same(self, key: str, old: Any, new: Any) -> bool:
        """Compare secrets by their names; a short name stands for the secret of any project."""
        if key == "secret" and isinstance(old, str) and isinstance(new, str) and "/" not in new:
            return old.rpartition("/")[2] == new
        return super().same(key, old, new)

    def plan(self, config: GcpSession, olds: Properties, news: Properties) -> Properties:
        """Return what is known before the update."""
        given = {key: news[key] for key in self.rules if news.get(key) is not None}
        if olds:
            return olds | given
        return dict.fromkeys(("id", "name", "version", "createTime", "destroyTime", "project"), UNKNOWN) | given

    def create(self, config: GcpSession, inputs: Properties) -> tuple[str, Properties]:
        """Add a version, enable or disable it, and read its value back, which may fail although the version exists."""
        data, secret = _data(inputs), str(inputs["secret"])
        if not _SECRET_NAME.fullmatch(secret):
            raise ProviderError(f"{_CREATING}: the secret must be named as projects/PROJECT/secrets/SECRET")
        request = {"parent": secret} | ({"payload": types.SecretPayload(data=data)} if data else {})
        payload = f'"payload":map[string]interface {{}}{{"data":"{base64.b64encode(data).decode()}"}}' if data else ""
        # With the value, as the real provider does.
        debug(f"[DEBUG] Creating new SecretVersion: map[string]interface {{}}{{{payload}}}")
        added = config.ask(_CREATING, config.client.add_secret_version, request, hidden=inputs.get("secretData") or "")
        with gcp_call(_CREATING):
            name = str(added.name)
        try:
            _switch(config, name, bool(inputs["enabled"]))
            found = _outputs(config, name, inputs)
            if found is None:
                raise ProviderError(f"{_CREATING}: {name} is gone")
            return name, found
        except ProviderError as error:
            known = {key: inputs.get(key) for key in self.rules} | _named(name)
            raise PartialFailureError(name, known, str(error)) from None

    def read(self, config: GcpSession, resource_id: str, inputs: Properties, outputs: Properties) -> ReadResult | None:
        """Read the version with its value; one that is destroyed is gone."""
        match = _NAME.fullmatch(resource_id)
        if not match:
            raise ProviderError(
                f"Version name {resource_id!r} does not fit the format projects/PROJECT/secrets/SECRET/versions/VERSION"
            )
        # An import knows of the secret what its ID says: the project's number stays one, as the ID has it.
        settings = outputs or {"secret": match["secret"], "deletionPolicy": "DELETE"}
        try:
            found = _outputs(config, outputs.get("name") or resource_id, settings)
        except GcpError as error:
            if error.code == NOT_FOUND:
                return None
            raise
        if found is None:
            return None
        return ReadResult(resource_id, found | {"id": resource_id}, self.live_inputs(found, inputs))

    def update(
        self, config: GcpSession, resource_id: str, olds: Properties, news: Properties, changed: Collection[str]
    ) -> Properties:
        """Enable or disable the version."""
        name = olds.get("name") or resource_id
        _switch(config, name, bool(news["enabled"]))
        found = _outputs(config, name, olds | news)
        if found is None:
            raise ProviderError(f"Error updating SecretVersion: {name} is destroyed")
        return found | {"id": resource_id}

    def delete(self, config: GcpSession, resource_id: str, outputs: Properties) -> None:
        """Destroy the version, or do as its deletion policy in the state says."""
        policy, name = outputs.get("deletionPolicy"), outputs.get("name") or resource_id
        if policy == "PREVENT":
            raise ProviderError(
                f'cannot destroy {name}: its deletionPolicy is "PREVENT" in the state; change it and run `pulumi up` '
                "first"
            )
        if policy == "ABANDON":
            return
        client = config.client
        method = client.disable_secret_version if policy == "DISABLE" else client.destroy_secret_version
        try:
            config.ask("Error when reading or editing SecretVersion", method, {"name": name})
        except GcpError as error:
            if error.code != NOT_FOUND:
                raise


def payload_text(data: bytes, as_base64: bool) -> str:
    """Return a payload as the provider shows it; bytes that are no text are replaced, as Go does."""
    return base64.b64encode(data).decode() if as_base64 else data.decode("utf-8", "replace")


def _data(inputs: Properties) -> bytes:
    text = inputs.get("secretData") or ""
    if not inputs.get("isSecretDataBase64"):
        return str(text).encode()
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        reason = "googleapi: Error 400: Invalid value at 'payload.data' (TYPE_BYTES), Base64 decoding failed"
        raise GcpError(_CREATING, reason, 400) from None


def _switch(config: GcpSession, name: str, enabled: bool) -> None:
    method = config.client.enable_secret_version if enabled else config.client.disable_secret_version
    config.ask("", method, {"name": name})


def _named(name: str) -> Properties:
    match = _NAME.fullmatch(name)
    return {"id": name, "name": name, "version": match["version"] if match else ""}


def _outputs(config: GcpSession, name: str, settings: Properties) -> Properties | None:
    """Read a version, None if it is destroyed. A disabled one has the value that `settings` know of it."""
    version = config.ask(_READING, config.client.get_secret_version, {"name": name})
    with gcp_call(_READING):
        state, full_name = version.state, str(version.name)
        created = moment(version.create_time)
    if state == types.SecretVersion.State.DESTROYED:
        return None
    enabled, as_base64 = state == types.SecretVersion.State.ENABLED, bool(settings.get("isSecretDataBase64"))
    data = settings.get("secretData")
    if enabled:
        accessed = config.ask(_READING, config.client.access_secret_version, {"name": name})
        with gcp_call(_READING):
            data = payload_text(accessed.payload.data, as_base64)
    return _named(full_name) | {
        "createTime": created,
        "destroyTime": "",
        "enabled": enabled,
        "secret": settings.get("secret"),
        "secretData": data,
        "isSecretDataBase64": as_base64,
        "deletionPolicy": settings.get("deletionPolicy") or "DELETE",
        "project": settings.get("project") or config.config.project,
    }
