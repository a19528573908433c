"""The import: each secret of the cloud that the filters pass becomes a record, once.

What was imported is known by the record's `uss:source`. So a run that was interrupted goes on where it stopped, and
nothing is created twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from uss.clouds.interface import MANAGED_BY
from uss.errors import VaultDeniedError, VaultUnavailableError
from uss.importer.readers.filters import Filters
from uss.importer.readers.interface import Reader, marks
from uss.importer.readers.secrets import CloudSecret, Listed, Skipped
from uss.importer.records import NewRecord, new_record
from uss.keeper import Folder, Record, Snapshot, read_vault
from uss.keeper.writing import RecordWriter
from uss.planning.candidates import examine
from uss.planning.plan import Refusal
from uss.records.origin import Label, reserved_text
from uss.text import shown
from uss.workplace.opening import Say, Workplace

_ATTEMPTS = 5
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class Present:
    """A secret that was imported before."""

    listed: Listed
    record_uid: str


@dataclass(frozen=True)
class Prepared:
    """A secret and the record for it; `record_uid` once it is created."""

    secret: CloudSecret
    record: NewRecord
    record_uid: str | None = None

    @property
    def listed(self) -> Listed:
        """The secret as the list told of it."""
        return self.secret.listed


Outcome = Present | Prepared | Skipped


@dataclass
class Importer:
    """Imports into one folder. With `dry_run` no record is created."""

    workplace: Workplace
    folder: Folder
    record_type: str
    say: Say
    dry_run: bool
    _created: int = 0
    _titles: dict[str, str] = field(init=False)
    _writer: RecordWriter | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        records = [*self.workplace.snapshot.records_in([self.folder], include_subfolders=False)]
        # Two records of one title in the linked folders would share a name, and neither be synced.
        records += self.workplace.linked.records
        self._titles = {record.title: record.uid for record in records}
        if not self.dry_run:
            self._writer = RecordWriter(self.workplace.access, self.workplace.snapshot, self.folder)

    def run(self, reader: Reader, filters: Filters) -> Iterator[tuple[int, int, Outcome]]:
        """Give what became of each secret, with its number and how many there are, as it happens.

        Raises a `CloudError` or a `VaultError` where it cannot go on; what was imported until then stays.
        """
        done = imported_records(self.workplace.snapshot)
        listed = sorted(reader.list(filters), key=lambda entry: (entry.name, entry.source))
        for number, entry in enumerate(listed, 1):
            yield number, len(listed), self._outcome(entry, reader, done)

    def _outcome(self, listed: Listed, reader: Reader, done: Mapping[str, str]) -> Outcome:
        if uid := done.get(listed.source):
            return Present(listed, uid)
        prepared = self._prepare(listed, reader)
        if isinstance(prepared, Skipped) or self._writer is None:
            return prepared
        try:
            uid = self._create(self._writer, prepared)
        except VaultDeniedError as error:
            if not self._created:
                raise
            return Skipped(listed, f"was refused: {error}")
        self._created += 1
        return Prepared(prepared.secret, prepared.record, uid)

    def _prepare(self, listed: Listed, reader: Reader) -> Prepared | Skipped:
        if listed.problem:
            return Skipped(listed, listed.problem)
        tags = marks(listed.tags)
        if tags.get("managed-by") == MANAGED_BY:
            stack = shown(tags.get("pulumi-stack", ""))
            return Skipped(listed, f"comes from Keeper: the stack {stack} syncs it")
        secret = reader.read(listed)
        if isinstance(secret, Skipped):
            return secret
        linked = self.workplace.linked
        record = new_record(secret, self.record_type, linked.configuration.name_prefix, linked.cloud.names)
        if isinstance(record, Skipped):
            return record
        refusal = examine(record.as_read(), linked, self.workplace.ownership)
        if isinstance(refusal, Refusal):
            return Skipped(listed, f"would not be synced: {refusal.found}")
        if taken := self._titles.get(record.title):
            return Skipped(
                listed, f"would have the title of the record {taken}, which is in the linked folders already"
            )
        self._titles[record.title] = "of another secret"
        return Prepared(secret, record)

    def _create(self, writer: RecordWriter, prepared: Prepared) -> str:
        """Create the record. Where no answer came it may be there: the vault is asked before another try."""
        retrying = Retrying(
            retry=retry_if_exception_type(VaultUnavailableError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=0.5, max=_LONGEST_PAUSE),
            reraise=True,
        )
        for attempt in retrying:
            with attempt:
                again = attempt.retry_state.attempt_number > 1
                found = self._find(prepared.listed.source) if again else None
                return found or writer.create(prepared.record.content())
        raise AssertionError("a retry ends with a result or an error")

    def _find(self, source: str) -> str | None:
        return imported_records(read_vault(self.workplace.access, self.say)).get(source)


def imported_records(snapshot: Snapshot) -> Mapping[str, str]:
    """Return the UIDs of imported records by the cloud secret that each one comes from."""
    sources = ((_source(record), record.uid) for record in snapshot.records)
    return {source: uid for source, uid in sources if source}


def _source(record: Record) -> str:
    """What the record says that it comes from, also where its other fields say nothing that can be followed."""
    try:
        return reserved_text(record, Label.SOURCE)
    except ValueError:
        return ""
