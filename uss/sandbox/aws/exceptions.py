"""Refusals in AWS's own words.

    AwsError
    ├── AccessDeniedError, ThrottledError, InternalFailureError
    ├── MissingAuthenticationError, UnknownAccessKeyError, WrongSignatureError
    ├── UnknownOperationError, InvalidIdentityTokenError
    └── SecretsManagerError    the service's own exceptions, by code

The same refusal has one code in the JSON protocol (Secrets Manager) and another in the query protocol (STS, IAM): see
"Common Error Types" in the reference of each service.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Answer:
    """What goes back on the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class AwsError(Exception):
    """A refusal; the message is what AWS would tell the caller."""

    json_code: ClassVar[str]
    query_code: ClassVar[str]
    query_status: ClassVar[int] = 403
    status: ClassVar[int] = 400
    text: ClassVar[str] = ""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.text)

    def code_in_json(self) -> str:
        """Return the error's code in the JSON protocol."""
        return self.json_code

    def answer(self, *, as_json: bool, request_id: str) -> Answer:
        """Return the refusal as the JSON or the query protocol words it."""
        if as_json:
            body = json.dumps({"__type": self.code_in_json(), "message": str(self)})
            return Answer(self.status, _headers("application/x-amz-json-1.1", request_id), body.encode())
        side = "Receiver" if self.query_status >= 500 else "Sender"
        body = (
            f"<ErrorResponse><Error><Type>{side}</Type><Code>{self.query_code}</Code>"
            f"<Message>{escape(str(self))}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Answer(self.query_status, _headers("text/xml", request_id), body.encode())


def _headers(content_type: str, request_id: str) -> tuple[tuple[str, str], ...]:
    return (("Content-Type", content_type), ("x-amzn-RequestId", request_id))


class AccessDeniedError(AwsError):
    """The caller is known, and may not do this."""

    json_code = "AccessDeniedException"
    query_code = "AccessDenied"
    text = "User is not authorized to perform this operation"


class ThrottledError(AwsError):
    """Too many calls."""

    json_code = "ThrottlingException"
    query_code = "Throttling"
    query_status = 400
    text = "Rate exceeded"


class InternalFailureError(AwsError):
    """The service failed."""

    json_code = "InternalServiceError"
    query_code = "InternalFailure"
    query_status = 500
    status = 500
    text = "An error occurred on the server side."


class MissingAuthenticationError(AwsError):
    """The request is not signed."""

    json_code = "MissingAuthenticationTokenException"
    query_code = "MissingAuthenticationToken"
    text = "Request is missing Authentication Token"


class UnknownAccessKeyError(AwsError):
    """Nobody has this access key, or the session token is not the key's."""

    json_code = "UnrecognizedClientException"
    query_code = "InvalidClientTokenId"
    text = "The security token included in the request is invalid."


class WrongSignatureError(AwsError):
    """The request was signed with another secret key."""

    json_code = "InvalidSignatureException"
    query_code = "SignatureDoesNotMatch"
    text = (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    )


class UnknownOperationError(AwsError):
    """The sandbox has no such service, operation or region."""

    json_code = "UnknownOperationException"
    query_code = "InvalidAction"
    query_status = 400


class InvalidIdentityTokenError(AwsError):
    """The token of an AssumeRoleWithWebIdentity is not what it should be."""

    json_code = "InvalidIdentityTokenException"
    query_code = "InvalidIdentityToken"
    query_status = 400


class SecretsManagerError(AwsError):
    """One of Secrets Manager's own exceptions, which the JSON protocol alone carries."""

    query_code = "InvalidAction"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self._code = code

    def code_in_json(self) -> str:
        """Return the code that the service's reference lists."""
        return self._code
