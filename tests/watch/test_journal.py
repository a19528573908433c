"""What is remembered, and the lock."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from uss.errors import ConfigurationError
from uss.watch.journal import Journal, JournalFile

JOURNAL = Journal(applied="a", reported={"held": "b"}, pending_since=1.0, succeeded=2.0)


def journal_file(directory: Path, stack: str = "org/uss/test", backend: str = "file:///state") -> JournalFile:
    """The journal of a stack."""
    return JournalFile(directory, "uss", stack, backend)


def test_it_is_read_back_as_it_was_saved_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    directory = tmp_path / "made" / "here"
    file = journal_file(directory)
    assert file.load() == Journal()
    file.save(JOURNAL)
    assert journal_file(directory).load() == JOURNAL
    (path,) = directory.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_stacks_and_backends_have_journals_of_their_own(tmp_path: Path) -> None:
    journal_file(tmp_path).save(JOURNAL)
    assert journal_file(tmp_path, stack="org/uss/other").load() == Journal()
    assert journal_file(tmp_path, backend="file:///other").load() == Journal()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"applied": 1}', b"[]"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    journal_file(tmp_path).save(JOURNAL)
    next(tmp_path.iterdir()).write_bytes(content)
    assert journal_file(tmp_path).load() == Journal()


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    with journal_file(tmp_path).locked() as first:
        with journal_file(tmp_path).locked() as second:
            assert (first, second) == (True, False)
        with journal_file(tmp_path, stack="other").locked() as other:
            assert other
    with journal_file(tmp_path).locked() as again:
        assert again


def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="Name one that this user may write with --state-dir"):
        journal_file(tmp_path / "file")
    file = journal_file(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ConfigurationError, match="cannot be used"):
        file.save(JOURNAL)
