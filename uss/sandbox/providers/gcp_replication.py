"""The property `replication` of a Secret: where its payloads are, and with whose keys they are encrypted (CMEK).

Behaviour after terraform-provider-google, `resource_secret_manager_secret.go`: keys change in place, all else makes a
new secret of it, and replicas are compared one by one in their order. What is not set is null in the outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from google.cloud.secretmanager_v1 import types

from uss.sandbox.providers.interface import Change, ChangeKind
from uss.sandbox.providers.values import Properties

PROPERTY = "replication"
_ENCRYPTION = "customerManagedEncryption"


def changes(old: Any, new: Any) -> dict[str, Change]:
    """Return what differs, by the paths of the protocol, such as `replication.auto.customerManagedEncryption`."""
    return {
        path: Change(kind, replaces=f".{_ENCRYPTION}" not in path) for path, kind in _differences(PROPERTY, old, new)
    }


def message(replication: Properties) -> types.Replication:
    """Return a replication as the API takes it."""
    managed = replication.get("userManaged")
    if managed is None:
        return types.Replication(automatic=_encrypted(replication["auto"]))
    replicas = [{"location": replica["location"], **_encrypted(replica)} for replica in managed["replicas"]]
    return types.Replication(user_managed={"replicas": replicas})


def shown(replication: types.Replication) -> Properties:
    """Return a replication of the API as the outputs have it."""
    if "user_managed" in replication:
        listed = replication.user_managed.replicas
        replicas = [{"location": replica.location, _ENCRYPTION: _encryption(replica)} for replica in listed]
        return {"auto": None, "userManaged": {"replicas": replicas}}
    return {"auto": {_ENCRYPTION: _encryption(replication.automatic)}, "userManaged": None}


def live(found: Any, inputs: Any = None) -> Any:
    """Return the inputs for what was found: all that is set, or at a refresh what `inputs` set already."""
    if isinstance(found, list):
        return [live(entry, held) for entry, held in zip(found, inputs or [None] * len(found), strict=False)]
    if not isinstance(found, dict):
        return found
    present = {key: value for key, value in found.items() if value is not None and (inputs is None or key in inputs)}
    return {key: live(value, inputs and inputs[key]) for key, value in present.items()}


def _differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, ChangeKind]]:
    if old is None or new is None:
        if old is not new:
            yield path, ChangeKind.ADD if old is None else ChangeKind.DELETE
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(f"{path}.{key}", old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        for place, (before, after) in enumerate(zip_longest(old, new)):
            yield from _differences(f"{path}[{place}]", before, after)
    elif old != new:
        yield path, ChangeKind.UPDATE


def _encrypted(holder: Properties) -> Properties:
    encryption = holder.get(_ENCRYPTION)
    return {"customer_managed_encryption": {"kms_key_name": encryption["kmsKeyName"]}} if encryption else {}


def _encryption(holder: types.Replication.Automatic | types.Replication.UserManaged.Replica) -> Properties | None:
    key = holder.customer_managed_encryption.kms_key_name
    return {"kmsKeyName": key} if key else None
