"""Pulumi's property values on the wire, and as plain Python values.

Resource kinds see plain values only. Which top-level properties held a secret is kept beside them and put back on
what is answered, as the engine does for providers that know no secrets. An unknown value stays what it is on the
wire: the string `UNKNOWN`.

The signatures are those of the Pulumi protocol (https://pulumi-developer-docs.readthedocs.io, "Property values").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

Properties = dict[str, Any]
"""Property names and plain values: None, bool, int, float, str, lists and dicts of these."""

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""A value that is not known before the update."""

_SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's mark of a secret, not a secret
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


@dataclass(frozen=True)
class Decoded:
    """Plain properties, and the names of those that hold a secret at any depth."""

    properties: Properties = field(repr=False)
    secrets: frozenset[str]


def decode(struct: Struct) -> Decoded:
    """Return the properties of a message as plain values."""
    properties: Properties = {}
    secrets: set[str] = set()
    for key, value in struct.fields.items():
        found: list[bool] = []
        properties[key] = _plain(value, found)
        if found:
            secrets.add(key)
    return Decoded(properties, frozenset(secrets))


def encode(properties: Mapping[str, Any], secrets: Collection[str], into: Struct) -> None:
    """Write plain properties into a message, those named in `secrets` as secrets; one that is None is left out."""
    for key, value in properties.items():
        if value is None:
            continue
        _write(into.fields[key], {_SIGNATURE_KEY: _SECRET, "value": value} if key in secrets else value)


def contains_unknown(value: Any) -> bool:
    """Tell whether a value is, or holds at any depth, one that is not known yet."""
    if isinstance(value, dict):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    return bool(value == UNKNOWN)


def _plain(value: Value, found: list[bool]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_plain(item, found) for item in value.list_value.values]
    if kind == "struct_value":
        return _plain_struct(value.struct_value, found)
    return None


def _plain_struct(struct: Struct, found: list[bool]) -> Any:
    fields = struct.fields
    signature = fields[_SIGNATURE_KEY].string_value if _SIGNATURE_KEY in fields else None
    if signature == _SECRET:
        found.append(True)
        return _plain(fields["value"], found)
    if signature == _OUTPUT:
        if "secret" in fields and fields["secret"].bool_value:
            found.append(True)
        return _plain(fields["value"], found) if "value" in fields else UNKNOWN
    if signature == _RESOURCE:
        return _plain(fields["id"], found) if "id" in fields else UNKNOWN
    return {key: _plain(item, found) for key, item in fields.items()}


def _write(target: Value, value: Any) -> None:
    if value is None:
        target.null_value = 0  # type: ignore[assignment]  # the stubs want the enum's type, whose one value is 0
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, dict):
        target.struct_value.SetInParent()
        for key, item in value.items():
            _write(target.struct_value.fields[key], item)
    else:
        target.list_value.SetInParent()
        for item in value:
            _write(target.list_value.values.add(), item)
