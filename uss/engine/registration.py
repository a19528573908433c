"""Registering the resources of which there are as many as records.

Pulumi's SDK makes an Output for every property of a resource, with futures, tasks and a place among all that the
program waits for at its end, so that a program may be written as if everything were known at once. The sync knows the
order of its few calls, and reads two or three properties. So it asks the engine itself, by the protocol that every SDK
speaks (Pulumi, `resource.proto`: RegisterResource), with the types and inputs of the providers' schemas; see
docs/notes/0015. `tests/sync/test_registration.py` holds what comes of it against the SDK's own classes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import pulumi
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc, settings
from pulumi.runtime.proto import alias_pb2, resource_pb2

from uss.errors import RegistrationError

UNKNOWN = rpc.UNKNOWN
"""Stands for a value that only the cloud will give, wherever one can stand."""
_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""How the engine's protocol marks a value as a secret (Pulumi, `resource.SigKey` and `resource.SecretSig`)."""


@dataclass(frozen=True)
class Kind:
    """A type of resource, and its properties in the provider's schema."""

    type: str
    reads: tuple[str, ...] = ()
    """Outputs that the sync reads, besides the ID."""
    secret: tuple[str, ...] = ()
    """Outputs that the SDK tells the engine to keep as secrets, whatever the provider says of them."""


@dataclass(frozen=True)
class Options:
    """How the engine is to treat a resource; the terms are those of Pulumi's resource options."""

    provider: Awaitable[str]
    """The reference of its provider, which many resources wait for: see `reference`."""
    ignore_changes: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    """None: as the provider says."""
    retain_on_delete: bool = False
    depends_on: tuple[str, ...] = ()
    """URNs, as are `aliases`."""
    aliases: tuple[str, ...] = ()
    import_: str | None = None


@dataclass(frozen=True)
class Registered:
    """What the engine answered. What is not known yet is `UNKNOWN`."""

    urn: str
    id: str
    outputs: Mapping[str, Any] = field(repr=False)
    """Those that the kind reads, by their names in the provider's schema; None for one that there is not."""


@dataclass(frozen=True)
class Secret:
    """An input that neither the state nor a line of output may show."""

    value: str = field(repr=False)


Input = str | bool | int | Mapping[str, Any] | list[Any] | Secret | Registered | None
"""A `Registered` stands for its ID, on which the resource then depends; for None nothing is given."""


def reference(provider: pulumi.ProviderResource) -> asyncio.Future[str]:
    """Return what names the provider in a registration, once the engine has answered it."""

    async def answered() -> str:
        return f"{await provider.urn.future()}::{await provider.id.future() or UNKNOWN}"

    return asyncio.ensure_future(answered())


async def register(kind: Kind, name: str, inputs: Mapping[str, Input], options: Options) -> Registered:
    """Register a resource under a logical name, and return the engine's answer. `inputs` have the names of the
    provider's schema.

    Raises `RegistrationError`, and what Pulumi's SDK raises when the engine ends without an answer, as it does after a
    failure.
    """
    given = {key: value for key, value in inputs.items() if value is not None}
    links = {key: [value.urn] for key, value in given.items() if isinstance(value, Registered)}
    request = resource_pb2.RegisterResourceRequest(
        type=kind.type,
        name=name,
        parent=await _parent(),
        custom=True,
        object=_struct(given),
        provider=await options.provider,
        dependencies=sorted({*options.depends_on, *(urn for urns in links.values() for urn in urns)} - {""}),
        propertyDependencies={
            key: resource_pb2.RegisterResourceRequest.PropertyDependencies(urns=links.get(key, [])) for key in given
        },
        deleteBeforeReplace=bool(options.delete_before_replace),
        deleteBeforeReplaceDefined=options.delete_before_replace is not None,
        ignoreChanges=options.ignore_changes,
        additionalSecretOutputs=kind.secret,
        importId=options.import_ or "",
        aliases=[alias_pb2.Alias(urn=urn) for urn in options.aliases],
        retainOnDelete=options.retain_on_delete,
        acceptSecrets=True,
        acceptResources=True,
        supportsPartialValues=True,
        supportsResultReporting=True,
    )
    answer = await asyncio.get_running_loop().run_in_executor(None, _call, settings.get_monitor(), request)
    if answer.result != resource_pb2.Result.SUCCESS:
        raise RegistrationError(name)
    return _registered(kind, answer)


async def _parent() -> str:
    """Whatever a program declares belongs to the stack."""
    stack = settings.get_root_resource()
    return (await stack.urn.future() if stack else None) or ""


def _call(monitor: Any, request: resource_pb2.RegisterResourceRequest) -> Any:
    try:
        return monitor.RegisterResource(request)
    except grpc.RpcError as error:
        settings.handle_grpc_error(error)


def _registered(kind: Kind, answer: Any) -> Registered:
    found = answer.object.fields
    absent = UNKNOWN if answer.unknown or settings.is_dry_run() else None
    read = {key: _opened(json_format.MessageToDict(found[key])) for key in kind.reads if key in found}
    outputs = {key: absent if read.get(key) is None else read[key] for key in kind.reads}
    return Registered(answer.urn, answer.id or UNKNOWN, outputs)


def _opened(value: Any) -> Any:
    """What the sync reads is no secret, also where something beside it makes the whole property one."""
    if isinstance(value, list):
        return [_opened(entry) for entry in value]
    if isinstance(value, dict):
        return _opened(value["value"]) if _SIGNATURE in value else {key: _opened(value[key]) for key in value}
    return value


def _plain(value: Input) -> Any:
    if isinstance(value, Registered):
        return value.id
    if isinstance(value, Secret):
        return {_SIGNATURE: _SECRET, "value": value.value}
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items() if entry is not None}
    return value


def _struct(values: Mapping[str, Input]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(_plain(values))
    return struct
