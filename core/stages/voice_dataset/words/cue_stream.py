"""Cues as one stream of letters, each of which knows its cue, its place in the text and its moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from core.domain.normalising import folded
from core.stages.voice_dataset.words.subtitles import Cue


class CueStream:
    """The letters of all cues in order; places are positions in it."""

    def __init__(self, cues: Sequence[Cue]) -> None:
        self.cues = cues
        self.starts = [0]
        """Where each cue's letters begin, and one more."""
        self.breaks: set[int] = set()
        """Places before which a mark, white space or another cue stands: where a speech may begin."""
        self._at: list[int] = []
        written: list[str] = []
        for cue in cues:
            self._read(cue.text, written)
            self.starts.append(len(self._at))
        self.letters = "".join(written)
        self._groups = self._grouped()

    def cue_at(self, place: int) -> int:
        """Return the cue that a letter stands in."""
        return bisect_right(self.starts, place) - 1

    def text(self, start: int, end: int) -> str:
        """Return the words of the letters `[start, end)` as written, with the marks after them."""
        pieces = []
        for cue in range(self.cue_at(start), self.cue_at(end - 1) + 1):
            first, last = max(start, self.starts[cue]), min(end, self.starts[cue + 1])
            begin = 0 if first == self.starts[cue] else self._at[first]
            text = self.cues[cue].text
            pieces.append(text[begin : len(text) if last == self.starts[cue + 1] else self._at[last]].strip())
        return " ".join(filter(None, pieces))

    def moment(self, place: int, *, ending: bool = False) -> float:
        """Return when the letter is reached (seconds), or left where it is the last of something.

        Within a subtitle the letters are taken to be equally long.
        """
        group = self._groups[self.cue_at(place - 1 if ending else place)]
        first, last = self.starts[group[0]], self.starts[group[1]]
        cue = self.cues[group[0]]
        return cue.start + (cue.end - cue.start) * (place - first) / max(last - first, 1)

    def group(self, place: int) -> tuple[int, int]:
        """Return the letters `[start, end)` of the subtitle that a letter stands in."""
        first, last = self._groups[self.cue_at(place)]
        return self.starts[first], self.starts[last]

    def _read(self, text: str, written: list[str]) -> None:
        begun = False
        for place, letter in enumerate(folded(text).lower()):
            if not letter.isalnum():
                begun = False
                continue
            if not begun:
                self.breaks.add(len(self._at))
            begun = True
            self._at.append(place)
            written.append(letter)

    def _grouped(self) -> list[tuple[int, int]]:
        """Return, for each cue, the cues `[first, last)` that stand on the screen with it."""
        groups: list[tuple[int, int]] = []
        while len(groups) < len(self.cues):
            first = len(groups)
            times = self.cues[first].start, self.cues[first].end
            last = first + 1
            while last < len(self.cues) and (self.cues[last].start, self.cues[last].end) == times:
                last += 1
            groups += [(first, last)] * (last - first)
        return groups
