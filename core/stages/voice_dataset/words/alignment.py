"""Finds which subtitles speak a persona's lines of the book, so that her clips come with their words.

All lines of the book compete for the words, hers and the others': what somebody else says word for word is not hers,
however near it comes to a line of hers. Lines that follow each other in the book support each other, scenes may come
in any order, and short phrases that many people say count only where their neighbours or a speaker's name tell.
The method is described in docs/decisions/0015-words-of-a-clip.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from pydantic import Field

from core.domain.persona import Persona
from core.domain.section import Section
from core.domain.text import Utterance
from core.stages.voice_dataset.words.chaining import Candidate, Chosen, candidates, chosen, support
from core.stages.voice_dataset.words.clock import ClockShift, clock_offset, shifted
from core.stages.voice_dataset.words.cue_stream import CueStream
from core.stages.voice_dataset.words.line_index import LineIndex, letters
from core.stages.voice_dataset.words.stretches import best_stretch
from core.stages.voice_dataset.words.subtitles import Cue

__all__ = [
    "AlignmentSettings",
    "ClockShift",
    "Hit",
    "Kind",
    "LineIndex",
    "Nearest",
    "clock_offset",
    "find_lines",
    "nearest",
    "shifted",
]

_MARGIN = 0.75
"""Letters by which her line must explain the words better than anybody else's."""
_SHARED = 0.6
"""Share of a stretch that a rival must explain, too."""
_CLAUSE = 6
"""Letters up to which a clause that was found in part is taken whole."""
_REST = 2
"""Letters left over in a cue that are no line of their own."""
_CUT = 0.7
"""What is left of the confidence where a cue had to be cut by counting its letters."""
_CUT_EVIDENCE, _CUT_SIMILARITY = 3.0, 0.2
"""What is asked beyond the settings of a stretch that is only a part of a cue."""
_RAGGED = 4.0
"""Letters that speak against a stretch for each of its ends that lies within a clause which goes on otherwise."""
_EVIDENCE = 5.0
"""Evidence (letters) at which confidence reaches 63 % of the similarity."""


class AlignmentSettings(Section):
    """How alike subtitles and book must be, and how long a stretch becomes."""

    similarity: float = Field(
        default=0.55, ge=0.3, le=1, description="How alike the words and the line must be, 1 for word for word."
    )
    evidence: float = Field(
        default=4.0, ge=1, le=50, description="Letters in common, with what speaks for them, that make a line found."
    )
    longest_pause: float = Field(
        default=2.0, gt=0, le=30, description="A line is divided where nothing is said for longer than so many seconds."
    )
    longest: float = Field(
        default=12.0, gt=1, le=60, description="A line that lasts longer, in seconds, is divided between subtitles."
    )


class Kind(StrEnum):
    """How the words spoken and the line of the book go together."""

    VERBATIM = "verbatim"
    """Letter for letter."""
    SHORTENED = "shortened"
    """Something of the line is left out, the rest is letter for letter."""
    REWORDED = "reworded"
    PART_OF_A_CUE = "part of a cue"
    """Somebody else speaks in the same subtitle: from and to are guessed by counting letters."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Where one of her lines is spoken."""

    cues: tuple[int, ...]
    """Positions in the list given."""
    start: float
    """Seconds, by the clock of the cues."""
    end: float
    utterance_id: str
    spoken: str
    """The words as the subtitles have them."""
    book: str
    """The whole line as the book has it."""
    similarity: float
    """0 to 1: letters in common among those spoken and the part of the line that they are."""
    confidence: float
    """0 to 1: also heeds how much was compared, whether others say the same, and cuts within a cue."""
    kind: Kind


@dataclass(frozen=True, slots=True)
class Nearest:
    """The line of hers that some words come closest to."""

    utterance_id: str
    similarity: float


