"""Questions to a cloud through its Pulumi provider's own functions, hence under the same identity as the writes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

import pulumi

from uss.clouds.interface import Findings, FoundSecret, Marked
from uss.errors import CloudDeniedError, CloudError
from uss.planning.plan import Change, ConfigurationPlan, PlannedSecret
from uss.resources.interface import Work
from uss.text import shown

_TEXT = 2_000
"""Characters of a vendor's error that are shown."""

# Each with a space or a quotation mark, which no name of a secret can hold: texts name secrets, which may be called
# like an error.
_REFUSED = re.compile(
    "|".join(
        (
            # AWS: what STS refuses, and what every service says of keys and tokens that it does not accept.
            r"api error (?:AccessDenied|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch): ",
            r"(?:api error|,) (?:ExpiredToken|InvalidSignature|InvalidIdentityToken|IDPRejectedClaim)(?:Exception)?: ",
            r'no EC2 IMDS role found|[Nn]o valid credential sources|The AWS profile "|SSO session ',
            # GCP: what a token service answers, a key that is none, a token that does not hold.
            r"impersonate: status code 4(?!08|29)\d\d: \{",
            r"cannot fetch token: 4(?!08|29)\d\d[A-Za-z ]* Response: \{",
            r"(?:credentials|oauth2/google): status code 4(?!08|29)\d\d: \{",
            r"private key should be a PEM|failed to parse private key|googleapi: Error 401: ",
            # Azure: Entra's word, the library's for every identity, Resource Manager's for a token.
            r"(?<![\w/-])AADSTS\d+: |\w+Credential authentication failed|Identity not found|Status=401 Code=",
        )
    )
)
"""Matches errors of an identity that is none, is not trusted, or proves itself badly."""
_UNREACHED = re.compile(
    r"dial tcp|no such host|i/o timeout|deadline exceeded|connection re(?:set|fused) by|TLS handshake|: EOF\b"
)
"""Matches errors of a sign-in that nobody answered."""


class Meaning(Enum):
    """What a provider's error means for a look."""

    NOT_THERE = auto()
    NO_RIGHTS = auto()
    """The identity is a right one, and may not read this."""
    BAD_IDENTITY = auto()
    NO_ANSWER = auto()
    """All else: no connection, a cloud that fails or throttles, a place that the configuration has wrong."""


@dataclass(frozen=True)
class Questions:
    """What asks one cloud: the configuration's name for messages, its provider, how the cloud words a refusal, and as
    whom it is asked.
    """

    configuration: str
    provider: pulumi.ProviderResource
    absent: re.Pattern[str]
    """Matches errors that say that there is no such thing."""
    denied: re.Pattern[str]
    """Matches errors that say that the identity, which is a right one, may not read this."""
    identity: str
    """The Sync Identity, as in `Target.identity`."""

    async def ask(self, function: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return what a function of the provider answers, or None where it finds nothing.

        Raises `CloudDeniedError` where the identity may not ask, `CloudError` where there is no answer.
        """
        options = pulumi.InvokeOptions(provider=self.provider)
        try:
            answer: Mapping[str, Any] | None = await pulumi.runtime.invoke_async(function, dict(arguments), options)
        except Exception as error:  # the SDK raises no narrower type for a function that fails
            text = " ".join(str(error).split())
            match meaning(text, self.absent, self.denied):
                case Meaning.NOT_THERE:
                    return None
                case Meaning.NO_RIGHTS:
                    raise CloudDeniedError(self._denied(text)) from error
                case Meaning.BAD_IDENTITY:
                    raise CloudError(self._refused(text)) from error
                case Meaning.NO_ANSWER:
                    raise CloudError(self._unanswered(text)) from error
        return answer

    def _denied(self, text: str) -> str:
        return (
            f"configuration {shown(self.configuration)}: the Sync Identity may not look at what the cloud holds: "
            f"{shown(text, _TEXT)}. It is {self.identity}. Grant it that: `uss permissions {self.configuration}` "
            "prints all that it needs."
        )

    def _refused(self, text: str) -> str:
        return (
            f"configuration {shown(self.configuration)}: the cloud could not be asked what it holds, because the sync "
            f"cannot sign in as {self.identity}: {shown(text, _TEXT)}. Nothing was changed. Check that there is such "
            "an identity, whom it trusts, and the credentials that it is taken on with "
            f"(`uss permissions {self.configuration}` prints all that it needs), then run it again."
        )

    def _unanswered(self, text: str) -> str:
        return (
            f"configuration {shown(self.configuration)}: the cloud could not be asked what it holds: "
            f"{shown(text, _TEXT)}. It was asked as {self.identity}. Nothing was changed. Check that this machine "
            "reaches the cloud, the places that the configuration names, and what the Sync Identity is granted "
            f"(`uss permissions {self.configuration}` prints all of it), then run it again."
        )

    @classmethod
    def of(cls, work: Work, absent: re.Pattern[str], denied: re.Pattern[str]) -> Questions:
        """Return what asks a configuration's cloud as its Sync Identity."""
        identity = work.plan.target.identity if work.plan.target else ""
        return cls(work.plan.name, work.provider, absent, denied, identity)

    async def look(
        self,
        work: Work,
        secrets: Iterable[PlannedSecret],
        find: Callable[[PlannedSecret], Awaitable[FoundSecret | None]],
        mine: Callable[[Findings], Awaitable[tuple[Marked, ...]]],
    ) -> Findings:
        """Look for several secrets at once. Where one of the stack's own is there that the state does not know, a state
        was lost: then `mine` is asked for all that has the stack's marks.
        """
        findings = await self.each(secrets, find)
        return replace(findings, marked=await mine(findings)) if findings.recovers(work.ownership) else findings

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


def meaning(text: str, absent: re.Pattern[str], denied: re.Pattern[str]) -> Meaning:
    """Return what a provider's error means. No trouble with an identity or a connection says anything of a secret."""
    if _REFUSED.search(text):
        return Meaning.NO_ANSWER if _UNREACHED.search(text) else Meaning.BAD_IDENTITY
    if absent.search(text):
        return Meaning.NOT_THERE
    return Meaning.NO_RIGHTS if denied.search(text) else Meaning.NO_ANSWER


def wanted(plan: ConfigurationPlan, changes: Collection[Change]) -> list[PlannedSecret]:
    """Return the secrets that change so: the cloud is asked about each of them."""
    return [secret for secret in plan.secrets if secret.change in changes]


def tries_identity(plan: ConfigurationPlan) -> bool:
    """Tell whether the identity is to be tried before anything is written, also where nothing else is asked."""
    return plan.changes and plan.configuration.check_identity
