"""The gate of the sandbox's Azure: faults first, then who calls, then quotas, then the service with its rights."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from uss.sandbox.azure import dataplane
from uss.sandbox.azure.arm import ArmResponses
from uss.sandbox.azure.exceptions import (
    ArmError,
    AzureError,
    EntraError,
    ImdsError,
    KeyVaultError,
    failed,
    reply,
    throttled,
)
from uss.sandbox.azure.identities import KEY_VAULT, RESOURCE_MANAGER, Identities, Identity
from uss.sandbox.azure.models import Directory, KeyVault, Subscription
from uss.sandbox.azure.urls import Call, Door, read_call
from uss.sandbox.faults import Fault, FaultBoard, FaultKind
from uss.sandbox.quotas import AzureLimits, Bucket, Quotas, Window
from uss.sandbox.vaultfile import Vault, VaultFileError
from uss.sandbox.wsgi import Response, hang_up, respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

log = logging.getLogger(__name__)

_GARBAGE = b'{"value": "\xff\xfe'
_LIFETIME_SECONDS = 3600
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_WINDOW_SECONDS = 10.0
_SUBSCRIPTION_FACTOR = 5


class Application:
    """The local Azure: one WSGI application for each door, on one state.

    `vault` returns the vault file as it is now, `address` gives a new key vault its own URL, and `url` returns that of
    Resource Manager and Entra ID, once it is served.
    """

    def __init__(
        self,
        vault: Callable[[], Vault],
        faults: FaultBoard,
        address: Callable[[str], str],
        url: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vault = vault
        self._faults = faults
        self._url = url
        self._known: Vault | None = None
        self._metadata_service = True
        self._limits = AzureLimits()
        self._quotas = Quotas(clock)
        self.identities = Identities()
        self.directory = Directory(address, self.identities.administrator.tenant)
        self._arm = ArmResponses(self.directory)
        self._lock = threading.RLock()

    def door(self, door: Door, served: str = "") -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
        """Return the WSGI application of a door; a vault's own port belongs to the vault of that lower-case name."""

        def serve(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            call = read_call(environ, door)
            fault = self._faults.meet("azure", call.name)
            if not self._is_there(door, served):
                hang_up(environ)
            return respond(environ, start_response, fault, lambda _: self._answer(call, served, fault), _GARBAGE)

        return serve

    def learn(self) -> None:
        """Take over the vault file if it has changed; one that cannot be used now changes nothing after the start."""
        with self._lock:
            try:
                vault = self._vault()
                if vault is self._known:
                    return
                self.directory.learn(vault)
            except VaultFileError as error:
                if self._known is None:
                    raise
                log.error("Azure stays as it was: %s", error)
                return
            self.identities.learn(
                vault, {subscription.tenant for subscription in self.directory.subscriptions.values()}
            )
            self._metadata_service = vault.clouds.azure.metadata_service
            self._limits = vault.clouds.azure.limits
            self._known = vault

    def home(self) -> Subscription | None:
        """Return the vault file's first subscription, if there is any."""
        with self._lock:
            return next(iter(self.directory.subscriptions.values()), None)

    def dump(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return every secret by vault and name."""
        with self._lock:
            return self.directory.dump()

    def _is_there(self, door: Door, served: str) -> bool:
        with self._lock:
            self.learn()
            if door is Door.METADATA:
                return self._metadata_service
            return door is not Door.VAULT or self.directory.find(served) is not None

    def _answer(self, call: Call, served: str, fault: Fault | None) -> Response:
        try:
            if fault and fault.kind is FaultKind.THROTTLED:
                raise throttled(call.service, max(math.ceil(fault.seconds), 1))
            if fault and fault.kind is FaultKind.ERROR:
                raise failed(call.service)
            with self._lock:
                return self._serve(call, served, denied=fault is not None and fault.kind is FaultKind.DENIED)
        except AzureError as error:
            return error.response()
        except Exception as error:  # noqa: BLE001 - a fault of ours is answered, without a value it may hold
            log.error("%s: %s inside the emulator", call.name, type(error).__name__)
            return failed(call.service).response()

    def _serve(self, call: Call, served: str, *, denied: bool) -> Response:
        match call.service:
            case "metadata":
                return self._metadata(call)
            case "entra":
                return self._entra(call, denied)
            case "imds":
                return self._imds(call, denied)
            case "arm":
                return self._manage(call, denied)
            case "keyvault":
                return self._open(call, self.directory.vaults[served], denied)
            case _:
                raise ArmError(404, "NotFound", f"The sandbox's Azure has no {call.method} {call.path}.")

    def _metadata(self, call: Call) -> Response:
        if call.operation == "resolveVault":
            # What the cloud's name service does: a vault is found by its name, whoever asks.
            vault = self.directory.find(call.names["vault"])
            if vault is None:
                raise ArmError(404, "NameNotFound", "No key vault has this name.")
            return reply({"vaultUri": f"{vault.uri}/"})
        authentication = {
            "loginEndpoint": self._url(),
            "audiences": list(RESOURCE_MANAGER),
            "tenant": "common",
            "identityProvider": "AAD",
        }
        suffixes = {"keyVaultDns": "vault.localhost"}
        url = self._url()
        return reply(
            {"name": "Sandbox", "resourceManager": url, "authentication": authentication, "suffixes": suffixes}
        )

    def _entra(self, call: Call, denied: bool) -> Response:
        tenant, form = call.names["tenant"], call.form
        if call.operation == "configuration":
            self.identities.check_tenant(tenant)
            return reply(_openid_configuration(f"{self._url()}/{tenant}"))
        if form.get("grant_type") != "client_credentials":
            raise EntraError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        resource, client_id = form.get("scope", "").removesuffix("/.default"), form.get("client_id", "")
        # A denied sign-in is told as that of a wrong secret, or of a token that is not trusted.
        if form.get("client_assertion_type") == _JWT_BEARER:
            assertion = "" if denied else form.get("client_assertion", "")
            token = self.identities.federate(tenant, client_id, assertion, resource)
        else:
            secret = "" if denied else form.get("client_secret", "")
            token = self.identities.sign_in(tenant, client_id, secret, resource)
        seconds = {"expires_in": _LIFETIME_SECONDS, "ext_expires_in": _LIFETIME_SECONDS}
        return reply({"token_type": "Bearer", **seconds, "access_token": token})

    def _imds(self, call: Call, denied: bool) -> Response:
        if not call.metadata:
            raise ImdsError(400, "invalid_request", "Required metadata header not specified")
        if denied:
            raise ImdsError(403, "forbidden", "The caller may not ask for tokens here.")
        if not call.query.get("resource"):
            raise ImdsError(400, "invalid_request", "Required query variable 'resource' is missing")
        token, client_id = self.identities.managed(call.query, call.query["resource"])
        return reply(
            {
                "access_token": token,
                "client_id": client_id,
                "expires_in": str(_LIFETIME_SECONDS),
                "expires_on": str(int(time.time()) + _LIFETIME_SECONDS),
                "resource": call.query["resource"],
                "token_type": "Bearer",
            }
        )

    def _manage(self, call: Call, denied: bool) -> Response:
        caller = self.identities.of_token(call.token or "", (*RESOURCE_MANAGER, self._url()))
        if caller is None:
            challenge = f'Bearer authorization_uri="{self._url()}/common", error="invalid_token"'
            code, text = (
                ("InvalidAuthenticationToken", "The access token is invalid.")
                if call.token
                else ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
            )
            raise ArmError(401, code, text, ("WWW-Authenticate", challenge))
        self._count(call, self._arm_quotas(call, caller))
        return self._arm.answer(call, caller, denied=denied)

    def _open(self, call: Call, vault: KeyVault, denied: bool) -> Response:
        caller = self.identities.of_token(call.token or "", (KEY_VAULT,))
        if caller is None or caller.tenant != vault.tenant:
            reason = "AKV10000: Request is missing a Bearer or PoP token."
            if caller is not None:
                issuer = "https://sts.windows.net/"
                reason = f"AKV10032: Invalid issuer. Expected {issuer}{vault.tenant}/, found {issuer}{caller.tenant}/."
            elif call.token:
                reason = "AKV10022: Invalid audience, or a token that is not valid."
            challenge = f'Bearer authorization="{self._url()}/{vault.tenant}", resource="{KEY_VAULT}"'
            raise KeyVaultError(401, "Unauthorized", reason, ("WWW-Authenticate", challenge))
        self._count(call, self._vault_quotas(vault, creates=call.operation == "setSecret"))
        dataplane.check_rights(vault, call, caller, denied=denied)
        return dataplane.HANDLERS[call.operation](vault, call)

    def _count(self, call: Call, quotas: list[Window | Bucket]) -> None:
        seconds = self._quotas.take(quotas)
        if seconds is not None:
            raise throttled(call.service, seconds)

    def _arm_quotas(self, call: Call, caller: Identity) -> list[Window | Bucket]:
        kinds = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
        kind = kinds.get(call.method, "writes")
        sizes = {
            "reads": self._limits.arm_reads,
            "writes": self._limits.arm_writes,
            "deletes": self._limits.arm_deletes,
        }
        quotas: list[Window | Bucket] = [
            Bucket((kind, caller.principal_id, call.names["subscription"].lower()), sizes[kind])
        ]
        vault = self.directory.find(call.names.get("vault", ""))
        if vault is not None and call.operation == "secrets.createOrUpdate":
            quotas += self._creations(vault)
        return quotas

    def _vault_quotas(self, vault: KeyVault, *, creates: bool) -> list[Window | Bucket]:
        calls = _windows("transactions", vault, self._limits.vault_transactions)
        return [*calls, *self._creations(vault)] if creates else calls

    def _creations(self, vault: KeyVault) -> list[Window | Bucket]:
        return _windows("creations", vault, self._limits.vault_creations)


def _windows(kind: str, vault: KeyVault, calls: int) -> list[Window | Bucket]:
    return [
        Window((kind, vault.name.lower()), calls, _WINDOW_SECONDS),
        Window((kind, vault.subscription, "all"), calls * _SUBSCRIPTION_FACTOR, _WINDOW_SECONDS),
    ]


def _openid_configuration(authority: str) -> dict[str, Any]:
    return {
        "issuer": f"{authority}/v2.0",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