def find_lines(
    cues: Sequence[Cue], lines: Iterable[Utterance], *, persona: Persona, settings: AlignmentSettings | None = None
) -> list[Hit]:
    """Return where lines of the persona's are spoken, in order of time, no letter in two hits.

    `cues` in order of time; `lines` are everybody's, in the order of the book, each source after the other.
    Takes some seconds for a novel and an episode.
    """
    settings = settings or AlignmentSettings()
    index = LineIndex(lines)
    stream = CueStream(cues)
    found = candidates(stream, index, _labels(cues, index, persona))
    chain = chosen(found, stream, index)
    rivals = _by_cue([one for one in found if index.lines[one.line].speaker != persona.name], stream)
    hits: list[Hit] = []
    for place, one in enumerate(chain):
        line = index.lines[one.candidate.line]
        if line.speaker == persona.name and _convincing(chain, place, rivals, stream, index, settings):
            start, end = _edges(chain, place, stream)
            evidence = one.candidate.weight + one.support - _RAGGED * _ragged(chain, place, (start, end), stream)
            if evidence >= settings.evidence:
                made = _hits(start, end, line, evidence, stream, settings)
                hits += (hit for hit in made if _stands(hit, evidence, settings))
    return hits


def nearest(words: str, index: LineIndex, *, persona: Persona) -> Nearest | None:
    """Return the line of hers that the words are, as alike as they are; None where somebody else's is nearer."""
    said = letters(words)
    found: list[tuple[float, bool, Nearest]] = []
    for place in index.proposed(said):
        stretch = best_stretch(said, index.letters[place])
        if stretch:
            line = index.lines[place]
            similarity = 2 * stretch.matched / (len(said) + stretch.last - stretch.first)
            found.append((similarity, line.speaker == persona.name, Nearest(line.id, similarity)))
    best = max(found, key=lambda one: one[:2], default=None)
    return best[2] if best and best[1] else None


def _labels(cues: Sequence[Cue], index: LineIndex, persona: Persona) -> Mapping[int, str]:
    """Return, for cues with a speaker that is known, the canonical name."""
    canonical = {line.speaker: line.speaker for line in index.lines if line.speaker}
    for name, aliases in persona.alias_table().items():
        canonical |= dict.fromkeys((name, *aliases), name)
    by_letters = {letters(alias): name for alias, name in canonical.items()}
    said = ((place, by_letters.get(letters(cue.speaker))) for place, cue in enumerate(cues) if cue.speaker)
    return {place: name for place, name in said if name}


def _by_cue(found: Iterable[Candidate], stream: CueStream) -> Mapping[int, list[Candidate]]:
    by_cue: dict[int, list[Candidate]] = {}
    for one in found:
        for cue in range(stream.cue_at(one.stretch.start), stream.cue_at(one.stretch.end - 1) + 1):
            by_cue.setdefault(cue, []).append(one)
    return by_cue


def _convincing(
    chain: Sequence[Chosen],
    place: int,
    rivals: Mapping[int, list[Candidate]],
    stream: CueStream,
    index: LineIndex,
    settings: AlignmentSettings,
) -> bool:
    """Whether there is enough for her line, and clearly more than for anybody else's, its neighbours heeded, too."""
    one = chain[place]
    stretch, evidence = one.candidate.stretch, one.candidate.weight + one.support
    if stretch.similarity < settings.similarity or evidence < settings.evidence:
        return False
    before = chain[place - 1].candidate if place else None
    after = chain[place + 1].candidate if place + 1 < len(chain) else None
    cues = range(stream.cue_at(stretch.start), stream.cue_at(stretch.end - 1) + 1)
    others = {rival for cue in cues for rival in rivals.get(cue, ()) if _explains(rival, one.candidate)}
    best = max((other.weight + support(before, other, after, stream, index) for other in others), default=0.0)
    return evidence - best >= _MARGIN


def _explains(rival: Candidate, other: Candidate) -> bool:
    shared = min(rival.stretch.end, other.stretch.end) - max(rival.stretch.start, other.stretch.start)
    return shared >= _SHARED * (other.stretch.end - other.stretch.start)


