"""Which lines a stream of words is: overlapping candidates compete, lines that follow in the book help each other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.stages.voice_dataset.words.cue_stream import CueStream
from core.stages.voice_dataset.words.line_index import LineIndex
from core.stages.voice_dataset.words.stretches import Stretch, best_stretch

LEAST = 1.0
"""Stretches worth less are not weighed."""
_LOOK_BACK = 60
"""Candidates before one that it may go on from."""
_COST = 2.5
"""Letters that each candidate costs: one line explains a sentence better than three scraps of others do."""
_OVERLAP = 12
"""Letters by which two stretches may run into each other, at most half of either; they are cut apart later."""
_NEAR = 10
"""Lines of the book between two that still count as near."""
_SILENCE = 45.0
"""Seconds after which the book is no help any more: another scene may have begun."""
_ALONE = 6
"""Letters from which on one cue's candidates are proposed without the next one's words."""
_NEXT_CUE = 4.0
"""Seconds within which a line may go on in the next cue."""
_SURE = 6.0
"""Worth of a stretch from which on its neighbours in the book are looked for beside it."""
_BESIDE = 4
"""Lines of the book, and cues, that are looked at on both sides of a sure one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line where it may be spoken."""

    line: int
    """Position in the index."""
    stretch: Stretch
    """Places in the stream."""
    weight: float
    """Its worth with what the labels of its cues say."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A candidate that stands, and how much its neighbours speak for it."""

    candidate: Candidate
    support: float


def candidates(stream: CueStream, index: LineIndex, label: Mapping[int, str]) -> list[Candidate]:
    """Return what may be spoken where; `label` says, for cues, the canonical name of who speaks."""
    proposed = _proposed(stream, index)
    found = _verified(stream, index, label, proposed)
    beside = _beside(stream, index, found) - proposed
    return [*found, *_verified(stream, index, label, beside)]


def chosen(found: Sequence[Candidate], stream: CueStream, index: LineIndex) -> list[Chosen]:
    """Return the candidates that explain most of the stream together, in its order (weighted interval scheduling)."""
    ordered = sorted(found, key=lambda one: (one.stretch.end, one.stretch.start))
    totals: list[float] = []
    before: list[int] = []
    supports: list[float] = []
    heads = [-1]  # the best chain among the first so many
    ends = [one.stretch.end for one in ordered]
    for place, one in enumerate(ordered):
        link = heads[bisect_right(ends, one.stretch.start, hi=place)]
        best, support = (totals[link], 0.0) if link >= 0 else (0.0, 0.0)
        touching = bisect_right(ends, one.stretch.start + _OVERLAP, hi=place)
        for earlier in range(touching - 1, max(touching - 1 - _LOOK_BACK, -1), -1):
            overlap = max(ends[earlier] - one.stretch.start, 0)
            if 2 * overlap > min(ends[earlier] - ordered[earlier].stretch.start, ends[place] - one.stretch.start):
                continue
            help_ = min(follows(ordered[earlier], one, stream, index), one.stretch.worth)
            if (total := totals[earlier] + help_ - overlap) > best:
                best, link, support = total, earlier, help_
        totals.append(best + one.weight - _COST)
        before.append(link)
        supports.append(support)
        heads.append(place if heads[-1] < 0 or totals[place] > totals[heads[-1]] else heads[-1])
    return _traced(ordered, before, supports, heads[-1])


def follows(before: Candidate, after: Candidate, stream: CueStream, index: LineIndex) -> float:
    """Return what it is worth (letters) that two candidates follow each other in the book as they do in the stream."""
    one, other = index.lines[before.line], index.lines[after.line]
    if one.source_id != other.source_id:
        return 0.0
    if stream.moment(after.stretch.start) - stream.moment(before.stretch.end, ending=True) > _SILENCE:
        return 0.0
    step = after.line - before.line
    if step == 0:
        return 1.5 if after.stretch.first >= before.stretch.last - 1 else -1.5
    if 0 < step <= _NEAR:
        return 3.0 if step <= 2 else 2.0 if step <= 5 else 1.0
    return 0.5 if -3 <= step < 0 else 0.0


def support(
    before: Candidate | None, one: Candidate, after: Candidate | None, stream: CueStream, index: LineIndex
) -> float:
    """Return how much two neighbours speak for a candidate."""
    told = follows(before, one, stream, index) if before else 0.0
    telling = follows(one, after, stream, index) if after else 0.0
    return min(told, one.stretch.worth) + min(telling, one.stretch.worth)


