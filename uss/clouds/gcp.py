"""GCP Secret Manager: one Secret for a record, and one SecretVersion for each of its values that stays.

Sources: the Secret Manager API (projects.secrets), its quotas, and the gcp provider's resources
`secretmanager.Secret` and `secretmanager.SecretVersion`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from uss.clouds.interface import (
    OWNERSHIP_TAGS,
    Cloud,
    HeldSecret,
    LogicalName,
    Move,
    Ownership,
    Tags,
    Target,
    by_record,
    require_sign_in,
    require_tags,
)
from uss.config import CloudType, Configuration, mistake
from uss.keeper.pam import PamConfiguration
from uss.keeper.records import Record
from uss.records.naming import NameRules
from uss.state import StateResource
from uss.text import encodable, printable, shown

SECRET = "gcp:secretmanager/secret:Secret"  # noqa: S105 - a resource type
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"

LABEL, ANNOTATION = "labels/", "annotations/"
"""A secret has labels, which are lower case and short, and annotations, which hold the rest: both are tags here."""

_EMAIL = re.compile(r"^[^@\s]+@[a-z0-9.-]+\.gserviceaccount\.com\Z")
# GCP, "Label secrets": keys start with a letter; letters may be of any alphabet without case.
_LABEL_KEY = re.compile(r"^[a-z][a-z0-9_-]{0,62}\Z")
_LABEL_VALUE = re.compile(r"^[a-z0-9_-]{0,63}\Z")
# The same API, Secret.annotations.
_ANNOTATION_KEY = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\Z")
_TITLE_LENGTH = 1_000
"""Characters of a record's title in its annotation: all annotations together have 16 KiB."""
_LABELS = frozenset({"managed-by", "source"})
_LABELS_MAXIMUM = 64 - 1
"""GCP takes 64; the provider sets one of its own (`goog-pulumi-provisioned`) on every secret that it creates."""

_ANNOTATIONS_LIMIT = 16 * 1024
_TITLE, _GOOGLES_OWN = "keeper-record-title", "goog-"


# Keeper, Universal Secrets Sync, "Secret Naming Rules"; GCP Secret Manager, projects.secrets.create, secretId.
GCP_NAMES = NameRules(
    cloud="GCP Secret Manager",
    maximum=255,
    allowed=re.compile(r"[A-Za-z0-9_-]"),
    first=re.compile(r"[A-Za-z]"),
    last=re.compile(r"[A-Za-z0-9_]"),
    wording="1 to 255 letters, digits, hyphens and underscores, a letter first, no hyphen last",
)


@dataclass(frozen=True)
class GcpTarget(Target):
    """Project, replication and identity of one configuration."""

    project: str
    replication: tuple[str, ...]
    """Locations of the replicas, in alphabetical order; none: GCP replicates by itself."""
    impersonate: str | None
    credentials: str | None = field(repr=False)

    @property
    def identity(self) -> str:
        """See `Target.identity`."""
        if self.impersonate:
            return f"the service account {self.impersonate}"
        if self.credentials:
            return f"the service account {printable(str(json.loads(self.credentials)['client_email']))}"
        return super().identity