def _edges(chain: Sequence[Chosen], place: int, stream: CueStream) -> tuple[int, int]:
    """Return the letters from where to where the line goes: whole clauses, up to the neighbours and the cue's edges."""
    stretch = chain[place].candidate.stretch
    before = chain[place - 1].candidate.stretch.end if place else 0
    after = chain[place + 1].candidate.stretch.start if place + 1 < len(chain) else len(stream.letters)
    low = max(stream.starts[stream.cue_at(stretch.start)], min(before, stretch.start))
    high = min(stream.starts[stream.cue_at(stretch.end - 1) + 1], max(after, stretch.end))
    start = next((at for at in range(stretch.start, low - 1, -1) if at in stream.breaks), low)
    end = next((at for at in range(stretch.end, high) if at in stream.breaks), high)
    start = start if stretch.start - start <= _CLAUSE else stretch.start
    end = end if end - stretch.end <= _CLAUSE else stretch.end
    start = max(start, _meeting(before, stretch.start, stream)) if before > stretch.start else start
    end = min(end, _meeting(stretch.end, after, stream)) if after < stretch.end else end
    return (low if start - low <= _REST else start), (high if high - end <= _REST else end)


def _stands(hit: Hit, evidence: float, settings: AlignmentSettings) -> bool:
    """Whether the words as cut are alike enough; more is asked where the rest of a cue is not hers."""
    if hit.kind is not Kind.PART_OF_A_CUE:
        return hit.similarity >= settings.similarity
    return evidence >= settings.evidence + _CUT_EVIDENCE and hit.similarity >= settings.similarity + _CUT_SIMILARITY


def _ragged(chain: Sequence[Chosen], place: int, edges: tuple[int, int], stream: CueStream) -> int:
    """Return how many of its ends lie within a clause and do not meet a neighbour's."""
    others = [chain[at].candidate.stretch for at in (place - 1, place + 1) if 0 <= at < len(chain)]
    met = {at + by for other in others for at in (other.start, other.end) for by in range(-_REST, _REST + 1)}
    return sum(edge not in stream.breaks and edge not in met and edge < len(stream.letters) for edge in edges)


def _meeting(end: int, start: int, stream: CueStream) -> int:
    """Return where two stretches that run into each other are cut."""
    cues = (at for at in range(start, end + 1) if at == stream.group(min(at, len(stream.letters) - 1))[0])
    breaks = (at for at in range(start, end + 1) if at in stream.breaks)
    return next(cues, next(breaks, (start + end) // 2))


def _hits(
    start: int, end: int, line: Utterance, evidence: float, stream: CueStream, settings: AlignmentSettings
) -> Iterator[Hit]:
    book = letters(line.text)
    for first, last in _pieces(start, end, stream, settings):
        said = stream.letters[first:last]
        stretch = best_stretch(said, book)
        similarity = 2 * stretch.matched / (len(said) + stretch.last - stretch.first) if stretch else 0.0
        cut = first != stream.group(first)[0] or last != stream.group(last - 1)[1]
        sure = similarity * (1 - math.exp(-evidence / _EVIDENCE))
        cues = range(stream.cue_at(first), stream.cue_at(last - 1) + 1)
        yield Hit(
            cues=tuple(cues),
            start=stream.moment(first),
            end=stream.moment(last, ending=True),
            utterance_id=line.id,
            spoken=stream.text(first, last),
            book=line.text,
            similarity=similarity,
            confidence=sure * (_CUT if cut else 1.0),
            kind=Kind.PART_OF_A_CUE if cut else _kind(said, book),
        )


def _pieces(start: int, end: int, stream: CueStream, settings: AlignmentSettings) -> Iterator[tuple[int, int]]:
    """Yield the stretch in parts that are not too long and have no long pause."""
    cuts: list[int] = []
    begun = stream.moment(start)
    at = stream.group(start)[1]
    while at < end:
        first, last = stream.group(at)
        pause = stream.moment(first) - stream.moment(at, ending=True)
        if pause > settings.longest_pause or stream.moment(min(last, end), ending=True) - begun > settings.longest:
            cuts.append(at)
            begun = stream.moment(at)
        at = last
    edges = [start, *cuts, end]
    yield from pairwise(edges)


def _kind(said: str, book: str) -> Kind:
    if said == book:
        return Kind.VERBATIM
    rest = iter(book)
    return Kind.SHORTENED if all(letter in rest for letter in said) else Kind.REWORDED
