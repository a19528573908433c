"""The stack configuration's models: `uss:configurations` in `stacks/Pulumi.<stack>.yaml`.

`parse_configurations` turns what Pulumi read from the file into `Configuration` values, or raises one
`ConfigurationError` that lists every mistake with its key, what was found, and the mend.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from uss.errors import ConfigurationError
from uss.text import shown

KEY = "uss:configurations"

NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
"""A configuration's name."""
ConfigurationName = Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN}$")]
FormerName = Annotated[str, StringConstraints(pattern=f"^({NAME_PATTERN})?$")]
NotEmpty = Annotated[str, StringConstraints(min_length=1)]
ExternalId = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_+=,.@:/-]{2,1224}$")]
"""AWS STS, AssumeRole: what an external ID may be."""


def _recovery_window(days: int) -> int:
    """AWS, DeleteSecret: RecoveryWindowInDays is 7 to 30; the provider reads 0 as "at once"."""
    if days and not 7 <= days <= 30:
        raise ValueError("out of range")
    return days


RecoveryWindow = Annotated[int, AfterValidator(_recovery_window)]


class CloudType(StrEnum):
    """The clouds, named as the PAM Configuration record types name them."""

    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"


class RegionMode(StrEnum):
    """How a secret gets into more than one AWS region."""

    REPLICATE = "replicate"
    """One secret in the first region, which AWS replicates to the others."""
    INDEPENDENT = "independent"
    """A secret of its own in each region."""


class OnDelete(StrEnum):
    """What happens to the cloud secret of a record that left the linked folders."""

    DELETE = "delete"
    RETAIN = "retain"


