"""Finds clips that hold the same stretch of the same recording."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable

from core.domain.text import ReviewStatus
from core.domain.voice import Clip


def doubles(clips: Iterable[Clip], *, overlap: float = 0.5) -> dict[str, str]:
    """Return clip id -> id of the clip that holds the same stretch of the same recording and stays.

    `overlap` is the share of the shorter one that lies in the other. Of clips that hold the same, the one stays that
    was accepted, has words, is surer of them, is longer, in this order; so rejecting all doubles loses no line. A
    rejected clip stands for none.
    """
    kept: defaultdict[str, list[tuple[float, float, str]]] = defaultdict(list)
    found = {}
    living = (clip for clip in clips if clip.status in (ReviewStatus.PENDING, ReviewStatus.ACCEPTED))
    for clip in sorted(living, key=_worth):
        other = _same_stretch(clip, kept[clip.recording_id], overlap)
        if other is None:
            insort(kept[clip.recording_id], (clip.start, clip.end, clip.id))
        else:
            found[clip.id] = other
    return found


def _worth(clip: Clip) -> tuple[bool, bool, float, float, float, str]:
    """Sorts the clip that should stay first."""
    sure = 1.0 if clip.confidence is None else clip.confidence
    length = clip.end - clip.start
    return clip.status is not ReviewStatus.ACCEPTED, not clip.text.strip(), -sure, -length, clip.start, clip.id


def _same_stretch(clip: Clip, kept: list[tuple[float, float, str]], overlap: float) -> str | None:
    """Return the kept clip that overlaps this one enough; kept ones never lie in each other, so ends are in order."""
    after = bisect_left(kept, (clip.start, clip.end, clip.id))
    before = after
    while before and kept[before - 1][1] > clip.start:
        before -= 1
    while after < len(kept) and kept[after][0] < clip.end:
        after += 1
    for start, end, other in kept[before:after]:
        shorter = min(end - start, clip.end - clip.start)
        if min(end, clip.end) - max(start, clip.start) >= overlap * shorter:
            return other
    return None
