"""AWS Secrets Manager: one Secret and one SecretVersion for a record, in the first region, replicated to the others.

Sources: AWS Secrets Manager's API reference and quotas; the aws provider's resources `secretsmanager.Secret` and
`secretsmanager.SecretVersion`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from uss.clouds.interface import (
    OWNERSHIP_TAGS,
    Cloud,
    HeldSecret,
    LogicalName,
    Move,
    Tags,
    Target,
    by_record,
    require_sign_in,
    require_tags,
)
from uss.config import CloudType, Configuration, RegionMode, mistake
from uss.keeper.pam import PamConfiguration
from uss.records.naming import NameRules
from uss.state import StateResource
from uss.text import shown

SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a resource type
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/[\w+=,.@/-]+", re.ASCII)
_ARN = re.compile(r"arn:[^:]+:secretsmanager:(?P<region>[^:]+):(?P<account>\d{12}):secret:", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+", re.ASCII)  # four letters: the European Sovereign Cloud's `eusc`
# AWS, "Tag naming limits": letters, digits and spaces, and these characters.
_TAG_TEXT = re.compile(r"(?:[\w+\-=.:/@]|[^\S\x00-\x1f\x85])*")  # a space of any kind, no tab or line end
_TAG_WORDING = "letters, digits, spaces and + - = . _ : / @"
_AWS_OWN = "aws:"
_COPIES = {RegionMode.REPLICATE: "replicas", RegionMode.INDEPENDENT: "independent copies"}
_TAG_KEY_MAXIMUM, _TAG_VALUE_MAXIMUM, _TAGS_MAXIMUM = 128, 256, 50


# Keeper, Universal Secrets Sync, "Secret Naming Rules"; AWS Secrets Manager, CreateSecret, Name.
AWS_NAMES = NameRules(
    cloud="AWS Secrets Manager",
    maximum=512,
    allowed=re.compile(r"[A-Za-z0-9/_+=.@-]"),
    first=None,
    last=None,
    wording="1 to 512 letters, digits and / _ + = . @ -",
)


@dataclass(frozen=True)
class AwsTarget(Target):
    """Regions and identity of one configuration."""

    regions: tuple[str, ...]
    """The first one is the primary."""
    account: str | None
    """The role's; None where only keys or the machine's own identity know it."""
    role: str | None
    external_id: str | None
    """What the role's trust policy asks for, if it does."""
    access_key_id: str | None = field(repr=False)
    secret_access_key: str | None = field(repr=False)

    @property
    def identity(self) -> str:
        """See `Target.identity`."""
        if self.role:
            return f"the role {self.role}"
        return "the user of the PAM Configuration's access keys" if self.access_key_id else super().identity


class Aws(Cloud):
    """AWS Secrets Manager."""

    type: ClassVar = CloudType.AWS
    names: ClassVar = AWS_NAMES
    value_limit: ClassVar = 65_536

    def target(self, configuration: Configuration, pam: PamConfiguration | None, source: str) -> AwsTarget:
        """See `Cloud.target`."""
        key, secret = _access_keys(configuration, pam, source)
        role = configuration.sync_identity
        account = _account(role, configuration, source)
        missing = (
            "is missing, and the PAM Configuration gives no access keys. Name a role's ARN, enter the keys in the PAM "
            "Configuration, or set `ambientCredentials: true` to use the machine's own identity."
        )
        require_sign_in(configuration, source, role or key, missing=missing)
        if configuration.external_id and not role:
            text = "is given, and no role asks for it. Name the role as syncIdentity, or leave it out."
            raise mistake(source, configuration.name, "externalId", text)
        require_tags(configuration, source, _tag_fault(configuration.tags))
        regions = _regions(configuration, pam, source)
        return AwsTarget(
            locations=tuple(f"aws:{account or key or 'ambient'}:{region}" for region in regions),
            regions=regions,
            account=account,
            role=role,
            external_id=configuration.external_id,
            access_key_id=key,
            secret_access_key=secret,
        )

    def held(self, resources: Iterable[StateResource]) -> tuple[HeldSecret, ...]:
        """See `Cloud.held`."""
        return tuple(_held(name, group) for name, group in by_record(resources, (SECRET, VERSION)))

    def reserves(self, key: str) -> bool:
        """See `Cloud.reserves`: AWS's own too, as CloudFormation's are."""
        return super().reserves(key) or key.lower().startswith(_AWS_OWN)

    def tag_fault(self, tags: Tags) -> str | None:
        """See `Cloud.tag_fault`."""
        return _tag_fault({key: value for key, value in tags.items() if key not in OWNERSHIP_TAGS})

    def move(self, held: HeldSecret, target: Target) -> Move | None:
        """See `Cloud.move`: another account, which no provider can move a secret to, or another first region."""
        match = _ARN.match(str(held.outputs(SECRET).get("arn")))
        if not isinstance(target, AwsTarget) or match is None:
            return None
        region, account = match["region"], match["account"]
        if target.account not in (None, account):
            return Move(f"the AWS account {account}", f"the AWS account {target.account}", possible=False)
        if region != target.regions[0]:
            return Move(f"the first region {region}", f"the first region {target.regions[0]}")
        return None

    def copies(self, held: HeldSecret, target: Target, configuration: Configuration) -> str | None:
        """See `Cloud.copies`: replicas that AWS makes, or copies of the sync's own."""
        if not isinstance(target, AwsTarget) or not held.outputs(SECRET):
            return None
        copied, replicated = sorted(_copied_to(held)), sorted(_replicated_to(held))
        before, after = copied or replicated, sorted(target.regions[1:])
        mode = configuration.region_mode
        was = RegionMode.INDEPENDENT if copied else RegionMode.REPLICATE if replicated else mode
        if (was, before) == (mode, after):
            return None
        becomes = "" if was is mode or not after else f"{_COPIES[mode]} "
        was_in, will_be_in = ", ".join(before) or "no region", ", ".join(after) or "none"
        return f"{_COPIES[was]} in {was_in}, from now on {becomes}in {will_be_in}"

    def lost_regions(self, held: HeldSecret, target: Target) -> tuple[str, ...]:
        """See `Cloud.lost_regions`."""
        if not isinstance(target, AwsTarget):
            return ()
        return tuple(sorted({*_replicated_to(held), *_copied_to(held)} - set(target.regions)))

    def deletion(self, configuration: Configuration) -> str:
        """See `Cloud.deletion`."""
        days = configuration.recovery_window_in_days
        return f"AWS can restore it for {days} days" if days else "at once and for good"


