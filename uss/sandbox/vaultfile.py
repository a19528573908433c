"""The vault file: what the sandbox's Keeper vault and its clouds hold at the start, as a person writes it.

    folders: [{uid, name, parent}]
    records: [{uid, folder, type, title, fields: [{type, label, value: [...]}], custom: [...], notes,
               files: [{name, content}], links: [...]}]
    clouds:  {aws: {account, accessKeys: [...], roles: [...]},     # optional
              azure: {identities: [...], subscriptions: [...], resourceGroups: [...], vaults: [...],
                      metadataService, limits: {...}},
              gcp: {projects: [...], serviceAccounts: [...], workloadIdentityProviders: [...], quotas: {...}},
              issuers: {URL: public key}}

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
from pydantic import AfterValidator, Field, ValidationError

from uss.sandbox import jsonyaml
from uss.sandbox.vaultclouds import Clouds, FileModel


class VaultFileError(Exception):
    """The vault file cannot be used: says which file, where in it, and why."""


def _base64(text: str | None) -> str | None:
    try:
        base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None
    return text


class VaultFolder(FileModel):
    """A folder; one without `parent` is a shared folder, the others lie inside one."""

    uid: str
    name: str
    parent: str | None = None


class VaultField(FileModel):
    """A field of a typed record, in Keeper's own shape."""

    type: str
    label: str | None = None
    value: list[Any] = Field(default_factory=list)
    required: bool | None = None
    privacy_screen: bool | None = None
    enforce_generation: bool | None = None
    complexity: dict[str, Any] | None = None
    """The rules for a generated password: length and how many of each kind of character."""


class VaultFileAttachment(FileModel):
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


class VaultLink(FileModel):
    """A link from a record to another one, as PAM records have them."""

    record_uid: str
    path: str | None = None
    data: dict[str, Any] | None = None


class VaultRecord(FileModel):
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


class Vault(FileModel):
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
