"""From cloud secrets to Keeper records, one time, so that the sync writes back what was there, to the byte."""

from uss.importer.differences import differences
from uss.importer.records import CloudSecret, NewRecord, Skipped, SkipReason, new_record

__all__ = ["CloudSecret", "NewRecord", "SkipReason", "Skipped", "differences", "new_record"]
