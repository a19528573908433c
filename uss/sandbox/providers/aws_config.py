"""The configuration of the AWS provider, as the engine hands it over: nested values are JSON in strings."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from uss.sandbox.providers.interface import ProviderError
from uss.sandbox.providers.values import Properties

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")


class AssumeRole(_Model):
    """A role to assume. What the stand-in cannot honour, such as a session policy, is refused."""

    model_config = ConfigDict(extra="forbid")

    role_arn: str
    session_name: str | None = None
    external_id: str | None = None
    duration: str | None = None
    """The session's length as Go writes it: `1h`, `15m`, `1h30m`, `3600s`."""

    def duration_seconds(self) -> int | None:
        """Return the session's length in seconds; None where AWS's default holds."""
        if not self.duration:
            return None
        hours, minutes, seconds = (int(part or 0) for part in _parts(self.duration))
        return hours * 3600 + minutes * 60 + seconds

    @field_validator("duration")
    @classmethod
    def _is_duration(cls, value: str | None) -> str | None:
        if value and not any(_parts(value)):
            raise ValueError("must be a duration such as 1h or 15m")
        return value


class DefaultTags(_Model):
    """Tags that every resource gets."""

    tags: dict[str, str] = Field(default_factory=dict)


class AwsConfig(_Model):
    """The settings that the stand-in honours; the real provider's others, such as `profile`, mean nothing here."""

    region: str | None = None
    access_key: str | None = Field(default=None, repr=False)
    secret_key: str | None = Field(default=None, repr=False)
    token: str | None = Field(default=None, repr=False)
    assume_roles: list[AssumeRole] = Field(default_factory=list)
    """Assumed one after the other, each with the credentials of the one before."""
    assume_role_with_web_identity: None = None
    default_tags: DefaultTags = Field(default_factory=DefaultTags)
    endpoints: list[dict[str, str | None]] = Field(default_factory=list)
    allowed_account_ids: list[str] = Field(default_factory=list)
    forbidden_account_ids: list[str] = Field(default_factory=list)
    skip_credentials_validation: bool = False
    max_retries: int | None = None
    sts_region: str | None = None

    @field_validator(
        "assume_roles",
        "assume_role_with_web_identity",
        "default_tags",
        "endpoints",
        "allowed_account_ids",
        "forbidden_account_ids",
        mode="before",
    )
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    def endpoint(self, service: str) -> str | None:
        """Return the URL set for a service; None where the environment's holds."""
        return next((urls[service] for urls in self.endpoints if urls.get(service)), None)


def parse_config(inputs: Properties) -> AwsConfig:
    """Read the provider's inputs; raise `ProviderError` naming the key and the fault, never a value."""
    try:
        return AwsConfig.model_validate(inputs)
    except ValidationError as error:
        faults = "; ".join(
            f"aws:{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise ProviderError(f"the configuration of the AWS provider cannot be used: {faults}") from None


def _parts(duration: str) -> tuple[str | None, ...]:
    match = _DURATION.fullmatch(duration)
    return match.groups() if match else ()
