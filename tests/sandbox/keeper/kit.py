"""What the tests of the Keeper vault share: a small vault, and Keeper's own client for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from keeper_secrets_manager_core import SecretsManager
from keeper_secrets_manager_core.storage import InMemoryKeyValueStorage

from uss.sandbox.keeper import KeeperServer

SHARED = "SharedFolder_________A"
INNER = "InnerFolder__________B"
DEEP = "DeepFolder___________C"
OTHER = "OtherFolder__________D"
DIRECT = "DirectRecord_________1"
AT_ROOT = "RootRecord___________2"
AT_INNER = "InnerRecord__________3"
AT_DEEP = "DeepRecord___________4"

VAULT: dict[str, Any] = {
    # The deep folder comes first, for the order of the file must not matter.
    "folders": [
        {"uid": DEEP, "name": "deep", "parent": INNER},
        {"uid": SHARED, "name": "Production"},
        {"uid": INNER, "name": "inner", "parent": SHARED},
        {"uid": OTHER, "name": "Other"},
    ],
    "records": [
        {"uid": DIRECT, "title": "direct", "fields": [{"type": "login", "value": ["me"]}]},
        {
            "uid": AT_ROOT,
            "folder": SHARED,
            "title": "at root",
            "fields": [{"type": "login", "value": ["root"]}, {"type": "password", "value": ["pass"]}],
        },
        {"uid": AT_INNER, "folder": INNER, "title": "at inner", "type": "databaseCredentials"},
        {"uid": AT_DEEP, "folder": DEEP, "title": "at deep", "notes": "a note"},
    ],
}


def write_vault(path: Path, content: Mapping[str, Any]) -> None:
    # Not PyYAML's own emitter: it writes U+0085 so that it is read back as a space.
    path.write_text(yaml.dump(dict(content), Dumper=yaml.CSafeDumper, allow_unicode=True), encoding="utf-8")


def read_vault(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def stored_record(path: Path, uid: str) -> dict[str, Any]:
    """Return a record as the vault file has it."""
    return next(record for record in read_vault(path)["records"] if record["uid"] == uid)


def client(server: KeeperServer) -> SecretsManager:
    """Return Keeper's client with a ready configuration."""
    return SecretsManager(config=InMemoryKeyValueStorage(json.dumps(server.client_config())))


def token_client(server: KeeperServer, token: str) -> SecretsManager:
    """Return Keeper's client with a one-time token, not bound yet."""
    known = server.client_config()
    return SecretsManager(
        token=token,
        hostname=server.hostname,
        config=InMemoryKeyValueStorage(),
        server_public_key=known["serverPublicKey"],
        server_public_key_id=known["serverPublicKeyId"],
    )
