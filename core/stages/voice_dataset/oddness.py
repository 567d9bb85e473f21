"""How far each clip's voice is from the others of its speaker: finds the stranger among many clips of one voice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from core.backends.rows import build
from core.backends.voiceprint import VOICEPRINTS, Print, Voiceprint, VoiceprintSource
from core.stages.voice_dataset.sound.sound_file import Samples

FEWEST = 6
"""Fewer clips have no middle worth the name."""
_NORMAL = 1.4826
"""Median absolute deviation -> standard deviation of normally distributed numbers."""
_LEAST_SPREAD = 0.1
"""Of the middle distance: clips that are almost the same differ by nothing that matters."""

Numbers = npt.NDArray[np.float64]


def oddness_of(wavs: Mapping[str, Samples], rate: int, *, voiceprint: Voiceprint | None = None) -> dict[str, float]:
    """Return clip id -> distance from the middle of the voices, in robust spreads: above 3 is odd, 0 is usual.

    `wavs` are mono clips of one speaker, clip id -> samples at `rate`. Without a voiceprint the statistics of the
    timbre are taken. Clips in which too little is heard are left out, and all are when fewer than six can be compared.
    """
    teller = voiceprint or build(VOICEPRINTS, "mfcc", VoiceprintSource())
    found = ((clip_id, teller.of(wavs[clip_id], rate)) for clip_id in sorted(wavs))
    prints = {clip_id: one for clip_id, one in found if one is not None}
    return oddness_among(prints, directional=teller.directional)


def oddness_among(prints: Mapping[str, Print], *, directional: bool) -> dict[str, float]:
    """Return the same from prints made before, so that a clip's sound is read once."""
    if len(prints) < FEWEST:
        return {}
    rows = np.stack([prints[clip_id] for clip_id in sorted(prints)])
    distances = _from_middle_direction(rows) if directional else _from_middle(rows)
    usual = float(np.median(distances))
    spread = max(_NORMAL * float(np.median(np.abs(distances - usual))), _LEAST_SPREAD * usual, 1e-9)
    odd = np.maximum((distances - usual) / spread, 0)
    return {clip_id: round(float(one), 2) for clip_id, one in zip(sorted(prints), odd, strict=True)}


def _from_middle(rows: Numbers) -> Numbers:
    """Return the root mean square of how many robust spreads each number is away from its median."""
    middle = np.median(rows, axis=0)
    away = np.abs(rows - middle)
    spreads = _NORMAL * np.median(away, axis=0)
    distances: Numbers = np.sqrt(np.mean(np.square(away / np.maximum(spreads, 1e-9)), axis=1))
    return distances


def _from_middle_direction(rows: Numbers) -> Numbers:
    """Return the angle from the median direction: it spreads evenly, where one minus its cosine bunches near 0."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    directions = rows / np.maximum(length, 1e-9)
    middle = np.median(directions, axis=0)
    cosines = directions @ (middle / max(float(np.linalg.norm(middle)), 1e-9))
    angles: Numbers = np.arccos(np.clip(cosines, -1, 1))
    return angles