def places(target: AwsTarget, configuration: Configuration) -> list[tuple[str, str]]:
    """Return the regions in which a secret is created, each with its place in a logical name: none for the primary."""
    replicated = configuration.region_mode is RegionMode.REPLICATE
    primary, *others = target.regions
    return [(primary, ""), *((region, region) for region in ([] if replicated else others))]


def _replicated_to(held: HeldSecret) -> list[str]:
    return [str(replica["region"]) for replica in held.outputs(SECRET).get("replicas") or []]


def _copied_to(held: HeldSecret) -> list[str]:
    named = (LogicalName.parse(resource.name) for resource in held.resources if resource.type == SECRET)
    return [name.place for name in named if name and name.place]


def _access_keys(
    configuration: Configuration, pam: PamConfiguration | None, source: str
) -> tuple[str | None, str | None]:
    key = pam.text("Access Key Id") if pam else None
    secret = pam.text("Access Secret Key") if pam else None
    if pam and bool(key) != bool(secret):
        there, missing = ("Access Key Id", "Access Secret Key") if key else ("Access Secret Key", "Access Key Id")
        text = f"the PAM Configuration {shown(pam.title)} has an {there} and no {missing}. Enter both, or neither."
        raise mistake(source, configuration.name, "pamConfiguration", text)
    return key, secret


def _account(role: str | None, configuration: Configuration, source: str) -> str | None:
    if role is None:
        return None
    match = _ROLE.fullmatch(role)
    if match is None:
        text = f"found {shown(role)}. For AWS it is a role's ARN, as in arn:aws:iam::123456789012:role/keeper-uss."
        raise mistake(source, configuration.name, "syncIdentity", text)
    return match["account"]


def _regions(configuration: Configuration, pam: PamConfiguration | None, source: str) -> tuple[str, ...]:
    regions = configuration.regions or (pam.lines("Region Names") if pam else [])
    if not regions:
        text = "is empty, and the PAM Configuration names no regions. List the regions, as in [us-east-1, eu-west-1]."
        raise mistake(source, configuration.name, "regions", text)
    for region in regions:
        if not _REGION.fullmatch(region):
            text = f"found {shown(region)}. Use names of AWS regions, as in us-east-1."
            raise mistake(source, configuration.name, "regions", text)
    if doubled := [region for region, count in Counter(regions).items() if count > 1]:
        text = f"{doubled[0]} is listed more than once. List each region once, the primary one first."
        raise mistake(source, configuration.name, "regions", text)
    return tuple(regions)


def _tag_fault(tags: Mapping[str, str]) -> str | None:
    own = len(OWNERSHIP_TAGS)
    if len(tags) > _TAGS_MAXIMUM - own:
        return (
            f"{len(tags)} tags; AWS takes {_TAGS_MAXIMUM}, and the sync sets {own}. Give {_TAGS_MAXIMUM - own} at most."
        )
    for key, value in tags.items():
        if key in OWNERSHIP_TAGS:
            return f"{shown(key)} is a tag that the sync itself sets. Choose another key."
        if key.lower().startswith(_AWS_OWN) or not 1 <= len(key) <= _TAG_KEY_MAXIMUM or not _TAG_TEXT.fullmatch(key):
            return f"AWS takes no tag key {shown(key)}. Use 1 to 128 of {_TAG_WORDING}, and not aws: first."
        if len(value) > _TAG_VALUE_MAXIMUM or not _TAG_TEXT.fullmatch(value):
            return f"AWS takes no such value of the tag {shown(key)}. Use at most 256 of {_TAG_WORDING}."
    return None


def _held(name: LogicalName, group: list[StateResource]) -> HeldSecret:
    secrets = [resource.outputs for resource in group if resource.type == SECRET]
    values = tuple(resource.outputs.get("secretString") for resource in group if resource.type == VERSION)
    whole = len(values) == len(secrets)
    return HeldSecret(
        configuration=name.configuration,
        record_uid=name.record_uid,
        name=str(secrets[0]["name"]) if secrets else "",
        values=values if whole else (),
        tags=tuple(secret.get("tags") or {} for secret in secrets),
        resources=tuple(group),
    )
