"""Vaults to measure with: records of mixed types with values of about a kilobyte, spread over folders."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.sync.harness import OTHER_FOLDER, pam_record, uid, vault

FOLDERS = 20
VALUE = 1024
"""Characters of a record's long field."""
_ROOT = "FOLDER-benchmark-00001"
CREDENTIALS = "RECORD-ksmcredentials1"
"""The UID of the record that `ksm sync` takes its keys from."""
_KEYS = {
    "AWS Access Key ID": "AKIABENCH00000000001",
    "AWS Secret Access Key": "the-secret-key-of-the-benchmark",
    "AWS Region Name": "us-east-1",
}

Fields = list[dict[str, Any]]


def folder(number: int) -> str:
    """The UID of one of the folders."""
    return f"FOLDER-bench-{number:09d}"


def folders() -> list[str]:
    """The UIDs of all folders."""
    return [folder(number) for number in range(FOLDERS)]


def vault_of(records: int, edition: str = "first") -> Any:
    """A vault file's content. The `edition` is in the values: another one, and every value is another."""
    content = vault(*(_record(number, edition) for number in range(records)), _credentials())
    content["folders"] = [
        {"uid": OTHER_FOLDER, "name": "Other"},
        {"uid": _ROOT, "name": "Benchmark"},
        *({"uid": uid, "name": f"Team {number}", "parent": _ROOT} for number, uid in enumerate(folders())),
    ]
    content["records"][0] = pam_record()
    key_id, secret, _ = _KEYS.values()
    content["clouds"]["aws"]["accessKeys"] = [{"accessKeyId": key_id, "secretAccessKey": secret}]
    return content


def changed(content: Any, number: int, edition: str) -> Any:
    """The same vault, with one record's value changed."""
    records = [_record(number, edition) if record["uid"] == uid(number) else record for record in content["records"]]
    return {**content, "records": records}


def value(number: int, edition: str) -> str:
    """A kilobyte that nothing can compress: hexadecimal digits of hashes."""
    return "".join(_digits(f"{edition}/{number}"))[:VALUE]


def title(number: int) -> str:
    """A record's title, which is a legal name in every cloud."""
    return f"Service-{number:05d}"


def _record(number: int, edition: str) -> dict[str, Any]:
    kind, fields = _RECORDS[number % len(_RECORDS)]
    return {
        "uid": uid(number),
        "folder": folder(number % FOLDERS),
        "type": kind,
        "title": title(number),
        "fields": fields(value(number, edition)),
    }


def _digits(seed: str) -> Iterator[str]:
    for count in range(VALUE // 64):
        yield hashlib.sha256(f"{seed}/{count}".encode()).hexdigest()


def _login(value: str) -> Fields:
    return [{"type": "login", "value": ["app"]}, {"type": "password", "value": [value]}]


def _database(value: str) -> Fields:
    host = {"hostName": "db.example.com", "port": "5432"}
    return [{"type": "host", "value": [host]}, *_login(value), {"type": "text", "label": "type", "value": ["postgres"]}]


def _key(value: str) -> Fields:
    return [{"type": "secret", "label": "API Key", "value": [value]}]


def _keys(value: str) -> Fields:
    pair = {"privateKey": value, "publicKey": "ssh-ed25519 AAAA"}
    return [{"type": "login", "value": ["deploy"]}, {"type": "keyPair", "value": [pair]}]


_RECORDS: list[tuple[str, Callable[[str], Fields]]] = [
    ("login", _login),
    ("databaseCredentials", _database),
    ("encryptedNotes", lambda value: [{"type": "note", "value": [value]}]),
    ("sshKeys", _keys),
    ("login", _key),
]


def _credentials() -> dict[str, Any]:
    """The record from which `ksm sync` takes its keys."""
    custom = [{"type": "secret", "label": label, "value": [value]} for label, value in _KEYS.items()]
    return {"uid": CREDENTIALS, "folder": OTHER_FOLDER, "type": "login", "title": "ksm", "custom": custom}
