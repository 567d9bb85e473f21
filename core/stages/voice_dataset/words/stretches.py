"""Which stretch of some words is (part of) a line: a local alignment, and what it is worth in letters."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel

_EXTRA = 0.6
"""What a letter costs that the line does not have."""
_DROPPED = 0.25
"""What a letter of the line costs that is not said; subtitles drop more than they add."""
_DROPPED_MOST = 2.5
"""A whole clause that is left out costs no more."""
_LONE = 0.5
"""What a letter is worth that stands alone in both: such happen by chance."""
_ROOM = 1.6
"""From this many times the other's length on, only the best window of the longer is compared."""
_POOR = 34.0
"""Percent below which the best window is not looked at more closely."""
_EDGE = 0.5
"""What it is worth to begin, or to end, where the line does."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Letters `[start, end)` of the words are letters `[first, last)` of the line."""

    start: int
    end: int
    first: int
    last: int
    matched: int
    """Letters both have, in order."""
    worth: float
    """Matched letters less what is amiss between them."""

    @property
    def similarity(self) -> float:
        """0 to 1: the letters in common among those of the two stretches (normalised Indel similarity)."""
        return 2 * self.matched / max(self.end - self.start + self.last - self.first, 1)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Equal letters, in both."""

    said: int
    line: int
    length: int


def best_stretch(words: str, line: str) -> Stretch | None:
    """Return the most valuable stretch of the words that is in the line; both are letters. None without any."""
    if not words or not line:
        return None
    at = line.find(words) if len(words) <= len(line) else -1
    if at >= 0:
        return _valued(0, len(words), at, at + len(words), len(words), float(len(words)), len(line))
    (start, end), (first, last) = _windows(words, line)
    if start == end:
        return None
    pieces = [
        _Piece(start + one.src_start, first + one.dest_start, one.src_end - one.src_start)
        for one in Indel.opcodes(words[start:end], line[first:last])
        if one.tag == "equal"
    ]
    return _best_run(pieces, len(line))


def _windows(words: str, line: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return where in both to look closely; empty where nothing is alike."""
    whole = (0, len(words)), (0, len(line))
    shorter, longer = sorted((words, line), key=len)
    if len(longer) <= _ROOM * len(shorter):
        return whole
    window = fuzz.partial_ratio_alignment(shorter, longer, score_cutoff=_POOR)
    if window is None:
        return (0, 0), (0, 0)
    # What was dropped or put in makes the true stretch longer than the shorter one is.
    room = len(shorter) // 2 + 2
    near = max(window.dest_start - room, 0), min(window.dest_end + room, len(longer))
    return (whole[0], near) if longer is line else (near, whole[1])


def _best_run(pieces: list[_Piece], line_length: int) -> Stretch | None:
    """Return the run of pieces that is worth most (Kadane's maximum subarray over pieces and the gaps between)."""
    best: Stretch | None = None
    begin = 0
    worth = matched = 0.0
    for place, piece in enumerate(pieces):
        gap = _gap(pieces[place - 1], piece) if place else 0.0
        if worth - gap <= 0:
            begin, worth, matched, gap = place, 0.0, 0.0, 0.0
        worth += _value(piece) - gap
        matched += piece.length
        if best is None or worth > best.worth:
            head = pieces[begin]
            best = Stretch(
                head.said, piece.said + piece.length, head.line, piece.line + piece.length, int(matched), worth
            )
    if best is None:
        return None
    return _valued(best.start, best.end, best.first, best.last, best.matched, best.worth, line_length)


def _valued(start: int, end: int, first: int, last: int, matched: int, worth: float, length: int) -> Stretch:
    edges = _EDGE * ((first == 0) + (last == length))
    return Stretch(start, end, first, last, matched, worth + edges)


def _value(piece: _Piece) -> float:
    return piece.length if piece.length > 1 else _LONE


def _gap(before: _Piece, after: _Piece) -> float:
    extra = after.said - before.said - before.length
    dropped = after.line - before.line - before.length
    return extra * _EXTRA + min(dropped * _DROPPED, _DROPPED_MOST)
