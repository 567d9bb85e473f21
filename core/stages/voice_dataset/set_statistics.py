"""What a clip set holds, counted once when it is frozen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from core.domain.pace import seconds_of, syllables
from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Recording


def set_statistics(
    clips: Sequence[Clip], recordings: Mapping[str, Recording], left_out: Mapping[str, int]
) -> dict[str, Any]:
    """Return plain counts for the charts: seconds, recordings, lengths by whole seconds, levels, characters, words."""
    lengths = Counter(int(seconds_of(clip)) for clip in clips)
    signs = Counter(sign for clip in clips for sign in clip.text if sign.isalnum())
    measured = [clip.measures for clip in clips if clip.measures is not None]
    return {
        "clips": len(clips),
        "seconds": _seconds(clips),
        "by_recording": [_recording(one, clips, recordings[one]) for one in _used(clips)],
        "lengths": {str(seconds): count for seconds, count in sorted(lengths.items())},
        "loudness": _summary([one.loudness for one in measured]),
        "snr": _summary([one.snr_db for one in measured]),
        "characters": {"total": signs.total(), "distinct": len(signs)},
        "syllables": sum(syllables(clip.text) for clip in clips),
        "speakers": dict(Counter(clip.speaker for clip in clips).most_common()),
        "languages": dict(Counter(clip.language for clip in clips).most_common()),
        "text_origins": dict(Counter(clip.text_origin.value for clip in clips).most_common()),
        "of_the_book": sum(clip.utterance_id is not None for clip in clips),
        "accepted": sum(clip.status is ReviewStatus.ACCEPTED for clip in clips),
        "left_out": dict(left_out),
    }


def _used(clips: Sequence[Clip]) -> list[str]:
    return list(dict.fromkeys(clip.recording_id for clip in clips))


def _recording(recording_id: str, clips: Sequence[Clip], recording: Recording) -> dict[str, Any]:
    own = [clip for clip in clips if clip.recording_id == recording_id]
    return {"id": recording_id, "name": recording.name, "clips": len(own), "seconds": _seconds(own)}


def _seconds(clips: Sequence[Clip]) -> float:
    return round(sum(seconds_of(clip) for clip in clips), 3)


def _summary(values: Sequence[float | None]) -> dict[str, float | int]:
    """Return the least, the middle and the most of what was measured, and of how many clips that is."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return {"measured": 0}
    return {"measured": len(known), "least": known[0], "median": round(median(known), 2), "most": known[-1]}
