"""Creating records, for the import alone: the sync never writes to the vault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from keeper_secrets_manager_core import SecretsManager
from keeper_secrets_manager_core.configkeys import ConfigKeys
from keeper_secrets_manager_core.dto.dtos import RecordCreate
from keeper_secrets_manager_core.dto.payload import CreateOptions

from uss.errors import VaultDeniedError
from uss.keeper.access import Access
from uss.keeper.client import translated
from uss.keeper.snapshot import Folder, Snapshot


class RecordWriter:
    """Creates records in one folder. Keeper's SDK creates one with each call, and waits by itself where Keeper
    throttles.
    """

    def __init__(self, access: Access, snapshot: Snapshot, folder: Folder) -> None:
        """Read the folders' keys; raise a `VaultError` where the application cannot create records."""
        storage = access.storage()
        if not storage.get(ConfigKeys.KEY_OWNER_PUBLIC_KEY):
            raise VaultDeniedError(
                f"Keeper access: {access.source} has no key of the application's owner, so it cannot create records. "
                "Make a new client of the application in Keeper, and use its configuration."
            )
        shared = snapshot.shared_folder(folder)
        self._options = CreateOptions(shared.uid, folder.uid if folder.uid != shared.uid else None)
        with translated():
            self._manager = SecretsManager(config=storage)
            self._folders = self._manager.get_folders()

    def create(self, content: Mapping[str, Any]) -> str:
        """Create a record of this content (a typed record's JSON) and return its UID.

        Raises a `VaultError`. With `VaultUnavailableError` it is not known whether the record was created.
        """
        with translated():
            uid: str = self._manager.create_secret_with_options(self._options, _Content(content), self._folders)
        return uid


class _Content(RecordCreate):  # type: ignore[misc]  # the SDK has no types
    """A record's JSON as it is: the SDK's own class is filled field by field, which would change nothing."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        super().__init__(content["type"], content["title"])
        self._content = content

    def to_json(self) -> str:
        return json.dumps(self._content, ensure_ascii=False)
