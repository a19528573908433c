"""The vault file: what the sandbox's Keeper vault and its clouds hold at the start, as a person writes it.

    folders: [{uid, name, parent}]
    records: [{uid, folder, type, title, fields: [{type, label, value: [...]}], custom: [...], notes,
               files: [{name, content}], links: [...]}]
    clouds:  {aws: {account, accessKeys: [...], roles: [...]},     # optional
              azure: {identities: [...], subscriptions: [...], resourceGroups: [...], vaults: [...],
                      metadataService, limits: {...}}}

Unknown keys are errors. A record without `folder` is shared with the application one by one.

YAML is read with JSON's types only: `007`, `+49301234567`, `yes`, `12:30` and `2024-01-31` stay the text that was
written, for values are opaque. What `yaml.safe_dump` writes is read back as the same values. A file that is JSON is
read as JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from uss.sandbox import jsonyaml
from uss.sandbox.quotas import AzureLimits
from uss.sandbox.serviceaccounts import read_key


class VaultFileError(Exception):
    """The vault file cannot be used: says which file, where in it, and why."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


def _base64(text: str | None) -> str | None:
    try:
        base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None
    return text


class VaultFolder(_Model):
    """A folder; one without `parent` is a shared folder, the others lie inside one."""

    uid: str
    name: str
    parent: str | None = None


class VaultField(_Model):
    """A field of a typed record, in Keeper's own shape."""

    type: str
    label: str | None = None
    value: list[Any] = Field(default_factory=list)
    required: bool | None = None
    privacy_screen: bool | None = None
    enforce_generation: bool | None = None
    complexity: dict[str, Any] | None = None
    """The rules for a generated password: length and how many of each kind of character."""


class VaultFileAttachment(_Model):
    """A file attached to a record: `content` is text, `contentBase64` any bytes."""

    uid: str | None = None
    name: str
    title: str | None = None
    """What the vault shows; the name where there is none."""
    type: str | None = None
    """The media type; guessed from the name where there is none."""
    last_modified: int | None = None
    """Milliseconds since 1970."""
    content: str | None = None
    content_base64: Annotated[str | None, AfterValidator(_base64)] = None

    def data(self) -> bytes:
        """Return the attachment's bytes."""
        if self.content_base64 is not None:
            return base64.b64decode(self.content_base64)
        return (self.content or "").encode()


class VaultLink(_Model):
    """A link from a record to another one, as PAM records have them."""

    record_uid: str
    path: str | None = None
    data: dict[str, Any] | None = None


class VaultRecord(_Model):
    """A typed record. `undecryptable: true` makes the service answer with bytes that no key opens."""

    uid: str
    folder: str | list[str] | None = None
    """The folder's UID; a list where the record is shown in several folders (a shortcut in Keeper's words)."""
    type: str = "login"
    title: str
    fields: list[VaultField] = Field(default_factory=list)
    custom: list[VaultField] = Field(default_factory=list)
    notes: str | None = None
    files: list[VaultFileAttachment] = Field(default_factory=list)
    links: list[VaultLink] = Field(default_factory=list)
    undecryptable: bool = False

    @property
    def folder_uids(self) -> list[str]:
        """The UIDs of the folders that show the record; none where it is shared one by one."""
        if self.folder is None:
            return []
        return [self.folder] if isinstance(self.folder, str) else self.folder


AwsAccount = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]


class AwsAccessKey(_Model):
    """An access key of an IAM user. `allows` are IAM actions, `*` among them as a wildcard."""

    access_key_id: str
    secret_access_key: str
    user: str | None = None
    account: AwsAccount | None = None
    allows: list[str] = Field(default_factory=lambda: ["*"])


class AwsRole(_Model):
    """A role: `trusts` holds ARNs, account numbers or access key IDs of those who may assume it."""

    arn: Annotated[str, StringConstraints(pattern=r"^arn:aws:iam::\d{12}:role/\S+$")]
    trusts: list[str]
    external_id: str | None = None
    allows: list[str] = Field(default_factory=lambda: ["*"])


class AwsCloud(_Model):
    """The AWS side: the account of keys that name none, more access keys, and the roles."""

    account: AwsAccount = "123456789012"
    access_keys: list[AwsAccessKey] = Field(default_factory=list)
    roles: list[AwsRole] = Field(default_factory=list)


