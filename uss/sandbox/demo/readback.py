"""Comparing what the clouds hold with what must be there, and with what the stacks' outputs say."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from uss.sandbox.demo.readers import Held, Reading

SIDE = "side-"
"""The prefix of the stacks side by side, which share the clouds with the one stack."""


class MismatchError(Exception):
    """A cloud does not hold what the demo says it must hold. Names secrets, never values."""


@dataclass(frozen=True)
class Landed:
    """One secret in one place, as its cloud tells it."""

    cloud: str
    place: str
    title: str
    name: str
    version: str
    content_type: str


def compare(
    expected: Mapping[str, str], outputs: Mapping[str, Any], reading: Reading, prefix: str = ""
) -> list[Landed]:
    """Return what landed; raise `MismatchError` unless it is exactly what is expected, in every place.

    `expected` has values by name without `prefix`; `reading` is filtered by it. `outputs` is the configuration's stack
    output: its titles, names and versions must be the cloud's too.
    """
    wanted = {prefix + name: value for name, value in expected.items()}
    records = {record["name"]: record for record in outputs["records"].values()}
    _same(f"the stack's outputs name {sorted(records)}", set(records), set(wanted))
    landed: list[Landed] = []
    for place, secrets in reading.items():
        held = {name: secret for name, secret in secrets.items() if _belongs(name, prefix)}
        _same(f"{place} holds {sorted(held)}", set(held), set(wanted))
        landed += [
            _landed(outputs["type"], place, name, held[name], wanted[name], records[name]) for name in sorted(wanted)
        ]
    return landed


def _belongs(name: str, prefix: str) -> bool:
    return name.startswith(prefix) if prefix else not name.startswith(SIDE)


def _landed(cloud: str, place: str, name: str, held: Held, expected: str, record: Mapping[str, Any]) -> Landed:
    if not hmac.compare_digest(held.value.encode(), expected.encode()):
        raise MismatchError(f"The value of {name} in {place} is not the one that its record has.")
    _same(f"the version of {name} in {place} is {held.version}", held.version, record["version"])
    _same(f"the content type of {name} in {place} is {held.content_type}", held.content_type, record["contentType"])
    return Landed(cloud, place, record["title"], name, held.version, record["contentType"])


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise MismatchError(f"{what}; it should be {expected}.")
