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
from google.auth.exceptions import TransportError
from google.protobuf.json_format import Error as JsonFormatError
from requests.exceptions import RequestException

from uss.sandbox.providers.gcp_tokens import TokenError, unanswered
from uss.sandbox.providers.interface import ProviderError

NOT_FOUND = 404


class GcpError(ProviderError):
    """A call to Google failed. `code` is the HTTP status, 0 if there was no answer that can be read."""

    def __init__(self, doing: str, detail: str, code: int = 0) -> None:
        super().__init__(f"1 error occurred:\n\t* {doing}{': ' if doing else ''}{detail}\n\n")
        self.code = code


@contextmanager
def gcp_call(doing: str, hidden: str = "", call: str = "") -> Iterator[None]:
    """Raise what goes wrong inside as `GcpError`.

    `doing` is what was tried, in the real provider's words; `hidden` a value that is taken out of Google's text; `call`
    the call with its address, which is quoted where Google did not answer. What the libraries say of answers that they
    cannot read is not shown, since it quotes them.
    """
    try:
        yield
    except GoogleAPICallError as error:
        raise GcpError(doing, _without(hidden, _answered(error)), int(error.code or 0)) from None
    except TokenError as error:
        raise GcpError(doing, f"{call}: {error}") from None
    except (RequestException, TransportError) as error:
        raise GcpError(doing, f"{call}: {unanswered(error)}") from None
    except (KeyError, TypeError, ValueError, AttributeError, JsonFormatError) as error:
        raise GcpError(doing, f"Google's answer cannot be read: {type(error).__name__}") from None


def _answered(error: GoogleAPICallError) -> str:
    """Write an answer as Google's library for Go does: its own text and details, or a page that is none of Google's."""
    response: Any = error.response
    code = int(error.code or 0)
    try:
        content = response.json()["error"]
        message, details = content["message"], content.get("details")
    except (AttributeError, KeyError, TypeError, ValueError):
        return f"googleapi: got HTTP response code {code} with body: {getattr(response, 'text', '')}"
    written = f"\nDetails:\n{json.dumps(details, indent=2, sort_keys=True)}" if details else ""
    return f"googleapi: Error {code}: {message}{written}"


def _without(hidden: str, text: str) -> str:
    # A shorter value is part of ordinary words.
    return text.replace(hidden, "[secret]") if len(hidden) > 3 else text