class Gcp(Cloud):
    """GCP Secret Manager."""

    type: ClassVar = CloudType.GCP
    names: ClassVar = GCP_NAMES
    value_limit: ClassVar = 65_536

    def target(self, configuration: Configuration, pam: PamConfiguration | None, source: str) -> GcpTarget:
        """See `Cloud.target`."""
        key = _key(configuration, pam, source)
        identity = configuration.sync_identity
        if identity and not _EMAIL.match(identity):
            text = f"found {shown(identity)}. For GCP it is a service account's e-mail address, as in "
            text += "keeper-uss@my-project.iam.gserviceaccount.com."
            raise mistake(source, configuration.name, "syncIdentity", text)
        missing = (
            "is missing or names no PAM Configuration with a service account key. Enter the key there, or set "
            "`ambientCredentials: true` to use the machine's own identity."
        )
        require_sign_in(configuration, source, key, key="pamConfiguration", missing=missing)
        project = configuration.project or (key or {}).get("project_id")
        if not project:
            raise mistake(source, configuration.name, "project", "is missing, and the service account key names none.")
        require_tags(configuration, source, _label_fault(configuration.tags))
        return GcpTarget(
            locations=(f"gcp:{project}",),
            project=project,
            replication=tuple(sorted(configuration.replication_locations)),
            impersonate=identity,
            credentials=json.dumps(key) if key else None,
        )

    def held(self, resources: Iterable[StateResource]) -> tuple[HeldSecret, ...]:
        """See `Cloud.held`."""
        return tuple(_held(name, group) for name, group in by_record(resources, (SECRET, VERSION)))

    def tags(self, configuration: Configuration, ownership: Ownership, record: Record, content_type: str) -> Tags:
        """See `Cloud.tags`: as labels where GCP takes the values, else as annotations; the title too."""
        own = ownership.tags(record.uid, content_type) | {_TITLE: encodable(record.title[:_TITLE_LENGTH])}
        labels = configuration.tags | {key: value for key, value in own.items() if key in _LABELS}
        return {LABEL + key: value for key, value in labels.items()} | {
            ANNOTATION + key: value for key, value in own.items() if key not in _LABELS
        }

    def reserves(self, key: str) -> bool:
        """See `Cloud.reserves`: the record's title, and Google's own, as the provider's label is."""
        name = key.removeprefix(LABEL).removeprefix(ANNOTATION)
        return super().reserves(name) or name == _TITLE or name.startswith(_GOOGLES_OWN)

    def tag_fault(self, tags: Tags) -> str | None:
        """See `Cloud.tag_fault`."""
        for key, value in tags.items():
            if not key.startswith((LABEL, ANNOTATION)):
                return f"GCP has no tags, but labels and annotations: write {shown(LABEL + key)}."
            name = key.removeprefix(LABEL)
            if key.startswith(LABEL) and not (_is_label(name) and name[:1].isalpha() and _is_label(value, empty=True)):
                return f"GCP takes no label {shown(name)}, or not its value"
            name = key.removeprefix(ANNOTATION)
            if key.startswith(ANNOTATION) and not _ANNOTATION_KEY.match(name):
                return f"GCP takes no annotation {shown(name)}"
        labels = sum(key.startswith(LABEL) for key in tags)
        if labels > _LABELS_MAXIMUM:
            return f"{labels} labels with the sync's own; GCP takes {_LABELS_MAXIMUM}."
        size = sum(
            len((key + value).encode()) - len(ANNOTATION) for key, value in tags.items() if key.startswith(ANNOTATION)
        )
        if size > _ANNOTATIONS_LIMIT:
            return f"annotations of {size:,} bytes with the sync's own; GCP takes {_ANNOTATIONS_LIMIT:,}."
        return None

    def move(self, held: HeldSecret, target: Target) -> Move | None:
        """See `Cloud.move`: another project."""
        project = held.outputs(SECRET).get("project")
        if not isinstance(target, GcpTarget) or not project or project == target.project:
            return None
        return Move(f"the GCP project {project}", f"the GCP project {target.project}")

    def deletion(self, configuration: Configuration) -> str:
        """See `Cloud.deletion`."""
        return "at once and for good, with all its versions"

    def replacement(self, held: HeldSecret, target: Target) -> str | None:
        """See `Cloud.replacement`: replication cannot be changed."""
        secret = held.outputs(SECRET)
        if not secret or not isinstance(target, GcpTarget):
            return None
        before = replicas(secret)
        if before == target.replication:
            return None
        lost = ", and its own encryption key stays behind" if encryption(secret) else ""
        return f"its replication changes from {worded(before)} to {worded(target.replication)}{lost}"


def ordinal(resource: StateResource) -> int:
    """Return the number in the logical name of a SecretVersion: `v3` is the third value that the sync gave."""
    name = LogicalName.parse(resource.name)
    place = name.place if name else ""
    return int(place[1:]) if place[1:].isdigit() else 0


def belongs(version: StateResource, secret_id: str) -> bool:
    """Tell whether a version is one of the secret of this name; one whose secret is not known is taken for it."""
    container = str(version.outputs.get("secret") or "")
    return not container or container.rpartition("/")[2] == secret_id


