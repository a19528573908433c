"""How a provider instance of GCP gets its access tokens, and what the real provider says where it gets none.

A token is got with the first call that needs one, never before. The words are those of Google's libraries for Go,
`oauth2` for a key alone and `auth` below an impersonation, after recordings of the real provider.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError, TransportError

GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  a public address
_EXCHANGE_URI = "https://sts.googleapis.com/v1/token"
_GENERATE = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:generateAccessToken"

# Of a key that begins with dashes and is no whole PEM: its own bytes, read as ASN.1.
_ASN1 = (
    "asn1: structure error: tags don't match (16 vs {class:0 tag:13 length:45 isCompound:true}) {optional:false "
    "explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false "
    "omitEmpty:false}"
)
_KEY = f"private key should be a PEM or plain PKCS1 or PKCS8; parse error: {_ASN1} pkcs1PrivateKey @2"
_KEY_BELOW = (
    f"failed to parse private key. Tried PKCS8, PKCS1, and EC formats. Errors: [PKCS8: {_ASN1} pkcs8 @2], "
    f"[PKCS1: {_ASN1} pkcs1PrivateKey @2], [EC: x509: failed to parse EC private key: {_ASN1} ecPrivateKey @2]"
)
_UNREADABLE = "unexpected end of JSON input"
_UNANSWERED = "EOF"


class TokenError(Exception):
    """There is no access token, in the words of the libraries that the real provider uses."""


def unanswered(error: Exception) -> str:
    """Return what Go says of a connection that failed."""
    cause = error.args[0] if isinstance(error, TransportError) and error.args else error
    if isinstance(cause, requests.Timeout):
        return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    if "NewConnectionError" in repr(cause):
        return "dial tcp: connect: connection refused"
    return _UNANSWERED


class _Exchange:
    """Requests for tokens, of which the last one's answer is kept: Google's library for Python drops parts of it."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self.url, self.status, self.body = "", 0, ""

    def __call__(self, url: str, **more: Any) -> Any:
        self.url, self.status, self.body = url, 0, ""
        answer = self._request(url, **more)
        self.status, self.body = int(answer.status), answer.data.decode("utf-8", "replace")
        return answer


@dataclass(frozen=True)
class Source:
    """Whose the tokens are, and where the first of them comes from."""

    target: str = ""
    """The service account that is impersonated, if one is."""
    token_uri: str = GOOGLE_TOKEN_URI
    """Where a key's own text says that it is exchanged."""
    external: bool = False
    """The first token is a workload identity's."""

    def bad_key(self) -> str:
        """Return what is said of a private key that is none."""
        return self._first(_KEY_BELOW if self.target else _KEY)

    def no_address(self) -> str:
        """Return what is said where a key names an address that cannot be reached: a proxy lets nothing there."""
        return self._unfetched(f'Post "{self.token_uri}": Forbidden')

    def told(self, exchange: _Exchange, error: Exception) -> str:
        """Return what is said of the exchange that failed."""
        status, body = exchange.status, exchange.body
        if exchange.url.endswith(":generateAccessToken"):
            if not status:
                return self._first(unanswered(error))
            failed = f"status code {status}: {body}" if status != HTTPStatus.OK else _UNREADABLE
            return f"impersonate: {failed}"
        if not exchange.url:  # the file with a workload identity's token
            return self._first(f"failed to get the subject token: {type(error).__name__}")
        if not status:
            address = _EXCHANGE_URI if self.external else self.token_uri
            return self._unfetched(f'Post "{address}": {unanswered(error)}')
        if status == HTTPStatus.OK:
            return self._unfetched(_UNREADABLE)
        if self.external:
            return self._first(f"{'credentials' if self.target else 'oauth2/google'}: status code {status}: {body}")
        number = str(status) if self.target else f"{status} {HTTPStatus(status).phrase}"
        return self._unfetched(f"{number}\nResponse: {body}")

    def _unfetched(self, detail: str) -> str:
        return self._first(f"{'auth' if self.target else 'oauth2'}: cannot fetch token: {detail}")

    def _first(self, detail: str) -> str:
        """Without the first token, the impersonation's call is the one that fails."""
        if not self.target:
            return detail
        return f'impersonate: unable to generate access token: Post "{_GENERATE.format(self.target)}": {detail}'


class Bearer(Credentials):
    """The access token of other credentials, renewed by them; or one of the configuration, which stays as it is.

    The vendor's credentials of a service account, once they go with a request, also ask Google where that account is
    allowed: at its public address, whatever the endpoints here. Their token alone asks nobody.
    """

    def __init__(
        self, credentials: Credentials | None, source: Source, token: str | None = None, fault: str = ""
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth has no types
        self._credentials = credentials
        self._source = source
        self._fault = fault
        self._lock = threading.Lock()
        self.token = token

    def refresh(self, request: Any) -> None:
        """Get a new token; raise `TokenError` if there is none. `fault` is why there can be none."""
        known = self.token
        with self._lock:
            if self._fault:
                raise TokenError(self._fault)
            if self._credentials is None or self.token != known:
                return  # another call has renewed it meanwhile
            exchange = _Exchange(request)
            try:
                self._credentials.refresh(exchange)  # type: ignore[no-untyped-call]  # the same
            except (GoogleAuthError, requests.RequestException, ValueError, KeyError, TypeError) as error:
                raise TokenError(self._source.told(exchange, error)) from None
            self.token, self.expiry = self._credentials.token, self._credentials.expiry
