"""Reading the vault: one whole snapshot, or one clear error.

Keeper's SDK retries throttled calls itself (five times, with growing waits), drops records that it cannot decrypt
without an error, and waits without limit for an answer. So the read is checked for completeness here, retried when
the connection fails, and bounded in time. What only a read needs is imported there, as in `access`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from uss.errors import (
    ConfigurationError,
    VaultDeniedError,
    VaultError,
    VaultIncompleteError,
    VaultThrottledError,
    VaultUnavailableError,
)
from uss.keeper.access import Access
from uss.keeper.records import Record, fields_of
from uss.keeper.snapshot import Snapshot, build_folders
from uss.text import shown

if TYPE_CHECKING:
    import requests
    from keeper_secrets_manager_core.exceptions import KeeperError

DEADLINE = 600.0
"""Seconds after which a read that still waits is given up: above the SDK's own longest wait for a throttled call."""
_PATIENCE = 15.0
_ATTEMPTS = 3

Report = Callable[[str], None]
T = TypeVar("T")


class VaultReading:
    """A read of all that the application may see, which has begun; whoever asks for the snapshot waits for it."""

    def __init__(self, access: Access) -> None:
        """Begin; raise `ConfigurationError` for an unusable `access`."""
        access.storage()  # what is wrong with it is told before anything is asked
        self._snapshot = _begin(partial(_read_with_retries, access))

    def snapshot(self, report: Report, deadline: float = DEADLINE, patience: float = _PATIENCE) -> Snapshot:
        """Wait for the snapshot. `report` gets a line each `patience` seconds without an answer.

        Raises a `VaultError`, or `ConfigurationError` where the machine is set up wrongly; then nothing of what was
        read may be used. `deadline` is in seconds from this call.
        """
        waited = 0.0
        while waited < deadline:
            done, _ = wait([self._snapshot], timeout=min(patience, deadline - waited))
            if done:
                return self._snapshot.result()
            waited += patience
            report(
                f"Keeper has not answered for {waited:.0f} s (it may be throttling); waiting up to {deadline:.0f} s."
            )
        raise VaultUnavailableError(
            f"Keeper gave no answer within {deadline:.0f} s. Nothing was changed; run it again."
        )


def read_vault(access: Access, report: Report, deadline: float = DEADLINE, patience: float = _PATIENCE) -> Snapshot:
    """Read all that the application may see, once, and wait for it: see `VaultReading`."""
    return VaultReading(access).snapshot(report, deadline, patience)


def _begin(work: Callable[[], T]) -> Future[T]:
    """Do it in a thread of its own, which can be left behind: the SDK's requests have no time limit of their own."""
    outcome: Future[T] = Future()

    def do() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
            outcome.set_exception(error)

    Thread(target=do, name="read-vault", daemon=True).start()
    return outcome


def _read_with_retries(access: Access) -> Snapshot:
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

    retrying = Retrying(
        retry=retry_if_exception(_passing),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_exponential_jitter(multiplier=0.2, max=5),
        reraise=True,
    )
    return retrying(_read_once, access)


def _passing(error: BaseException) -> bool:
    """Whether another try may help: the SDK has waited long enough already where Keeper throttles."""
    return isinstance(error, VaultUnavailableError | VaultIncompleteError) and not isinstance(
        error, VaultThrottledError
    )


def _read_once(access: Access) -> Snapshot:
    """Ask for records and folders side by side, by a client each: nothing says that threads may share one.

    A folder that is made between the two answers looks like one that is missing, and another try finds it.
    """
    from keeper_secrets_manager_core import SecretsManager

    with translated():
        folders = _begin(SecretsManager(config=access.storage()).get_folders)
        response = SecretsManager(config=access.storage()).get_secrets(full_response=True)
        listed = folders.result()
    return _whole(response, listed)