def _service_account_key(value: str | dict[str, Any] | None) -> str | dict[str, Any] | None:
    if value is not None:
        read_key(value)
    return value


class GcpProject(_Model):
    """A project, and the APIs that are not enabled in it, such as `secretmanager.googleapis.com`."""

    id: Annotated[str, StringConstraints(min_length=1)]
    disabled_services: list[str] = Field(default_factory=list)


class GcpServiceAccount(_Model):
    """A service account. `allows` are IAM permissions with `*` as a wildcard, on all projects; `impersonators` are the
    e-mail addresses of those who have Token Creator on it.
    """

    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
    private_key: Annotated[str | dict[str, Any] | None, AfterValidator(_service_account_key)] = None
    """In PEM, or the JSON that Google hands out, as text or as an object; none: nobody can sign as it, it is only
    impersonated.
    """
    allows: list[str] = Field(default_factory=lambda: ["*"])
    impersonators: list[str] = Field(default_factory=list)


class GcpQuotas(_Model):
    """Secret Manager's requests in a minute and project; Google's own numbers where the file says nothing else."""

    access: Annotated[int, Field(ge=0)] = 90_000
    read: Annotated[int, Field(ge=0)] = 600
    write: Annotated[int, Field(ge=0)] = 600


class GcpCloud(_Model):
    """The GCP side: projects besides those of the PAM Configurations' keys, and service accounts."""

    projects: list[str | GcpProject] = Field(default_factory=list)
    service_accounts: list[GcpServiceAccount] = Field(default_factory=list)
    quotas: GcpQuotas | None = None
    """None: nothing is counted, since a trial is not to wait for a minute's end."""


AzureScope = Annotated[str, StringConstraints(pattern=r"^/subscriptions/[^/]+(/[^/]+)*$", to_lower=True)]


class AzureIdentity(_Model):
    """A managed identity (no secret: tokens come from the metadata service) or a service principal (with one).

    `allows` are actions of Azure's roles, control plane and data plane, with `*` as a wildcard. They hold for `scopes`,
    which are resource IDs with all that lies under them; none: the identity's whole tenant.
    """

    client_id: str
    principal_id: str = ""
    client_secret: str | None = None
    tenant: str
    allows: list[str] = Field(default_factory=lambda: ["*"])
    scopes: list[AzureScope] = Field(default_factory=list)


class AzureSubscription(_Model):
    """A subscription whose tenant neither a PAM Configuration nor a key vault says."""

    id: str
    tenant: str


class AzureResourceGroup(_Model):
    """A resource group."""

    subscription: str
    name: str
    location: str = "westeurope"


class AzureVault(_Model):
    """A key vault that is there from the start, and that the sync did not make."""

    subscription: str
    tenant: str | None = None
    """None: that of the subscription."""
    resource_group: str
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z](-?[A-Za-z0-9])+$", min_length=3, max_length=24)]
    location: str = "westeurope"
    rbac: bool = True
    """False: access policies say who may use its secrets, and at first there are none."""
    purge_protection: bool = False


class AzureCloud(_Model):
    """The Azure side: identities and resources besides those of the PAM Configurations."""

    identities: list[AzureIdentity] = Field(default_factory=list)
    subscriptions: list[AzureSubscription] = Field(default_factory=list)
    resource_groups: list[AzureResourceGroup] = Field(default_factory=list)
    vaults: list[AzureVault] = Field(default_factory=list)
    metadata_service: bool = True
    """Whether the machine is one of Azure's: false, and managed identities get no tokens."""
    limits: AzureLimits = AzureLimits()


class Clouds(_Model):
    """What the clouds know of identities."""

    aws: AwsCloud = Field(default_factory=AwsCloud)
    azure: AzureCloud = Field(default_factory=AzureCloud)
    gcp: GcpCloud = Field(default_factory=GcpCloud)


class Vault(_Model):
    """The whole vault file."""

    folders: list[VaultFolder] = Field(default_factory=list)
    records: list[VaultRecord] = Field(default_factory=list)
    clouds: Clouds = Field(default_factory=Clouds)


def load_vault(path: Path) -> Vault:
    """Read a vault file; raise `VaultFileError` naming the file, the place and the fault, never a value."""
    try:
        return parse_vault(path.read_bytes(), path)
    except OSError as error:
        raise VaultFileError(f"{path}: cannot be read: {error.strerror}") from error


