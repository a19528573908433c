"""Digests of what was read: they change when an update may have something to do, and tell nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import FOLDER, SOURCE, configuration, record, snapshot
from uss.config import Configuration
from uss.errors import ConfigurationError
from uss.keeper import Field, Record
from uss.watch.reading import Reading, reading_of

KEY = b"key"
FIRST, SECOND = record("R1", "First"), record("R2", "Second")


def reading(*records: Record, parts: tuple[Configuration, ...] = (), about: str = "", key: bytes = KEY) -> Reading:
    """The digests of a vault with these records."""
    return reading_of(list(parts or (configuration(),)), snapshot(*records), SOURCE, [about], key)


def test_the_same_vault_reads_the_same_in_any_order() -> None:
    assert reading(FIRST, SECOND) == reading(SECOND, FIRST)


@pytest.mark.parametrize(
    "changed",
    [
        replace(FIRST, title="Other"),
        replace(FIRST, type="file"),
        replace(FIRST, revision=2),
        replace(FIRST, notes="n"),
        replace(FIRST, attachments=("a",)),
        replace(FIRST, fields=(Field("password", "", ("q",)),)),
        replace(FIRST, fields=(Field("password", "label", ("p",)),)),
        replace(FIRST, fields=(Field("secret", "", ("p",)),)),
        replace(FIRST, fields=(Field("password", "", ("p", "p")),)),
        replace(FIRST, uid="R3"),
    ],
)
def test_any_change_of_a_linked_record_changes_the_digest(changed: Record) -> None:
    assert reading(changed, SECOND).digest != reading(FIRST, SECOND).digest


def test_records_that_come_and_go_change_it_and_those_of_other_folders_do_not() -> None:
    other = record("R9", "Elsewhere", folders=["FOLDER-elsewhere-00001"])
    assert reading(FIRST, SECOND, other) == reading(FIRST, SECOND)
    assert len({reading(FIRST, SECOND).digest, reading(FIRST).digest, reading().digest}) == 3


def test_the_pam_configuration_counts_where_it_is_named() -> None:
    keys = [Field("secret", "accessKeyId", ("AKIA",)), Field("secret", "accessSecretKey", ("s",))]
    pam = record("PAM", "AWS", *keys, kind="pamAwsConfiguration", folders=["FOLDER-elsewhere-00001"])
    rotated = replace(pam, fields=(keys[0], Field("secret", "accessSecretKey", ("t",))))
    named = (configuration(pam_configuration="PAM"),)
    assert reading(FIRST, pam, parts=named).digest != reading(FIRST, rotated, parts=named).digest
    assert reading(FIRST, pam).digest == reading(FIRST, rotated).digest


def test_what_else_an_update_depends_on_counts() -> None:
    assert len({reading(FIRST, about=about).digest for about in ("", "another backend")}) == 2
    changed = configuration(tags={"team": "payments"})
    assert reading(FIRST).digest != reading(FIRST, parts=(changed,)).digest


def test_a_held_configuration_has_a_digest_of_its_own() -> None:
    parts = (configuration(), configuration(name="held", dry_run=True, folders=["FOLDER-held-0000000001"]))
    in_held = record("R5", "Held", folders=["FOLDER-held-0000000001"])
    before = reading(FIRST, in_held, parts=parts)
    after = reading(FIRST, replace(in_held, title="Other"), parts=parts)
    assert before.held.keys() == {"held"}
    assert before.digest == after.digest
    assert before.held != after.held
    applied = reading(replace(FIRST, title="Other"), in_held, parts=parts)
    assert applied.held == before.held
    assert applied.digest != before.digest


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_different_values_read_differently_and_the_key_hides_them(values: list[str]) -> None:
    first, second = (reading(record("R1", "First", Field("password", "", (value,)))) for value in values)
    assert first.digest != second.digest
    assert reading(FIRST, key=b"other").digest != reading(FIRST).digest


def test_a_reference_that_leads_nowhere_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="the application sees no folder"):
        reading(FIRST, parts=(configuration(folders=["Nowhere"]),))
    assert FOLDER in configuration().folders
