"""The vault file: what the sandbox's Keeper vault and its clouds hold at the start, as a person writes it.

    folders: [{uid, name, parent}]
    records: [{uid, folder, type, title, fields: [{type, label, value: [...]}], custom: [...], notes,
               files: [{name, content}], links: [...]}]
    clouds:  {aws: {account, accessKeys: [...], roles: [...]}}     # optional

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
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from yaml.constructor import ConstructorError


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


class AwsAccessKey(_Model):
    """An access key of an IAM user. `allows` are IAM actions, `*` among them as a wildcard."""

    access_key_id: str
    secret_access_key: str
    user: str | None = None
    account: str | None = None
    allows: list[str] = Field(default_factory=lambda: ["*"])


class AwsRole(_Model):
    """A role: `trusts` holds ARNs, account numbers or access key IDs of those who may assume it."""

    arn: str
    trusts: list[str]
    external_id: str | None = None
    allows: list[str] = Field(default_factory=lambda: ["*"])


class AwsCloud(_Model):
    """The AWS side: the account of keys that name none, more access keys, and the roles."""

    account: str = "123456789012"
    access_keys: list[AwsAccessKey] = Field(default_factory=list)
    roles: list[AwsRole] = Field(default_factory=list)


class Clouds(_Model):
    """What the clouds know of identities."""

    aws: AwsCloud = Field(default_factory=AwsCloud)


class Vault(_Model):
    """The whole vault file."""

    folders: list[VaultFolder] = Field(default_factory=list)
    records: list[VaultRecord] = Field(default_factory=list)
    clouds: Clouds = Field(default_factory=Clouds)


class _JsonTypesLoader(yaml.CSafeLoader):
    """YAML with JSON's types: a plain scalar is null, a boolean, a JSON number, or else text."""

    # Each pattern accepts less than PyYAML's own, so that what its dumper leaves unquoted keeps its type.
    yaml_implicit_resolvers = {}

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        """Do nothing: only resolvers for paths need to know where a value is, and there are none."""

    def ascend_resolver(self) -> None:
        """Do nothing, as above."""

    def get_single_data(self) -> Any:
        """Return the document's content."""
        node = self.get_single_node()
        return None if node is None else self._value(node)

    def _value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            self.flatten_mapping(node)  # YAML's merge keys
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item) for item in node.value]
        make = _SCALARS.get(node.tag)
        if make is None:
            raise ConstructorError(
                None, None, "a value has a tag that stands for none of JSON's types", node.start_mark
            )
        return make(node.value)

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag != _TAG + "str":
                raise ConstructorError(None, None, "a key is not text", key.start_mark)
            mapping[key.value] = self._value(value)
        return mapping


_TAG = "tag:yaml.org,2002:"
_SCALARS: Mapping[str, Callable[[str], Any]] = {
    _TAG + "null": lambda text: None,
    _TAG + "bool": lambda text: text.lower() == "true",
    _TAG + "int": int,
    _TAG + "float": float,
    _TAG + "str": str,
}

for _name, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    ("int", r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?", list("-0123456789")),
    ("merge", r"<<", ["<"]),
):
    _JsonTypesLoader.add_implicit_resolver(_TAG + _name, re.compile(f"^{_pattern}$"), _first)


class _Dumper(yaml.CSafeDumper):
    """libyaml's emitter, for PyYAML's own writes U+0085 so that it is read back as a space."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write out a value each time it occurs."""
        return True


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
    except (ValueError, RecursionError) as error:
        raise VaultFileError(f"{path}: is too long a number or too deep a nesting: {type(error).__name__}") from None
    check_vault(vault, path)
    return vault


def _parse(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            pass  # YAML's flow style also starts with a brace
    return yaml.load(text, Loader=_JsonTypesLoader)  # noqa: S506 - derived from the safe loader


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
        text: str = yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**9)
    except UnicodeEncodeError:
        raise VaultFileError(f"{path}: a text holds half of a surrogate pair, which YAML cannot hold") from None
    return text.encode()


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