def _key(configuration: Configuration, pam: PamConfiguration | None, source: str) -> dict[str, Any] | None:
    """Return the PAM Configuration's service account key. What is wrong with it is told without quoting it."""
    text = pam.text("pamServiceAccountKey") or pam.text("Service Account Key") if pam else None
    if text is None:
        return None
    mend = "Paste the whole JSON file that GCP gave for the service account's key."
    try:
        key = json.loads(text)
    except ValueError:
        key = None
    if not isinstance(key, dict):
        fault = f"the service account key in it is not a JSON object. {mend}"
        raise mistake(source, configuration.name, "pamConfiguration", fault)
    if key.get("type") != "service_account":
        fault = f"the key in it is of type {shown(str(key.get('type')))}, not service_account. {mend}"
        raise mistake(source, configuration.name, "pamConfiguration", fault)
    if missing := [name for name in ("client_email", "private_key", "token_uri") if not key.get(name)]:
        fault = f"the service account key in it lacks {', '.join(missing)}. {mend}"
        raise mistake(source, configuration.name, "pamConfiguration", fault)
    return key


def _is_label(text: str, *, empty: bool = False) -> bool:
    """Whether GCP takes a label's key or value: up to 63 letters of any alphabet, none of them a capital, and more."""
    fits = all(character in "-_" or (character.isalnum() and not character.isupper()) for character in text)
    return fits and (bool(text) or empty) and len(text) <= 63


def _label_fault(tags: Mapping[str, str]) -> str | None:
    if len(tags) > _LABELS_MAXIMUM - len(_LABELS):
        return f"{len(tags)} tags; GCP takes {_LABELS_MAXIMUM} labels, and the sync sets {len(_LABELS)}."
    for key, value in tags.items():
        if key in OWNERSHIP_TAGS:
            return f"{shown(key)} is a tag that the sync itself sets. Choose another key."
        if not _LABEL_KEY.match(key) or not _LABEL_VALUE.match(value):
            return (
                f"GCP takes no label {shown(key)}: {shown(value)}. Use lower-case letters, digits, _ and -, up to 63, "
                "the key with a letter first."
            )
    return None


def _held(name: LogicalName, group: list[StateResource]) -> HeldSecret:
    secret = next((resource.outputs for resource in group if resource.type == SECRET), None)
    # A run that was cut off in a rename leaves the new container beside the old one's version.
    mine = [entry for entry in group if entry.type == VERSION and secret and belongs(entry, str(secret["secretId"]))]
    versions = sorted(mine, key=ordinal)
    return HeldSecret(
        configuration=name.configuration,
        record_uid=name.record_uid,
        name=str(secret["secretId"]) if secret else "",
        values=(versions[-1].outputs.get("secretData"),) if versions and secret else (),
        tags=(_tags(secret),) if secret else (),
        resources=tuple(group),
    )


def _tags(secret: Mapping[str, Any]) -> Tags:
    return {LABEL + key: value for key, value in (secret.get("labels") or {}).items()} | {
        ANNOTATION + key: value for key, value in (secret.get("annotations") or {}).items()
    }


def replicas(secret: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the locations of a held secret's replicas, in alphabetical order; none: GCP replicates by itself."""
    return tuple(sorted(replica["location"] for replica in _replicas(secret)))


def encryption(secret: Mapping[str, Any]) -> dict[str, str]:
    """Return the customer's keys (CMEK) of a held secret by location, that of an automatic replication under ""."""
    automatic = (secret.get("replication") or {}).get("auto") or {}
    holders = {replica["location"]: replica for replica in _replicas(secret)} | {"": automatic}
    named = {place: holder.get("customerManagedEncryption") for place, holder in holders.items()}
    return {place: entry["kmsKeyName"] for place, entry in named.items() if entry}


def _replicas(secret: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return ((secret.get("replication") or {}).get("userManaged") or {}).get("replicas") or []


def worded(replication: tuple[str, ...]) -> str:
    """Return a replication in words."""
    return ", ".join(replication) or "automatic"
