"""AWS's refusals in the words of the real provider, without any secret value.

ProviderError
  AwsError         AWS refused a call, or did not answer it
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from uss.sandbox.providers.interface import ProviderError

_REPORT = re.compile(r"[A-Z][a-z ]+ parameter [\w.\[\]]+")
_STS_OPERATIONS = {"AssumeRole", "GetCallerIdentity"}


class AwsError(ProviderError):
    """A call to AWS failed. `code` is AWS's error code, or empty if there was no answer; `reason` AWS's own text."""

    def __init__(self, doing: str, detail: str, code: str = "", reason: str = "") -> None:
        super().__init__(f"{doing}: {detail}")
        self.detail = detail
        self.code = code
        self.reason = reason


@contextmanager
def aws_call(doing: str, hidden: str = "") -> Iterator[None]:
    """Raise what goes wrong inside as `AwsError`.

    `doing` is what was tried, in the real provider's words; `hidden` a value that is taken out of AWS's text. What
    botocore says of parameters and of answers that it cannot read is not shown, since it quotes them.
    """
    try:
        yield
    except ClientError as error:
        code, reason = error_code(error), _without(hidden, error.response.get("Error", {}).get("Message", ""))
        raise AwsError(doing, api_error(error.operation_name, _status(error), code, reason), code, reason) from None
    except ParamValidationError as error:
        raise AwsError(doing, _refused_parameter(str(error.kwargs.get("report", "")))) from None
    except BotoCoreError as error:
        endpoint = getattr(error, "kwargs", {}).get("endpoint_url")
        where = f" at {endpoint}" if endpoint else ""
        raise AwsError(doing, f"no answer from AWS{where}: {type(error).__name__}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise AwsError(doing, f"AWS's answer cannot be read: {type(error).__name__}") from None


def error_code(error: ClientError) -> str:
    """Return AWS's error code."""
    return error.response.get("Error", {}).get("Code", "")


def api_error(operation: str, status: str, code: str, reason: str) -> str:
    """Write an error as the AWS SDK for Go does, which the real provider uses."""
    service = "STS" if operation in _STS_OPERATIONS else "Secrets Manager"
    return f"operation error {service}: {operation}, https response error {status}, api error {code}: {reason}"


def _status(error: ClientError) -> str:
    metadata = error.response.get("ResponseMetadata", {})
    return f"StatusCode: {metadata.get('HTTPStatusCode', 0)}, RequestID: {metadata.get('RequestId', '')}"


def _refused_parameter(report: str) -> str:
    # "Invalid length for parameter Name, value: ...": the parameter's value comes after its name.
    named = _REPORT.match(report)
    return f"{named[0]} (refused before the call)" if named else "a parameter was refused before the call"


def _without(hidden: str, text: str) -> str:
    # A shorter value is part of ordinary words.
    return text.replace(hidden, "[secret]") if len(hidden) > 3 else text
