"""Which saved weights speak together."""

from __future__ import annotations

from typing import Literal

from core.domain.voice_training import KeptWeights
from core.stages.voice_training.pairing import name_of, pairs_of


def weights(stage: Literal["sovits", "gpt"], *epochs: int) -> list[KeptWeights]:
    return [KeptWeights(stage, epoch, "a" * 64, 1, f"weights/{stage}{epoch}") for epoch in epochs]


def test_the_last_pair_comes_first_then_those_alike_in_progress() -> None:
    found = pairs_of([*weights("gpt", 5, 10, 15), *weights("sovits", 4, 8)], most=3)

    assert [name_of(pair) for pair in found] == ["8+15", "4+10", "4+5"]


def test_there_are_no_more_pairs_than_weights_make_and_none_without_both() -> None:
    assert len(pairs_of([*weights("gpt", 5, 10, 15), *weights("sovits", 4, 8)], most=40)) == 6
    assert pairs_of(weights("gpt", 5), most=3) == []
