"""What clients send, as keeper-secrets-manager-core's `dto/payload.py` has it; unknown keys are left alone."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from uss.sandbox.keeper.exceptions import BadRequestError
from uss.sandbox.vaultfile import validation_faults


class Payload(BaseModel):
    """What every call says: who calls, and, from a device that is not bound yet, its public key."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)

    client_id: str
    public_key: str | None = None


class GetPayload(Payload):
    """Read records or folders; a filter that is missing or empty lets everything through."""

    requested_records: list[str] | None = None
    requested_folders: list[str] | None = None
    request_links: bool | None = None


class CreatePayload(Payload):
    """Add a record. `folder_key` is the record's key under the folder's, `record_key` the same for the owner."""

    record_uid: str
    record_key: str
    folder_uid: str
    folder_key: str
    data: str
    sub_folder_uid: str | None = None


class UpdatePayload(Payload):
    """Replace a record's data."""

    record_uid: str
    data: str
    revision: int | None = None
    transaction_type: str | None = None
    links_to_remove: list[str] | None = Field(default=None, alias="links2Remove")


class CompleteTransactionPayload(Payload):
    """Finalize or roll back an update."""

    record_uid: str


class DeletePayload(Payload):
    """Delete records."""

    record_uids: list[str]


class CreateFolderPayload(Payload):
    """Add a folder. `shared_folder_key` is the new folder's key under the shared folder's."""

    folder_uid: str
    shared_folder_uid: str
    shared_folder_key: str
    data: str
    parent_uid: str | None = None


class UpdateFolderPayload(Payload):
    """Rename a folder."""

    folder_uid: str
    data: str


class DeleteFolderPayload(Payload):
    """Delete folders."""

    folder_uids: list[str]
    force_deletion: bool = False


class FileUploadPayload(Payload):
    """Announce a file. `link_key` is the file's key under the record's, `file_record_key` the same for the owner."""

    file_record_uid: str
    file_record_key: str
    file_record_data: str
    owner_record_uid: str
    owner_record_data: str
    owner_record_revision: int | None = None
    link_key: str
    file_size: int


AnyPayload = TypeVar("AnyPayload", bound=Payload)


def parse(kind: type[AnyPayload], content: bytes) -> AnyPayload:
    """Read a call's JSON; raise `BadRequestError` naming what is missing or wrong."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise BadRequestError(f"The call's content is not as it should be: {validation_faults(error)}") from None
