"""The provider protocol over gRPC: requests to a package's plain methods, and their outcomes back.

The engine opens a connection of its own for every provider instance (each explicit provider, and the default one) and
sends it that instance's configuration before anything else. Nothing else in a request tells which instance is meant:
so a configuration belongs to the connection it came on. A handshake opens every connection, so it also clears what an
earlier connection from the same port number left behind.
"""

# ruff: noqa: N802 - the protocol names the methods

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty

# Not the one of pulumi.runtime.proto: the two cannot be in one process, and Google's client brings this one.
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from uss.sandbox.providers.instances import Instances
from uss.sandbox.providers.interface import (
    ChangeKind,
    CheckRequest,
    ConfigT,
    Package,
    PartialFailureError,
    ProviderError,
    ResourceKind,
    property_of,
)
from uss.sandbox.providers.logs import EngineLog, telling
from uss.sandbox.providers.values import Decoded, decode, encode

_WORKERS = 32
_MAX_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit

_R = TypeVar("_R")
_Context = Any  # grpc.ServicerContext, which the generated stubs name as a class that does not exist at run time

_CHANGE_KINDS = {
    (ChangeKind.ADD, False): provider_pb2.PropertyDiff.ADD,
    (ChangeKind.ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (ChangeKind.DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (ChangeKind.DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (ChangeKind.UPDATE, False): provider_pb2.PropertyDiff.UPDATE,
    (ChangeKind.UPDATE, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


class _InitFailedError(Exception):
    """A partial failure, ready to be sent: what the engine is to keep in the state."""

    def __init__(self, detail: provider_pb2.ErrorResourceInitFailed) -> None:
        super().__init__()
        self.detail = detail


def _answering(method: Callable[[Any, Any, _Context], _R]) -> Callable[[Any, Any, _Context], _R]:
    """Turn what a method raises into a gRPC status. Only a `ProviderError`'s text is shown: others may hold values."""

    @functools.wraps(method)
    def answer(self: Any, request: Any, context: _Context) -> _R:
        try:
            with telling(self.logs.get(context.peer())):
                return method(self, request, context)
        except Exception as error:  # noqa: BLE001 - grpc would send the text of the exception, which may hold a value
            failure = error
        _abort(context, method.__name__, failure)

    return answer


def _abort(context: _Context, method: str, failure: Exception) -> NoReturn:
    code, text = grpc.StatusCode.UNKNOWN, str(failure)  # the code that the bridge of the real providers sends
    if isinstance(failure, _InitFailedError):
        text = failure.detail.reasons[0]
        context.set_trailing_metadata((("grpc-status-details-bin", _status(failure.detail).SerializeToString()),))
    elif not isinstance(failure, ProviderError):
        code, text = grpc.StatusCode.INTERNAL, _unexpected(method, failure)
    context.abort(code, text)
    raise failure  # never reached: `abort` ends the call by raising


def _status(detail: provider_pb2.ErrorResourceInitFailed) -> status_pb2.Status:
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=detail.reasons[0])
    status.details.add().Pack(detail)
    return status


def _unexpected(method: str, error: Exception) -> str:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "an unknown place"
    return f"the stand-in provider failed in {method}: {type(error).__name__} at {where}"


class ProviderServicer(provider_pb2_grpc.ResourceProviderServicer, Generic[ConfigT]):
    """Serves one package. What it does not implement, gRPC answers as unimplemented, which the engine takes well."""

    def __init__(self, package: Package[ConfigT]) -> None:
        self._package = package
        self.instances: Instances[ConfigT] = Instances(package.close)
        self.logs: Instances[EngineLog] = Instances(EngineLog.close)

    @_answering
    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: _Context
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Say what the provider understands."""
        self.instances.drop(context.peer())
        self.logs.put(context.peer(), EngineLog(request.engine_address))
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=True, accept_outputs=True, supports_autonaming_configuration=True
        )

    @_answering
    def Attach(self, request: plugin_pb2.PluginAttach, context: _Context) -> Empty:
        """Take note of the engine: nothing is asked of it."""
        return Empty()

    @_answering
    def Cancel(self, request: Empty, context: _Context) -> Empty:
        """Let running operations end: each is short."""
        return Empty()

    @_answering
    def GetPluginInfo(self, request: Empty, context: _Context) -> plugin_pb2.PluginInfo:
        """Answer with the version of the plugin stood in for."""
        return plugin_pb2.PluginInfo(version=self._package.version())

    @_answering
    def GetSchema(self, request: provider_pb2.GetSchemaRequest, context: _Context) -> provider_pb2.GetSchemaResponse:
        """Answer with a schema that names the package and nothing else: the engine needs no more."""
        return provider_pb2.GetSchemaResponse(
            schema=json.dumps({"name": self._package.name, "version": self._package.version()})
        )

    @_answering
    def CheckConfig(self, request: provider_pb2.CheckRequest, context: _Context) -> provider_pb2.CheckResponse:
        """Accept any configuration: `Configure` judges it, with the cloud's word."""
        return provider_pb2.CheckResponse(inputs=request.news)

    @_answering
    def DiffConfig(self, request: provider_pb2.DiffRequest, context: _Context) -> provider_pb2.DiffResponse:
        """Any change of a provider is an update, also one of its region (as of version 7 of the AWS provider)."""
        olds, news = decode(request.old_inputs).properties, decode(request.news).properties
        diffs = sorted(key for key in olds.keys() | news.keys() if olds.get(key) != news.get(key))
        changes = provider_pb2.DiffResponse.DIFF_SOME if diffs else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=changes, diffs=diffs)

    @_answering
    def Configure(self, request: provider_pb2.ConfigureRequest, context: _Context) -> provider_pb2.ConfigureResponse:
        """Set up the provider instance of this connection."""
        self.instances.put(context.peer(), self._package.configure(decode(request.args).properties))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            acceptResources=True,
            acceptOutputs=True,
            supportsPreview=True,
            supports_autonaming_configuration=True,
        )

    @_answering
    def Check(self, request: provider_pb2.CheckRequest, context: _Context) -> provider_pb2.CheckResponse:
        """Check a resource's inputs and fill in defaults."""
        naming = request.autonaming if request.HasField("autonaming") else None
        checked = self._kind(request.type).check(
            CheckRequest(
                news=decode(request.news).properties,
                olds=decode(request.olds).properties,
                name=request.name,
                seed=request.randomSeed,
                proposed_name=naming.proposed_name if naming else None,
                may_autoname=naming is None or naming.mode != provider_pb2.CheckRequest.AutonamingOptions.DISABLE,
            )
        )
        response = provider_pb2.CheckResponse(inputs=request.news)
        encode(checked.added, (), response.inputs)
        for key, reason in checked.failures:
            response.failures.add(property=key, reason=reason)
        return response

    @_answering
    def Diff(self, request: provider_pb2.DiffRequest, context: _Context) -> provider_pb2.DiffResponse:
        """Compare a resource's state with its new inputs."""
        difference = self._kind(request.type).diff(
            self._instance(context),
            decode(request.olds).properties,
            decode(request.news).properties,
            request.ignoreChanges,
        )
        if not difference.changes:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE, hasDetailedDiff=True)
        replaces = sorted({property_of(path) for path, change in difference.changes.items() if change.replaces})
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            diffs=sorted(difference.properties),
            replaces=replaces,
            deleteBeforeReplace=bool(replaces) and difference.delete_before_replace,
            hasDetailedDiff=True,
            detailedDiff={
                path: provider_pb2.PropertyDiff(kind=_CHANGE_KINDS[change.kind, change.replaces])
                for path, change in difference.changes.items()
            },
        )

    @_answering
    def Create(self, request: provider_pb2.CreateRequest, context: _Context) -> provider_pb2.CreateResponse:
        """Create a resource; in a preview, say what it would be."""
        kind, instance, inputs = self._kind(request.type), self._instance(context), decode(request.properties)
        secrets = _secret_outputs(kind, inputs)
        response = provider_pb2.CreateResponse()
        if request.preview:
            encode(kind.plan(instance, {}, inputs.properties), secrets, response.properties)
            return response
        try:
            response.id, outputs = kind.create(instance, inputs.properties)
        except PartialFailureError as failure:
            detail = provider_pb2.ErrorResourceInitFailed(id=failure.resource_id, reasons=[str(failure)])
            encode(failure.outputs, secrets, detail.properties)
            raise _InitFailedError(detail) from None
        encode(outputs, secrets, response.properties)
        return response

    @_answering
    def Read(self, request: provider_pb2.ReadRequest, context: _Context) -> provider_pb2.ReadResponse:
        """Read a resource for a refresh or an import; one that is gone has no ID."""
        kind, inputs, outputs = self._kind(request.type), decode(request.inputs), decode(request.properties)
        found = kind.read(self._instance(context), request.id, inputs.properties, outputs.properties)
        response = provider_pb2.ReadResponse()
        if found is None:
            return response
        response.id = found.resource_id
        secrets = _secret_outputs(kind, inputs) | outputs.secrets
        encode(found.outputs, secrets, response.properties)
        encode(found.inputs, secrets | inputs.secrets, response.inputs)
        return response

    @_answering
    def Update(self, request: provider_pb2.UpdateRequest, context: _Context) -> provider_pb2.UpdateResponse:
        """Change a resource in place; in a preview, say what it would be."""
        kind, instance = self._kind(request.type), self._instance(context)
        olds, news = decode(request.olds).properties, decode(request.news)
        if request.preview:
            outputs = kind.plan(instance, olds, news.properties)
        else:
            changed = kind.diff(instance, olds, news.properties, request.ignoreChanges).properties
            outputs = kind.update(instance, request.id, olds, news.properties, changed)
        response = provider_pb2.UpdateResponse()
        encode(outputs, _secret_outputs(kind, news), response.properties)
        return response

    @_answering
    def Delete(self, request: provider_pb2.DeleteRequest, context: _Context) -> Empty:
        """Delete a resource as its state says."""
        self._kind(request.type).delete(self._instance(context), request.id, decode(request.properties).properties)
        return Empty()

    @_answering
    def Invoke(self, request: provider_pb2.InvokeRequest, context: _Context) -> provider_pb2.InvokeResponse:
        """Call a function of the package."""
        function = self._package.functions.get(request.tok)
        if function is None:
            raise ProviderError(f"the stand-in provider has no function {request.tok}")
        result = function(self._instance(context), decode(request.args).properties)
        response = provider_pb2.InvokeResponse()
        encode(result, self._package.function_secrets, getattr(response, "return"))
        return response

    def _kind(self, token: str) -> ResourceKind[ConfigT]:
        kind = self._package.kinds.get(token)
        if kind is None:
            raise ProviderError(f"the stand-in provider has no resource {token}")
        return kind

    def _instance(self, context: _Context) -> ConfigT:
        instance = self.instances.get(context.peer())
        if instance is None:
            raise ProviderError(
                f"the provider '{self._package.name}' was not configured on this connection: run the command again"
            )
        return instance


def _secret_outputs(kind: ResourceKind[Any], inputs: Decoded) -> frozenset[str]:
    always = {key for key, rule in kind.rules.items() if rule.secret}
    derived = {output for output, source in kind.derived_secrets.items() if source in inputs.secrets}
    return (inputs.secrets - set(kind.plain_outputs)) | always | derived


@dataclass(frozen=True)
class RunningServer:
    """A package being served."""

    port: int
    server: grpc.Server
    servicer: ProviderServicer[Any]

    def stop(self) -> None:
        """Let running calls end for a second, then stop."""
        self.server.stop(grace=1).wait()
        self.servicer.instances.clear()
        self.servicer.logs.clear()


def serve(package: Package[Any]) -> RunningServer:
    """Serve a package on a free port of 127.0.0.1, until it is stopped."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=_WORKERS),
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ],
    )
    servicer = ProviderServicer(package)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return RunningServer(port, server, servicer)
