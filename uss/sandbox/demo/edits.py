"""What is done to the demo's vault: a key of its own at the start, and what somebody does between the two syncs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from uss.sandbox.demo.readers import PROJECT
from uss.sandbox.gcp import service_account_key
from uss.sandbox.vaultfile import Vault, VaultField, VaultRecord, dump_vault, load_vault

TOLD = (
    "the password of “Orders Database” is rotated",
    "“payments/stripe-key” is retitled to “payments/stripe-live-key”",
    "“New Relic License” is added",
    "“Mail Relay” is removed",
)


def put_service_account_key(path: Path) -> None:
    """Put a fresh service account key into the PAM Configuration for GCP: none is in the repository."""
    vault = load_vault(path)
    key = json.dumps(service_account_key("keeper-pam", PROJECT, "https://oauth2.googleapis.com/token"))
    entry = VaultField(type="json", label="pamServiceAccountKey", value=[key])
    pam = next(record for record in vault.records if record.type == "pamGcpConfiguration")
    pam.fields.append(entry)
    path.write_bytes(dump_vault(Vault(folders=vault.folders, records=vault.records, clouds=vault.clouds), path))


def edit(path: Path) -> None:
    """Make the edits in the vault file."""
    vault = load_vault(path)
    changed = [_edited(record) for record in vault.records if record.title != "Mail Relay"]
    added = VaultRecord(
        uid="RECORD-newrelic-000001",
        folder="FOLDER-production-0001",
        title="New Relic License",
        custom=[VaultField(type="secret", label="value", value=["nrak-made-up-0001"])],
    )
    path.write_bytes(dump_vault(Vault(folders=vault.folders, records=[*changed, added], clouds=vault.clouds), path))


def _edited(record: VaultRecord) -> VaultRecord:
    if record.title == "payments/stripe-key":
        return record.model_copy(update={"title": "payments/stripe-live-key"})
    if record.title == "Orders Database":
        return record.model_copy(update={"fields": [_rotated(field) for field in record.fields]})
    return record


def _rotated(field: VaultField) -> VaultField:
    new: dict[str, Any] = {"value": ["rotated-0001"]}
    return field.model_copy(update=new) if field.type == "password" else field
