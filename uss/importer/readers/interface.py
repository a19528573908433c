"""What the import asks of a cloud: which secrets it holds, and the current value of each.

A `Reader` only reads. It acts under the configuration's identity, through the vendor's SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeVar

from uss.clouds.gcp import ANNOTATION, LABEL
from uss.errors import CloudDeniedError, CloudError
from uss.importer.readers.filters import Filters
from uss.importer.readers.secrets import CloudSecret, Listed, Skipped
from uss.text import shown

_TOLD = 400
"""Characters of a vendor's own text that a message repeats."""

T = TypeVar("T")


class Reader(Protocol):
    """One configuration's secrets in its cloud. `list` and `read` raise `CloudError`."""

    def list(self, filters: Filters) -> Iterator[Listed]:
        """Give the secrets that pass the filters, those that cannot be imported among them, page by page."""

    def read(self, listed: Listed) -> CloudSecret | Skipped:
        """Read a secret's current value. What is wrong with this one secret is told, not raised."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True)
class Caller:
    """Who asks a cloud, and how its refusals are told to a person."""

    configuration: str
    cloud: str
    """Its vendor, as in `AWS`."""
    identity: str
    """In words that can begin a part of a sentence, as in `the role arn:...`."""

    def denied(self, doing: str, permission: str, told: str) -> CloudDeniedError:
        """Return the error for an identity that lacks a permission. `doing` completes "may not"."""
        return CloudDeniedError(
            f"{self._beginning} {self.identity} may not {doing}: it lacks {permission}. Allow it that, and start the "
            f"import again. {self._words(told)}"
        )

    def refused(self, mend: str, told: str) -> CloudDeniedError:
        """Return the error for an identity that the cloud does not accept at all."""
        text = f"{self._beginning} {self.cloud} does not accept {self.identity}."
        return CloudDeniedError(f"{text} {mend} {self._words(told)}")

    def failed(self, doing: str, fault: str, mend: str = "Start the import again later.") -> CloudError:
        """Return the error for a cloud that gave no usable answer. `doing` completes "when asked to"."""
        return CloudError(f"{self._beginning} {self.cloud} gave no answer when asked to {doing}: {fault}. {mend}")

    def missing(self, what: str, mend: str) -> CloudError:
        """Return the error for something that the cloud does not have. `what` is a sentence."""
        return CloudError(f"{self._beginning} {what} {mend}")

    @property
    def _beginning(self) -> str:
        return f"configuration {shown(self.configuration)}:"

    def _words(self, told: str) -> str:
        return f"{self.cloud} says: {shown(told, _TOLD)}"


def marks(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags without GCP's prefixes, which say of which kind each one is."""
    return {key.removeprefix(LABEL).removeprefix(ANNOTATION): value for key, value in tags.items()}


def translated(items: Iterable[T], translation: Callable[[], AbstractContextManager[None]]) -> Iterator[T]:
    """Give the items of a vendor's iterator; what goes wrong in getting the next one is raised as `translation` does.

    What goes wrong in whoever uses the items is left alone.
    """
    iterator = iter(items)
    while True:
        with translation():
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item
