"""The fault board: which call meets which fault, and what is counted."""

from __future__ import annotations

from uss.sandbox.faults import Fault, FaultBoard, FaultKind


def kinds(board: FaultBoard, calls: int, operation: str = "get_secret") -> list[FaultKind | None]:
    """Make some calls and list the faults that they met."""
    met = [board.meet("keeper", operation) for _ in range(calls)]
    return [fault.kind if fault else None for fault in met]


def test_a_fault_meets_the_nth_call_only() -> None:
    board = FaultBoard()
    board.add(Fault("keeper", "get_secret", FaultKind.ERROR, after=2, times=1))
    assert kinds(board, 5) == [None, None, FaultKind.ERROR, None, None]
    assert board.faults() == ()


def test_a_fault_without_times_stays_until_cleared() -> None:
    board = FaultBoard()
    board.add(Fault("keeper", "get_*", FaultKind.DENIED))
    assert kinds(board, 3) == [FaultKind.DENIED] * 3
    board.clear()
    assert kinds(board, 1) == [None]


def test_another_operation_neither_meets_nor_uses_up_the_fault() -> None:
    board = FaultBoard()
    board.add(Fault("keeper", "get_secret", FaultKind.DENIED, after=1, times=1))
    assert kinds(board, 3, "get_folders") == [None] * 3
    assert kinds(board, 3) == [None, FaultKind.DENIED, None]


def test_the_first_due_fault_is_met_and_the_others_wait_their_turn() -> None:
    board = FaultBoard()
    board.add(Fault("keeper", "*", FaultKind.THROTTLED, times=2))
    board.add(Fault("keeper", "*", FaultKind.ERROR, times=1))
    assert kinds(board, 4) == [FaultKind.THROTTLED, FaultKind.THROTTLED, FaultKind.ERROR, None]


def test_calls_are_counted_by_service_and_operation_until_reset() -> None:
    board = FaultBoard()
    board.meet("keeper", "get_secret")
    board.meet("keeper", "get_secret")
    board.meet("aws", "sts:AssumeRole")
    assert board.calls() == {"aws": {"sts:AssumeRole": 1}, "keeper": {"get_secret": 2}}
    board.reset_calls()
    assert board.calls() == {}