class OldVersions(StrEnum):
    """What happens on GCP to a secret's older versions when its value changes."""

    DISABLE = "disable"
    """They cannot be read any more, and can be enabled again."""
    DESTROY = "destroy"
    """Their values are gone for good."""
    KEEP = "keep"
    """The last `keepVersions` stay readable, older ones are destroyed."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True)


class Limits(_Model):
    """How many secrets one run may take from where readers find them before it stops instead; either one exceeded is
    enough.
    """

    max_deletes: int = Field(
        10, ge=0, description="Secrets that one run may delete, rename, or take out of one of their regions."
    )
    max_delete_percent: int = Field(
        20, ge=0, le=100, description="Their share of the configuration's secrets, in percent; counts from 10 up."
    )


class Configuration(_Model):
    """One sync configuration: folders of the vault, linked to one cloud account under one Sync Identity."""

    name: ConfigurationName = Field(
        description="Unique in the stack; part of every resource's identity.", examples=["production-aws"]
    )
    type: CloudType | None = Field(
        None, strict=False, description="aws, azure or gcp; not needed when pamConfiguration says it.", examples=["aws"]
    )
    enabled: bool = Field(True, description="false: its cloud secrets stay exactly as they are.")
    dry_run: bool = Field(False, description="true: `pulumi up` shows the change and applies nothing.")
    pam_configuration: NotEmpty | None = Field(
        None, description="UID of the PAM Configuration record.", examples=["PAMCONFIG-aws-00000001"]
    )
    sync_identity: NotEmpty | None = Field(
        None,
        description="The identity that writes the secrets: for AWS the ARN of the role to assume.",
        examples=["arn:aws:iam::123456789012:role/keeper-uss"],
    )
    external_id: ExternalId | None = Field(
        None,
        description="AWS: the external ID that the role's trust policy asks for.",
        examples=["keeper-uss-production"],
    )
    ambient_credentials: bool = Field(
        False, description="true: write with the machine's own identity, when nothing else is given."
    )
    folders: list[NotEmpty] = Field(
        min_length=1,
        description="UIDs or unique paths of the linked folders.",
        examples=[["Production", "Production/Payments"]],
    )
    include_subfolders: bool = Field(False, description="Whether records of folders below the linked ones count.")
    regions: list[NotEmpty] = Field(
        default_factory=list,
        description="AWS regions, the first one is the primary; none: the PAM Configuration's.",
        examples=[["us-east-1", "eu-west-1"]],
    )
    region_mode: RegionMode = Field(
        RegionMode.REPLICATE, strict=False, description="replicate (primary and replicas) or independent copies."
    )
    recovery_window_in_days: RecoveryWindow = Field(
        30, description="AWS: days in which a deleted secret can be restored, 7 to 30; 0 deletes at once."
    )
    subscription_id: NotEmpty | None = Field(
        None,
        description="Azure: the subscription; none: the PAM Configuration's.",
        examples=["22222222-2222-2222-2222-222222222222"],
    )
    tenant_id: NotEmpty | None = Field(
        None,
        description="Azure: the tenant; none: the PAM Configuration's.",
        examples=["11111111-1111-1111-1111-111111111111"],
    )
    resource_group: NotEmpty | None = Field(
        None,
        description="Azure: the key vault's resource group; none: the PAM Configuration's, if it names one.",
        examples=["rg-secrets"],
    )
    vault_name: NotEmpty | None = Field(
        None, description="Azure: the key vault; made at the first sync if missing.", examples=["kv-prod"]
    )
    location: NotEmpty | None = Field(
        None, description="Azure: where a key vault that the sync makes shall be.", examples=["westeurope"]
    )
    purge_protection: bool = Field(
        False, description="Azure: true: a key vault that the sync makes has purge protection, for good."
    )
    project: NotEmpty | None = Field(
        None, description="GCP: the project; none: that of the service account key.", examples=["my-project"]
    )
    replication_locations: list[NotEmpty] = Field(
        default_factory=list,
        description="GCP: locations of the replicas; none: automatic. Cannot be changed later.",
        examples=[["europe-west1", "europe-west4"]],
    )
    deletion_protection: bool = Field(
        False, description="GCP: true: no secret is deleted; a run that would delete one fails."
    )
    old_versions: OldVersions = Field(
        OldVersions.DISABLE,
        strict=False,
        description="GCP: disable, destroy or keep versions that a new value replaces.",
    )
    keep_versions: int = Field(
        2, ge=1, le=50, description="GCP: with oldVersions keep, how many versions stay readable."
    )
    name_prefix: str = Field("", description="Put before every cloud name.", examples=["team/"])
    tags: dict[str, str] = Field(
        default_factory=dict, description="More tags for every cloud secret.", examples=[{"team": "platform"}]
    )
    limits: Limits = Field(
        default_factory=lambda: Limits(), description="When a run stops because readers would lose many secrets."
    )
    on_delete: OnDelete = Field(
        OnDelete.DELETE, strict=False, description="delete or retain the secret of a record that left the folders."
    )
    check_identity: bool = Field(
        True, description="false: a run that takes no new name does not ask the cloud for an answer before it writes."
    )
    adopt: list[NotEmpty] = Field(
        default_factory=list,
        description="UIDs or titles of records whose existing cloud secret is taken over.",
        examples=[["Orders Database"]],
    )
    formerly: FormerName = Field(
        "", description="This configuration's former name, so that renaming it moves nothing.", examples=["production"]
    )


CLOUD_FIELDS: Mapping[CloudType, frozenset[str]] = {
    CloudType.AWS: frozenset({"external_id", "regions", "region_mode", "recovery_window_in_days"}),
    CloudType.AZURE: frozenset(
        {"subscription_id", "tenant_id", "resource_group", "vault_name", "location", "purge_protection"}
    ),
    CloudType.GCP: frozenset(
        {"project", "replication_locations", "deletion_protection", "old_versions", "keep_versions"}
    ),
}
"""Fields of `Configuration` that mean something for one cloud only."""

_Configurations = TypeAdapter(list[Configuration])


def parse_configurations(value: object, source: str, *, secret: bool = False) -> tuple[Configuration, ...]:
    """Check the value of `uss:configurations` and return the configurations in the file's order.

    `source` is the file's name, for messages. `secret` says that the value came encrypted: messages then do not
    repeat what was found. Raises `ConfigurationError`.
    """
    if value is None:
        raise ConfigurationError(
            f"{source}: {KEY} is missing. List at least one configuration there, with `name` and `folders`."
        )
    try:
        configurations = tuple(_Configurations.validate_python(value))
    except ValidationError as error:
        mistakes = [_mistake(detail, value, secret) for detail in error.errors(include_url=False)]
        raise ConfigurationError(_listed(source, mistakes)) from None  # pydantic's own text repeats the values
    names = Counter(name for entry in configurations for name in (entry.name, entry.formerly) if name)
    doubled = [name for name, count in names.items() if count > 1]
    if doubled:
        told = "is given more than once, as a name or as a former one. Give each its own."
        raise ConfigurationError(_listed(source, [f"{KEY}: the name {shown(name)} {told}" for name in doubled]))
    return configurations


def mistake(source: str, configuration: str, key: str, text: str) -> ConfigurationError:
    """Return the error for a mistake that only shows once the vault was read. `text` says what and the mend."""
    return ConfigurationError(f"{source}: {KEY}, configuration {shown(configuration)}, key `{key}`: {text}")


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a stack configuration file, for editors."""
    schema = _Configurations.json_schema(by_alias=True)
    definitions = schema.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack configuration of Keeper Universal Secrets Sync",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": {KEY: schema, "uss:ksmConfig": {"type": "object", "required": ["secure"]}},
                "required": [KEY],
            }
        },
        "$defs": definitions,
    }