def _traced(ordered: Sequence[Candidate], before: Sequence[int], supports: Sequence[float], last: int) -> list[Chosen]:
    chain = []
    following = 0.0
    while last >= 0:
        chain.append(Chosen(ordered[last], supports[last] + following))
        following = supports[last]
        last = before[last]
    return chain[::-1]


def _proposed(stream: CueStream, index: LineIndex) -> set[tuple[int, int]]:
    """Return pairs of cue and line that share enough."""
    found = set()
    for cue in range(len(stream.cues)):
        start, end = stream.starts[cue], stream.starts[cue + 1]
        found |= {(cue, line) for line in index.proposed(stream.letters[start:end])}
        if cue + 1 < len(stream.cues) and end - start < _ALONE * 2:
            both = stream.letters[start : stream.starts[cue + 2]]
            found |= {(at, line) for line in index.proposed(both) for at in (cue, cue + 1)}
    return found


def _beside(stream: CueStream, index: LineIndex, found: Sequence[Candidate]) -> set[tuple[int, int]]:
    """Return the neighbours, in the book, of what is surely spoken, at the cues around it."""
    pairs = set()
    for one in found:
        if one.stretch.worth >= _SURE:
            cue = stream.cue_at(one.stretch.start), stream.cue_at(one.stretch.end - 1)
            for step in range(1, _BESIDE + 1):
                pairs |= {(at, one.line + step) for at in range(cue[1], cue[1] + step + 1)}
                pairs |= {(at, one.line - step) for at in range(cue[0] - step, cue[0] + 1)}
    return {(cue, line) for cue, line in pairs if 0 <= cue < len(stream.cues) and 0 <= line < len(index.lines)}


def _verified(
    stream: CueStream, index: LineIndex, label: Mapping[int, str], pairs: set[tuple[int, int]]
) -> list[Candidate]:
    """Align each line with the cues it was proposed for, neighbouring cues together."""
    found: dict[tuple[int, int, int], Candidate] = {}
    by_line: dict[int, list[int]] = {}
    for cue, line in sorted(pairs):
        by_line.setdefault(line, []).append(cue)
    for line, cues in by_line.items():
        for start, end in _regions(stream, cues):
            stretch = best_stretch(stream.letters[start:end], index.letters[line])
            if stretch and stretch.worth >= LEAST:
                moved = _moved(stretch, start)
                weight = moved.worth + _labelled(moved, index.lines[line].speaker, stream, label)
                found[line, moved.start, moved.end] = Candidate(line, moved, weight)
    return list(found.values())


def _regions(stream: CueStream, cues: Sequence[int]) -> list[tuple[int, int]]:
    """Return the letters of the cues, those of neighbours together with the cue before and after them."""
    runs: list[list[int]] = []
    for cue in cues:
        if runs and cue - runs[-1][1] <= 2:
            runs[-1][1] = cue
        else:
            runs.append([cue, cue])
    each = [(cue, cue) for cue in cues]  # alone, too: a neighbour's words may go on as this line does
    widened = [(_joined(stream, first - 1, first), _joined(stream, last + 1, last)) for first, last in runs]
    spans = dict.fromkeys([*widened, *each])
    return [(stream.starts[first], stream.starts[last + 1]) for first, last in spans]


def _joined(stream: CueStream, cue: int, to: int) -> int:
    """Return `cue`, or the cue it would be joined to when there is a pause between them or it is not there."""
    if not 0 <= cue < len(stream.cues):
        return to
    first, last = sorted((cue, to))
    return cue if stream.cues[last].start - stream.cues[first].end <= _NEXT_CUE else to


def _moved(stretch: Stretch, by: int) -> Stretch:
    return Stretch(stretch.start + by, stretch.end + by, stretch.first, stretch.last, stretch.matched, stretch.worth)


def _labelled(stretch: Stretch, speaker: str | None, stream: CueStream, label: Mapping[int, str]) -> float:
    """Return what the labels of the cues say for (3 letters) or against (5) this speaker."""
    named = {
        label[cue] for cue in range(stream.cue_at(stretch.start), stream.cue_at(stretch.end - 1) + 1) if cue in label
    }
    if not named:
        return 0.0
    return 3.0 if named == {speaker} else -5.0
