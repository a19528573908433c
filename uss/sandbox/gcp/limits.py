"""Secret Manager's limits on names, labels, annotations, aliases and times.

Source: the field descriptions of google.cloud.secretmanager.v1 (`Secret`, `CreateSecretRequest`, `SecretPayload`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from uss.sandbox.gcp.exceptions import InvalidArgumentError

PAYLOAD_BYTES = 65_536

_SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LABELS = 64
_LABEL_LENGTH = 63
_LABEL_BYTES = 128
_ANNOTATION_KEY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_ANNOTATIONS_BYTES = 16 * 1024
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_ALIASES = 50
_SECONDS = re.compile(r"(\d+)(?:\.\d{1,9})?s")
_DAY = 86_400
_DESTROY_TTL = (_DAY, 1000 * _DAY)


def check_secret_id(secret_id: str) -> None:
    """Refuse an ID that is not 1 to 255 letters, digits, hyphens and underscores."""
    if not _SECRET_ID.fullmatch(secret_id):
        raise InvalidArgumentError(
            f"The provided Secret ID [{secret_id}] does not match the expected format [[a-zA-Z_0-9\\-]{{1,255}}]."
        )


def _texts(field: str, value: Any) -> dict[str, str]:
    """Return a map of texts; refuse anything else."""
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise InvalidArgumentError(f"Invalid value at '{field}': expected a map of strings.")
    return dict(value)


def read_labels(value: Any) -> dict[str, str]:
    """Return labels that Google takes; refuse others."""
    found = _texts("secret.labels", value)
    if len(found) > _LABELS:
        raise InvalidArgumentError(f"No more than {_LABELS} labels can be assigned to a given resource.")
    for key, text in found.items():
        if not (key and _starts(key) and _label_characters(key)):
            raise InvalidArgumentError(f"Label key [{key}] is invalid: it must be 1 to 63 lower-case characters.")
        if not _label_characters(text):
            raise InvalidArgumentError(f"The value of label [{key}] is invalid: at most 63 lower-case characters.")
    return found


def _starts(key: str) -> bool:
    return unicodedata.category(key[0]) in ("Ll", "Lo")


def _label_characters(text: str) -> bool:
    fits = len(text) <= _LABEL_LENGTH and len(text.encode("utf-8", "surrogatepass")) <= _LABEL_BYTES
    return fits and all(
        character in "_-" or unicodedata.category(character) in ("Ll", "Lo", "Nd", "Nl", "No") for character in text
    )


def read_annotations(value: Any) -> dict[str, str]:
    """Return annotations that Google takes; refuse others."""
    found = _texts("secret.annotations", value)
    for key in found:
        if not _ANNOTATION_KEY.fullmatch(key):
            raise InvalidArgumentError(
                f"Annotation key [{key}] is invalid: 1 to 63 characters of [a-zA-Z0-9._-] that begin and end with a "
                "letter or digit."
            )
    size = sum(len(part.encode("utf-8", "surrogatepass")) for pair in found.items() for part in pair)
    if size >= _ANNOTATIONS_BYTES:
        raise InvalidArgumentError(f"Annotations are {size} bytes in total; they must be less than 16 KiB.")
    return found


def read_aliases(value: Any, versions: Mapping[int, Any]) -> dict[str, int]:
    """Return version aliases that name versions which exist; refuse others."""
    if not isinstance(value, Mapping) or len(value) > _ALIASES:
        raise InvalidArgumentError(f"Version aliases must be a map of at most {_ALIASES} entries.")
    found: dict[str, int] = {}
    for alias, number in value.items():
        if not _ALIAS.fullmatch(alias) or alias in ("latest", "NEW"):
            raise InvalidArgumentError(f"Version alias [{alias}] is invalid.")
        if not str(number).isdecimal() or int(number) not in versions:
            raise InvalidArgumentError(f"Version alias [{alias}] does not name a version of the secret.")
        found[alias] = int(number)
    return found


def read_destroy_ttl(value: Any) -> int | None:
    """Return the delay of a destruction in seconds, None for no delay; refuse what is no duration of 1 to 1000 days."""
    if value in (None, "", "0s"):
        return None
    match = _SECONDS.fullmatch(str(value))
    if not match:
        raise InvalidArgumentError("Invalid value at 'secret.version_destroy_ttl': expected a duration such as 86400s.")
    seconds = int(match[1])
    if not _DESTROY_TTL[0] <= seconds <= _DESTROY_TTL[1]:
        raise InvalidArgumentError("Field [secret.version_destroy_ttl] must be between 1 and 1000 days.")
    return seconds
