"""Google's refusals in the words of the real provider, without any secret value.

ProviderError
  GcpError         Google refused a call, or did not answer it
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError, OAuthError, RefreshError, TransportError
from google.protobuf.json_format import Error as JsonFormatError
from requests.exceptions import RequestException

from uss.sandbox.providers.interface import ProviderError

NOT_FOUND = 404


class GcpError(ProviderError):
    """A call to Google failed. `code` is the HTTP status, 0 if there was no answer that can be read."""

    def __init__(self, doing: str, detail: str, code: int = 0) -> None:
        super().__init__(f"{doing}: {detail}")
        self.detail = detail
        self.code = code


@contextmanager
def gcp_call(doing: str, hidden: str = "") -> Iterator[None]:
    """Raise what goes wrong inside as `GcpError`.

    `doing` is what was tried, in the real provider's words; `hidden` a value that is taken out of Google's text. What
    the libraries say of answers that they cannot read is not shown, since it quotes them.
    """
    try:
        yield
    except GoogleAPICallError as error:
        code = int(error.code or 0)
        raise GcpError(doing, f"googleapi: Error {code}: {_without(hidden, _message(error))}", code) from None
    except (RefreshError, OAuthError) as error:
        raise GcpError(doing, _refused_token(error)) from None
    except (RequestException, TransportError) as error:
        raise GcpError(doing, f"no answer from Google: {type(error).__name__}") from None
    except GoogleAuthError as error:
        raise GcpError(doing, f"the credentials cannot be used: {type(error).__name__}") from None
    except (KeyError, TypeError, ValueError, AttributeError, JsonFormatError) as error:
        raise GcpError(doing, f"Google's answer cannot be read: {type(error).__name__}") from None


def _message(error: GoogleAPICallError) -> str:
    """Return Google's own text: the library puts the method and the URL before it."""
    response: Any = error.response
    try:
        return str(response.json()["error"]["message"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return "(the answer has no message)"


def _refused_token(error: RefreshError | OAuthError) -> str:
    answer = error.args[1] if len(error.args) > 1 else None
    try:
        content = json.loads(answer) if isinstance(answer, str) else dict(answer or {})
        if "error_description" in content:
            return f'oauth2: "{content["error"]}" "{content["error_description"]}"'
        status = content["error"]
        return f"status code {status['code']}: {status['message']}"
    except (KeyError, TypeError, ValueError):
        return "Google issued no access token, and its answer gives no reason that can be read"


def _without(hidden: str, text: str) -> str:
    # A shorter value is part of ordinary words.
    return text.replace(hidden, "[secret]") if len(hidden) > 3 else text