def _listed(source: str, mistakes: list[str]) -> str:
    if len(mistakes) == 1:
        return f"{source}: {mistakes[0]}"
    return f"{source}: {len(mistakes)} mistakes:\n" + "\n".join(f"  - {mistake}" for mistake in mistakes)


def _mistake(detail: ErrorDetails, value: object, secret: bool) -> str:
    location = list(detail["loc"])
    key = _key(location, value)
    if detail["type"] == "extra_forbidden":
        return f"{key}: there is no such key. {_nearest(str(location[-1]))}"
    if detail["type"] == "missing":
        return f"{key}: is missing. {_mend(location)}"
    found = "the value does not fit" if secret else f"found {_found(detail['input'])}"
    return f"{key}: {found}. {_mend(location)}"


def _key(location: list[int | str], value: object) -> str:
    text = KEY
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    name = _name_of(location, value)
    return f"{text} (of {shown(name)})" if name else text


def _name_of(location: list[int | str], value: object) -> str | None:
    if location and isinstance(location[0], int) and isinstance(value, list):
        entry = value[location[0]]
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            return str(entry["name"])
    return None


def _found(value: object) -> str:
    if isinstance(value, str):
        return shown(value)
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{type(value).__name__} of {len(text)} characters"


def _nearest(key: str) -> str:
    known = [to_camel(name) for model in (Configuration, Limits) for name in model.model_fields]
    nearest = get_close_matches(key, known, n=1, cutoff=0.5)
    if nearest:
        return f"Did you mean `{nearest[0]}`?"
    return f"The keys are: {', '.join(to_camel(name) for name in Configuration.model_fields)}."


_SHAPE = "It is a list of configurations, each with its keys: `name` and `folders` at the least."
_MENDS = {
    "name": "Use 1 to 64 letters, digits, dots, hyphens and underscores, a letter or digit first.",
    "type": "Use aws, azure or gcp.",
    "enabled": "Use true or false, without quotes.",
    "dryRun": "Use true or false, without quotes.",
    "ambientCredentials": "Use true or false, without quotes.",
    "includeSubfolders": "Use true or false, without quotes.",
    "pamConfiguration": "Use the UID of the PAM Configuration record, as Keeper shows it under Record Info.",
    "syncIdentity": "AWS: a role's ARN. Azure: a managed identity's client ID. GCP: a service account's e-mail.",
    "externalId": "Use 2 to 1224 letters, digits and _ + = , . @ : / -, as in the role's trust policy.",
    "folders": "List the linked folders by UID or unique path.",
    "regions": "List AWS regions, as in [us-east-1, eu-west-1].",
    "regionMode": "Use replicate or independent.",
    "recoveryWindowInDays": "Use 7 to 30, or 0 to delete at once.",
    "purgeProtection": "Use true or false, without quotes.",
    "deletionProtection": "Use true or false, without quotes.",
    "oldVersions": "Use disable, destroy or keep.",
    "keepVersions": "Use a whole number from 1 to 50.",
    "replicationLocations": "List GCP locations, as in [europe-west1, europe-west4].",
    "limits": "Give maxDeletes and maxDeletePercent, or leave it out.",
    "namePrefix": "Give a text.",
    "tags": "Give each tag a text; put numbers and true or false in quotes.",
    "maxDeletes": "Use a whole number from 0 up.",
    "maxDeletePercent": "Use a whole number from 0 to 100.",
    "onDelete": "Use delete or retain.",
    "checkIdentity": "Use true or false, without quotes.",
    "adopt": "List records by UID or title.",
    "formerly": "Give the configuration's name as it was before, or leave it out.",
}


def _mend(location: list[int | str]) -> str:
    keys = [part for part in reversed(location) if isinstance(part, str)]
    return next((_MENDS[key] for key in keys if key in _MENDS), _SHAPE)
