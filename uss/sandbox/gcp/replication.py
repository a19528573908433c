"""Where Secret Manager keeps a secret's payloads, and with whose keys it encrypts them (CMEK).

Source: google.cloud.secretmanager.v1, `Replication`, `CustomerManagedEncryption` and `ReplicationStatus`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from uss.sandbox.gcp.exceptions import InvalidArgumentError

_FIELD = "secret.replication"
_GLOBAL = "global"
"""Where the key of an automatic replication is."""
_LOCATION = re.compile(r"[a-z]+(?:-[a-z0-9]+)*")
_KEY = re.compile(r"projects/[^/]+/locations/(?P<location>[^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")


@dataclass(frozen=True)
class Replication:
    """A secret's replication."""

    locations: tuple[str, ...] | None
    """Those of a user-managed replication, in the order in which they were given; None for an automatic one."""
    keys: Mapping[str, str]
    """The customer's keys by location; Google's own is used where there is none."""

    def describe(self) -> dict[str, Any]:
        """Return it as a secret shows it."""
        return self._shown(lambda key: {"kmsKeyName": key})

    def status(self) -> dict[str, Any]:
        """Return it as a version shows it that is added now."""
        return self._shown(lambda key: {"kmsKeyVersionName": f"{key}/cryptoKeyVersions/1"})

    def _shown(self, key_as: Any) -> dict[str, Any]:
        def encryption(location: str) -> dict[str, Any]:
            key = self.keys.get(location)
            return {"customerManagedEncryption": key_as(key)} if key else {}

        if self.locations is None:
            return {"automatic": encryption(_GLOBAL)}
        replicas = [{"location": location} | encryption(location) for location in self.locations]
        return {"userManaged": {"replicas": replicas}}


def read_replication(value: Any) -> Replication:
    """Return a replication that says where and with which keys; refuse what says neither."""
    if not isinstance(value, Mapping) or not value:
        raise InvalidArgumentError(f"Field [{_FIELD}] is required.")
    if len(value) != 1 or not value.keys() <= {"automatic", "userManaged"}:
        raise InvalidArgumentError(f"Field [{_FIELD}] must be one of automatic and user_managed.")
    if "automatic" in value:
        return Replication(None, _keys({_GLOBAL: _message(value["automatic"])}))
    listed = _message(value["userManaged"]).get("replicas") or []
    replicas = {str(_message(replica).get("location") or ""): replica for replica in listed}
    if not replicas or len(replicas) != len(listed) or not all(map(_LOCATION.fullmatch, replicas)):
        raise InvalidArgumentError(f"Field [{_FIELD}.user_managed.replicas] must name locations, each once.")
    return Replication(tuple(replicas), _keys(replicas))


def _message(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(f"Invalid value at '{_FIELD}': expected an object.")
    return value


def _keys(holders: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for location, holder in holders.items():
        if "customerManagedEncryption" not in holder:
            continue
        key = str(_message(holder["customerManagedEncryption"]).get("kmsKeyName") or "")
        match = _KEY.fullmatch(key)
        if not match:
            raise InvalidArgumentError(
                "Field [customer_managed_encryption.kms_key_name] must be of the form "
                "projects/*/locations/*/keyRings/*/cryptoKeys/*."
            )
        if match["location"] != location:
            raise InvalidArgumentError(f"The KMS key [{key}] must be in the location [{location}].")
        found[location] = key
    return found