def parse_vault(content: bytes, path: Path) -> Vault:
    """Read the content of the vault file at `path`; raise `VaultFileError` as `load_vault` does."""
    try:
        vault = Vault.model_validate(_parse(content.decode("utf-8")) or {})
    except UnicodeDecodeError as error:
        raise VaultFileError(f"{path}: is not UTF-8 text: byte {error.start} is not part of a character") from None
    except yaml.YAMLError as error:
        raise VaultFileError(f"{path}: {_yaml_fault(error)}") from None
    except ValidationError as error:
        raise VaultFileError(f"{path}: {validation_faults(error)}") from None
    except (ValueError, RecursionError):
        raise VaultFileError(f"{path}: holds a number that is too long, or nests too deep") from None
    check_vault(vault, path)
    return vault


def _parse(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            pass  # YAML's flow style also starts with a brace
    return jsonyaml.load(text)


def _yaml_fault(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    # The parser quotes what it stumbled over, and that may be a value.
    problem = re.sub(r"'.*'|\".*\"", "...", getattr(error, "problem", None) or "malformed", flags=re.DOTALL)
    return f"is not YAML{place}: {problem}"


def validation_faults(error: ValidationError) -> str:
    """Say where a vault's content is wrong and how, without the values."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    )


def dump_vault(vault: Vault, path: Path) -> bytes:
    """Return the YAML for `path` that `load_vault` reads back as the same vault; comments are not kept.

    Raises `VaultFileError` when a text cannot be written as UTF-8.
    """
    content = vault.model_dump(by_alias=True, exclude_unset=True)
    try:
        return jsonyaml.dump(content).encode()
    except UnicodeEncodeError:
        raise VaultFileError(f"{path}: a text holds half of a surrogate pair, which YAML cannot hold") from None


def check_vault(vault: Vault, path: Path) -> None:
    """Check that the parts of a vault fit together; raise `VaultFileError` naming the UID that does not."""
    fault = next(_faults(vault), None)
    if fault:
        raise VaultFileError(f"{path}: {fault}")


def _faults(vault: Vault) -> Iterator[str]:
    yield from _uid_faults("folder", (folder.uid for folder in vault.folders))
    yield from _uid_faults("record", (record.uid for record in vault.records))
    for record in vault.records:
        yield from (f"record {record.uid}: {fault}" for fault in _record_faults(record))
    parents = {folder.uid: folder.parent for folder in vault.folders}
    yield from _parent_faults(parents)
    for record in vault.records:
        unknown = (uid for uid in record.folder_uids if uid not in parents)
        yield from (f"record {record.uid}: its folder {uid} is not among the folders" for uid in unknown)
    names = Counter((role.arn.split(":")[4], role.arn.rpartition("/")[2]) for role in vault.clouds.aws.roles)
    yield from (
        f"account {account} has {count} roles named {name}" for (account, name), count in names.items() if count > 1
    )
    emails = Counter(account.email for account in vault.clouds.gcp.service_accounts)
    yield from (f"the service account {email} is named {count} times" for email, count in emails.items() if count > 1)


def _uid_faults(kind: str, uids: Iterable[str]) -> Iterator[str]:
    for uid, count in Counter(uids).items():
        if not uid.strip():
            yield f"a {kind} has an empty UID, which Keeper's clients take for none: write 22 characters of base64"
        if count > 1:
            yield f"the {kind} UID {uid} is used {count} times: give each {kind} its own"


def _record_faults(record: VaultRecord) -> Iterator[str]:
    yield from _uid_faults("file", (file.uid for file in record.files if file.uid is not None))
    for uid, count in Counter(record.folder_uids).items():
        if count > 1:
            yield f"its folder {uid} is named {count} times: name it once"


def _parent_faults(parents: dict[str, str | None]) -> Iterator[str]:
    sound: set[str] = set()
    for start in parents:
        way: list[str] = []
        uid: str | None = start
        while uid is not None and uid not in sound:
            if uid in way:
                yield f"folder {uid}: lies inside itself through its parents"
                break
            if uid not in parents:
                yield f"folder {way[-1]}: its parent {uid} is not among the folders"
                break
            way.append(uid)
            uid = parents[uid]
        sound.update(way)
