"""Which of the saved weights are put together; pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.voice_training import KeptWeights

Pair = tuple[KeptWeights, KeptWeights]
"""Weights of the sound and of the way of speaking."""


def pairs_of(weights: Sequence[KeptWeights], *, most: int) -> list[Pair]:
    """Return at most so many pairs of (SoVITS, GPT) weights: the last of both first, then those that are about
    equally far in their stages, the later before the earlier."""
    sovits = sorted((one for one in weights if one.stage == "sovits"), key=lambda one: one.epoch)
    gpt = sorted((one for one in weights if one.stage == "gpt"), key=lambda one: one.epoch)

    def order(pair: Pair) -> tuple[bool, float, float]:
        sound, speech = pair[0].epoch / sovits[-1].epoch, pair[1].epoch / gpt[-1].epoch
        return (sound, speech) != (1.0, 1.0), round(abs(sound - speech), 6), -(sound + speech)

    return sorted(((sound, speech) for sound in sovits for speech in gpt), key=order)[:most]


def name_of(pair: Pair) -> str:
    """Return what a pair is called: the epochs of its two stages."""
    return f"{pair[0].epoch}+{pair[1].epoch}"
