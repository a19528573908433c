"""The gate before moto's server: faults, then who calls, then what they may do, then moto, then moto's slips mended."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import EnvironHeaders
from werkzeug.test import run_wsgi_app

from uss.sandbox.aws.exceptions import (
    AccessDeniedError,
    Answer,
    AwsError,
    InternalFailureError,
    MissingAuthenticationError,
    ThrottledError,
    UnknownOperationError,
)
from uss.sandbox.aws.models import Identities, Secrets
from uss.sandbox.aws.urls import SERVICES, Call, read_call
from uss.sandbox.faults import FaultBoard, FaultKind
from uss.sandbox.wsgi import Response, respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log = logging.getLogger(__name__)

_REFUSALS: dict[FaultKind, type[AwsError]] = {
    FaultKind.DENIED: AccessDeniedError,
    FaultKind.THROTTLED: ThrottledError,
    FaultKind.ERROR: InternalFailureError,
}
_BY_TOKEN = "sts:AssumeRoleWithWebIdentity"  # noqa: S105 - an action
"""The one call that nobody signs."""
_GARBAGE = b'{"ARN": "\xff\xfe<Credentials>'
"""Neither UTF-8 nor JSON nor XML."""


class Gate:
    """A WSGI application that lets through to moto what AWS would let through."""

    def __init__(self, moto: WSGIApplication, identities: Identities, secrets: Secrets, faults: FaultBoard) -> None:
        self._moto = moto
        self._identities = identities
        self._secrets = secrets
        self._faults = faults
        # moto's stores are plain dictionaries that its handlers iterate over: calls at the same time break them.
        self.lock = threading.RLock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        call = read_call(environ)
        fault = self._faults.meet("aws", call.action)
        return respond(environ, start_response, fault, lambda kind: self._response(call, kind, environ), _GARBAGE)

    def _response(self, call: Call, kind: FaultKind | None, environ: dict[str, Any]) -> Response:
        answer = self._answer(call, kind, environ)
        headers = ((name, value) for name, value in answer.headers if name.lower() not in {"content-length", "status"})
        return answer.status, tuple(headers), answer.body

    def _answer(self, call: Call, kind: FaultKind | None, environ: dict[str, Any]) -> Answer:
        try:
            if kind in _REFUSALS:
                raise _REFUSALS[kind]()
            with self.lock:
                return self._serve(call, environ)
        except AwsError as error:
            return error.answer(as_json=call.as_json, request_id=str(uuid.uuid4()))
        except Exception as error:  # noqa: BLE001  a fault inside moto is the service's own error, as in AWS
            log.error("%s: %s inside the emulator", call.action, type(error).__name__)
            return InternalFailureError().answer(as_json=call.as_json, request_id=str(uuid.uuid4()))

    def _serve(self, call: Call, environ: dict[str, Any]) -> Answer:
        by_token = call.action == _BY_TOKEN
        if call.access_key_id is None and not by_token:
            raise MissingAuthenticationError()
        if call.service not in SERVICES or not call.operation:
            raise UnknownOperationError(f"The sandbox has no {call.action}")
        identities = self._identities
        account = identities.admit(call) if by_token else identities.permit(call, environ, EnvironHeaders(environ))
        if call.service == "secretsmanager":
            self._secrets.check(call, account)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        answer = self._run_moto(environ)
        return self._mended(call, account, answer) if call.service == "secretsmanager" else answer

    def _run_moto(self, environ: dict[str, Any]) -> Answer:
        body, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        return Answer(int(status.split()[0]), tuple(headers.items()), b"".join(body))

    def _mended(self, call: Call, account: str, answer: Answer) -> Answer:
        """Mend what moto answers otherwise than Secrets Manager: 404 for a missing secret, a name as the ARN, and no
        primary region of a secret that has replicas.
        """
        if answer.status == 404:
            return replace(answer, status=400)
        content = json.loads(answer.body) if answer.status == 200 else {}
        if call.operation in ("DescribeSecret", "ListSecrets"):
            for secret in content.get("SecretList", (content,)):
                if secret.get("ReplicationStatus"):
                    secret.setdefault("PrimaryRegion", call.region)
        elif content.get("ARN", "arn:").startswith("arn:"):
            return answer
        else:
            content["ARN"] = self._secrets.arn(call, account)
        return replace(answer, body=json.dumps(content).encode()) if content else answer
