"""Questions to a cloud through its Pulumi provider's own functions, hence under the same identity as the writes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from uss.clouds.interface import Findings, FoundSecret
from uss.errors import CloudDeniedError, CloudError
from uss.plan import PlannedSecret
from uss.text import shown

_TEXT = 2_000
"""Characters of a vendor's error that are shown."""


@dataclass(frozen=True)
class Questions:
    """What asks one cloud: the configuration's name for messages, its provider, and how the cloud words a refusal."""

    configuration: str
    provider: pulumi.ProviderResource
    absent: re.Pattern[str]
    """Matches errors that say that there is no such thing."""
    denied: re.Pattern[str]
    """Matches errors that say that the identity, which is a right one, may not read this."""

    async def ask(self, function: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return what a function of the provider answers, or None where it finds nothing.

        Raises `CloudDeniedError` where the identity may not ask, `CloudError` where there is no answer.
        """
        options = pulumi.InvokeOptions(provider=self.provider)
        try:
            answer: Mapping[str, Any] | None = await pulumi.runtime.invoke_async(function, dict(arguments), options)
        except Exception as error:  # the SDK raises no narrower type for a function that fails
            text = " ".join(str(error).split())
            if self.absent.search(text):
                return None
            if self.denied.search(text):
                raise CloudDeniedError(
                    f"configuration {shown(self.configuration)}: the Sync Identity may not look at what the cloud "
                    f"holds: {shown(text, _TEXT)}. Grant it that: `uss permissions {self.configuration}` prints all "
                    "that it needs."
                ) from error
            raise CloudError(
                f"configuration {shown(self.configuration)}: the cloud could not be asked what it holds: "
                f"{shown(text, _TEXT)}. Nothing was changed. Check the Sync Identity, whom it trusts and what it is "
                f"granted (`uss permissions {self.configuration}` prints all of it), then run it again."
            ) from error
        return answer

    async def each(
        self,
        secrets: Iterable[PlannedSecret],
        find: Callable[[PlannedSecret], Awaitable[FoundSecret | None]],
    ) -> Findings:
        """Look for several secrets at once."""
        listed = list(secrets)
        answers = await asyncio.gather(*(self._found(find, secret) for secret in listed))
        found = {secret.record_uid: answer for secret, answer in zip(listed, answers, strict=True)}
        refusals = [str(answer) for answer in answers if isinstance(answer, CloudDeniedError)]
        return Findings(
            refusal=next(iter(refusals), ""),
            secrets={uid: answer for uid, answer in found.items() if isinstance(answer, FoundSecret)},
            denied=tuple(secret.name for secret in listed if isinstance(found[secret.record_uid], CloudDeniedError)),
        )

    async def _found(
        self, find: Callable[[PlannedSecret], Awaitable[FoundSecret | None]], secret: PlannedSecret
    ) -> FoundSecret | CloudDeniedError | None:
        try:
            return await find(secret)
        except CloudDeniedError as error:
            return error
