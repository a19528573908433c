"""A failed sign-in in the words of the real provider, whose SDK is that of Go (azidentity)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError as SdkError

from uss.sandbox.providers.interface import ProviderError

_LINE = "-" * 80


class AzidentityCredential:
    """A credential that raises `ProviderError` where no token is to be had.

    `make` makes it, with options that every credential of Azure's SDK takes. Python's SDK keeps the answers of some
    services to itself, so they are listened to.
    """

    def __init__(self, make: Callable[..., TokenCredential]) -> None:
        self._answers = threading.local()
        self._credential = make(raw_response_hook=self._heard)

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token, as every credential of Azure's SDK does."""
        self._answers.last = None
        try:
            return self._credential.get_token(*scopes, **options)
        except SdkError as error:
            raise ProviderError(_told(type(self._credential).__name__, error, self._answers.last)) from None

    def _heard(self, answer: Any) -> None:
        self._answers.last = answer.http_response


def _told(credential: str, error: SdkError, response: Any) -> str:
    if response is None or response.status_code < HTTPStatus.BAD_REQUEST:
        return f"{credential}: {error.message}"
    url = urlsplit(response.request.url)
    lines = [
        f"{credential} authentication failed. ",
        f"{response.request.method} {url.scheme}://{url.netloc}{url.path}",
        *(_LINE, f"RESPONSE {response.status_code} {HTTPStatus(response.status_code).phrase}", _LINE),
        _indented(response.text()),
        _LINE,
    ]
    return "\n".join(lines)


def _indented(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2)
    except ValueError:
        return body or "Response contained no body"
