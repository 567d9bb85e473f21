"""Clips and sets for tests, made on the spot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from core.domain.text import ReviewStatus
from core.domain.voice import Clip, ClipSet, Measures, Recording, SetClip, TextOrigin
from core.store import Store
from tests.unit.stages.voice_dataset.sounds import file_of

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GOOD = Measures(loudness=-20, peak_db=-3, snr_db=32, clipped=0, voiced=0.9, musical=0.1)


def measures(**changes: Any) -> Measures:
    """Return the measures of a good clip, some of them changed."""
    values: dict[str, Any] = {name: getattr(GOOD, name) for name in Measures.__slots__}
    return Measures(**{**values, **changes})


def clip(number: int = 0, **changes: Any) -> Clip:
    """Return a clip nothing is to be said against, the fourth part of a minute after the one before it."""
    values: dict[str, Any] = {
        "id": f"clip-{number:04d}",
        "recording_id": "rec-1",
        "start": 15.0 * number,
        "end": 15.0 * number + 4,
        "text": "窗外的雨下了一夜，也不见停。",
        "speaker": "沈青",
        "sha256": f"{number:064x}",
        "created_at": WHEN,
        "status": ReviewStatus.ACCEPTED,
        "seconds": 4.0,
        "measures": GOOD,
        "text_origin": TextOrigin.SUBTITLES,
        "confidence": 0.95,
        "oddness": 0.5,
    }
    return Clip(**{**values, **changes})


def recording(name: str = "第一集.wav", *, id: str = "rec-1", sha256: str = "r" * 64) -> Recording:
    """Return a recording of ten minutes."""
    return Recording(id, "a-qing", name, sha256, 600, 16_000, 1, WHEN)


def wav(number: int, seconds: float = 0.2) -> bytes:
    """Return a short wav that is like no other."""
    time = np.arange(int(seconds * 16_000)) / 16_000
    return file_of((0.2 * np.sin(2 * np.pi * (200 + 10 * number) * time)).astype(np.float32))


def stored_clip(store: Store, number: int = 0, **changes: Any) -> Clip:
    """Return a clip whose sound is in the store; its recording and itself are not."""
    return clip(number, **{"sha256": store.files.put(wav(number)), **changes})


def filled(store: Store, clips: list[Clip], *recordings: Recording) -> None:
    """Put the recordings and the clips into the store."""
    for one in recordings or (recording(),):
        store.voice.add_recording(one)
    store.clips.add(clips)


def set_clip(number: int = 0, **changes: Any) -> SetClip:
    """Return a clip of a set."""
    values: dict[str, Any] = {
        "ordinal": number,
        "clip_id": f"clip-{number:04d}",
        "revision": 1,
        "recording_id": "rec-1",
        "recording_sha256": "r" * 64,
        "start": 15.0 * number,
        "end": 15.0 * number + 4,
        "effects": ({"effect": "denoise", "strength": 0.8},),
        "sha256": f"{number:064x}",
        "seconds": 4.0,
        "text": "窗外的雨下了一夜。",
        "speaker": "沈青",
        "language": "zh",
        "utterance_id": f"src-1.0.{number}",
        "reference": number == 0,
    }
    return SetClip(**{**values, **changes})


def clip_set(**changes: Any) -> ClipSet:
    """Return a set of the fixture's persona."""
    values: dict[str, Any] = {
        "id": "set-1",
        "persona_id": "a-qing",
        "name": "c1",
        "note": "第一次",
        "fingerprint": "f" * 64,
        "settings": {"accepted_only": True},
        "created_at": WHEN,
        "clips": 3,
        "seconds": 12.0,
    }
    return ClipSet(**{**values, **changes})
