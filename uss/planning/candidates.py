"""What one record by itself comes to in one configuration: a candidate for a secret, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass

from uss.clouds.interface import Ownership, Tags
from uss.keeper.pam import PAM_CONFIGURATION_TYPES
from uss.keeper.records import Record
from uss.planning.linking import LinkedConfiguration
from uss.planning.plan import Reason, Refusal
from uss.records.naming import NameFault, cloud_name, exact_name
from uss.records.origin import Label, Origin, OriginFault, origin_of
from uss.records.payload import Payload, PayloadFault, payload_of
from uss.text import encodable

_ENTER_AGAIN = "Enter the value again, or attach it as a file."
_PAYLOAD_MENDS = {
    PayloadFault.EMPTY: (Reason.EMPTY, "Fill in a field, or move the record elsewhere."),
    PayloadFault.NOT_TEXT: (Reason.NOT_TEXT, _ENTER_AGAIN),
    PayloadFault.TOO_DEEP: (Reason.NOT_TEXT, _ENTER_AGAIN),
    PayloadFault.NO_FORMAT: (
        Reason.RESERVED_FIELD,
        "Correct that field, or delete it: then the value is written as any other record's.",
    ),
    PayloadFault.NOT_LINES: (
        Reason.RESERVED_FIELD,
        "Label fields with letters, digits and underscores and keep their values (and notes) to one line, or delete "
        "that field: then the value is written as JSON.",
    ),
}


@dataclass(frozen=True)
class Candidate:
    """A record with a legal name, a payload that fits, and tags that the cloud takes."""

    record: Record
    name: str
    payload: Payload
    tags: Tags


@dataclass(frozen=True)
class _Fault:
    reason: Reason
    found: str
    mend: str


def examine(record: Record, linked: LinkedConfiguration, ownership: Ownership) -> Candidate | Refusal:
    """Return the record as a candidate, or why it is refused whatever the other records are."""
    result = _examined(record, linked, ownership)
    if isinstance(result, _Fault):
        return Refusal(record.uid, record.title, result.reason, result.found, result.mend)
    return result


def _examined(record: Record, linked: LinkedConfiguration, ownership: Ownership) -> Candidate | _Fault:
    if record.type in PAM_CONFIGURATION_TYPES:
        return _Fault(
            Reason.CREDENTIALS,
            "it is a PAM Configuration, which holds the credentials of a sync",
            "Move it to a folder that is not linked.",
        )
    origin = origin_of(record)
    if isinstance(origin, OriginFault):
        return _Fault(
            Reason.RESERVED_FIELD, f"its field {origin.label} {origin.text}", "Correct that field, or delete it."
        )
    name = _name(record, origin, linked)
    if isinstance(name, _Fault):
        return name
    payload = _payload(record, linked)
    if isinstance(payload, _Fault):
        return payload
    tags = _tags(record, origin, payload, linked, ownership)
    return tags if isinstance(tags, _Fault) else Candidate(record, name, payload, tags)


def _name(record: Record, origin: Origin, linked: LinkedConfiguration) -> str | _Fault:
    rules = linked.cloud.names
    prefix = linked.configuration.name_prefix
    exact = origin.name_in(linked.cloud.type)
    name = cloud_name(record.title, prefix, rules) if exact is None else exact_name(exact, prefix, rules)
    if not isinstance(name, NameFault):
        return name
    if exact is None:
        mend = f"Retitle the record: {rules.cloud} allows {rules.wording}, and spaces become hyphens."
        return _Fault(Reason.ILLEGAL_NAME, name.text, mend)
    mend = "Correct that field, or delete it: then the record's title gives the name."
    return _Fault(Reason.ILLEGAL_NAME, f"its field {Label.NAME}: {name.text}", mend)


def _payload(record: Record, linked: LinkedConfiguration) -> Payload | _Fault:
    payload = payload_of(record)
    if isinstance(payload, PayloadFault):
        reason, mend = _PAYLOAD_MENDS[payload]
        return _Fault(reason, payload.value, mend)
    limit = linked.cloud.value_limit
    if payload.size > limit:
        found = f"the value has {payload.size:,} bytes; {linked.cloud.names.cloud} takes {limit:,}"
        return _Fault(Reason.TOO_LARGE, found, "Split the record, or move large parts to attachments.")
    return payload


def _tags(
    record: Record, origin: Origin, payload: Payload, linked: LinkedConfiguration, ownership: Ownership
) -> Tags | _Fault:
    """The tags that the secret had already, then the configuration's, and the sync's own, which nothing replaces."""
    cloud = linked.cloud
    tags = cloud.tags(linked.configuration, ownership, record, payload.content_type)
    had = {key: value for key, value in origin.tags_in(cloud.type).items() if not cloud.reserves(key)}
    if not had:
        return tags
    plain = all(text.isprintable() and encodable(text) == text for pair in had.items() for text in pair)
    fault = cloud.tag_fault(had | dict(tags)) if plain else "holds characters that cannot be shown"
    if fault:
        mend = f"Correct the record's field {Label.TAGS}; without it, the secret loses the tags that it had."
        return _Fault(Reason.RESERVED_FIELD, f"its field {Label.TAGS}: {fault.rstrip('.')}", mend)
    return had | dict(tags)
