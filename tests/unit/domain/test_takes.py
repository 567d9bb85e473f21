"""Which takes are worth hearing."""

from __future__ import annotations

import pytest

from core.domain.takes import TakeFacts, TakeFault, faults

SAID = "竹影移到窗前，天色就要晚了。"
GOOD = TakeFacts(seconds=3.0, peak=0.6, clipped=0.0)


def test_a_take_at_a_usual_pace_has_no_fault() -> None:
    assert faults(GOOD, SAID) == []


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        (TakeFacts(3.0, 0.001, 0.0), TakeFault.SILENT),
        (TakeFacts(3.0, 1.0, 0.1), TakeFault.CLIPPED),
        (TakeFacts(0.6, 0.6, 0.0), TakeFault.SHORT),
        (TakeFacts(20.0, 0.6, 0.0), TakeFault.LONG),
    ],
)
def test_a_spoiled_take_is_told_by_its_fault(facts: TakeFacts, fault: TakeFault) -> None:
    assert fault in faults(facts, SAID)


def test_a_voice_that_speaks_at_half_its_speed_may_take_twice_as_long() -> None:
    slow = TakeFacts(seconds=14.0, peak=0.6, clipped=0.0)

    assert TakeFault.LONG in faults(slow, SAID)
    assert faults(slow, SAID, speed=0.5) == []


def test_a_single_word_may_be_followed_by_a_breath() -> None:
    assert faults(TakeFacts(seconds=1.5, peak=0.6, clipped=0.0), "好。") == []