@contextmanager
def translated() -> Iterator[None]:
    """Raise what goes wrong in Keeper's SDK as a `VaultError`."""
    import requests
    from cryptography.exceptions import InvalidTag
    from keeper_secrets_manager_core.exceptions import KeeperError, KeeperThrottleError

    try:
        yield
    except KeeperThrottleError as error:
        raise VaultThrottledError(
            "Keeper throttles this application and went on doing so. Nothing was changed; run it again later."
        ) from error
    except KeeperError as error:
        raise _refused(error) from error
    except requests.exceptions.SSLError as error:
        raise VaultUnavailableError(
            "Keeper's certificate is not trusted on this machine. Where a private CA signs it, name the CA's file in "
            "REQUESTS_CA_BUNDLE. Nothing was changed."
        ) from error
    except requests.RequestException as error:
        raise VaultUnavailableError(
            f"Keeper could not be reached: {_http_fault(error)}. Nothing was changed; run it again."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"The authorities to check Keeper's certificate with cannot be read: {shown(str(error))}. Correct "
            "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, or unset it. Nothing was changed."
        ) from error
    except (InvalidTag, ValueError, TypeError, KeyError, AttributeError) as error:
        raise VaultIncompleteError(
            f"Keeper's answer could not be read ({type(error).__name__}): it is cut off, damaged, or encrypted for "
            "another application. Nothing was changed; run it again, and check the Secrets Manager configuration if it "
            "stays so."
        ) from error


def _refused(error: KeeperError) -> VaultError:
    said = shown(str(error))
    return VaultDeniedError(
        f"Keeper refused the application: {said}. Nothing was changed. Check in Keeper that the client still exists, "
        "is not locked to another IP address, and that the Secrets Manager configuration in use is its own."
    )


def _http_fault(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"it answered with HTTP status {error.response.status_code}"
    return type(error).__name__


def _whole(response: Any, folders: list[Any]) -> Snapshot:
    """Return the snapshot, or raise `VaultIncompleteError` when anything that Keeper sent could not be read."""
    bad = [f"record {entry['r'].get('recordUid')}" for entry in response.bad_records]
    bad += [f"folder {entry['f'].get('folderUid')} with all its records" for entry in response.bad_folders]
    if bad:
        raise VaultIncompleteError(
            f"{len(bad)} of the vault's parts could not be decrypted: {', '.join(bad[:5])}. Nothing was changed. Share "
            "it with the application anew in Keeper, or take it out."
        )
    try:
        by_uid = build_folders((folder.folder_uid, folder.name, folder.parent_uid or None) for folder in folders)
        records = _merged(response.records)
    except ValueError as error:
        raise VaultIncompleteError(
            f"Keeper's answer is not whole: {error}. Nothing was changed; run it again."
        ) from error
    for record in records:
        if unknown := record.folders - by_uid.keys():
            raise VaultIncompleteError(
                f"Keeper's answer is not whole: record {record.uid} lies in folder {min(unknown)}, which is not among "
                "the folders answered. Nothing was changed; run it again."
            )
    return Snapshot(folders=by_uid, records=records)


def _merged(answers: list[Any]) -> tuple[Record, ...]:
    """A record with shortcuts is answered once for each folder: make it one, ordered by UID."""
    records: dict[str, Record] = {}
    for answer in answers:
        folder = answer.inner_folder_uid or answer.folder_uid
        seen = records.get(answer.uid)
        folders = frozenset({folder} if folder else ()) | (seen.folders if seen else frozenset())
        try:
            records[answer.uid] = _record(answer, folders)
        except ValueError as error:
            raise ValueError(f"record {answer.uid} has {error}") from error
    return tuple(records[uid] for uid in sorted(records))


def _record(answer: Any, folders: frozenset[str]) -> Record:
    return Record(
        uid=answer.uid,
        title=answer.title or "",
        type=answer.type or "",
        revision=int(answer.revision or 0),
        folders=folders,
        fields=fields_of(answer.dict),
        notes=answer.dict.get("notes") or "",
        attachments=tuple(file.name or file.title or "" for file in answer.files),
    )
