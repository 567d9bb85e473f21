"""The book as she may remember it: the stretches of it that name her or hold a line of hers."""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from core.backends.llm import Line
from core.domain.persona import Persona
from core.domain.text import Passage, PassageKind, Utterance
from core.stages.chat.lines import lines_of
from core.store import Store
from core.store.utterances import UtteranceFilter

_SENTENCE_END = re.compile(r"(?:[。！？!?…]|\.(?=\s|$))+[”’」』）》\")]*\s*|\n+")


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch of a passage, and her lines that begin in it."""

    passage: Passage
    start: int
    end: int
    lines: tuple[tuple[Line, int, int], ...]
    """Each with where it begins and ends in the passage."""

    @property
    def text(self) -> str:
        """The words."""
        return self.passage.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Scenes:
    """All of her scenes in reading order, with what they are searched by."""

    lines: tuple[Line, ...]
    scenes: tuple[Scene, ...]
    texts: tuple[str, ...]
    holding: Mapping[str, int]
    """The id of a line -> the place of its scene."""


def scenes_of(persona: Persona, store: Store, length: int) -> Scenes:
    """Return her scenes of about `length` characters; made anew only when her lines or her sources changed."""
    lines = lines_of(persona, store)
    sources = tuple(sorted((source.id, source.sha256) for source in store.corpus.sources(persona.id)))
    names = tuple(sorted({persona.name, *persona.aliases} - {""}))
    key = (str(store.workspace), persona.id, names, sources, lines, length)
    with _reading:
        if key not in _known:
            scenes = tuple(_scenes(persona, names, [source_id for source_id, _ in sources], lines, length, store))
            holding = {line.utterance_id: place for place, scene in enumerate(scenes) for line, _, _ in scene.lines}
            _known[key] = Scenes(lines, scenes, tuple(scene.text for scene in scenes), holding)
        _known.move_to_end(key)
        while len(_known) > _KEPT:
            _known.popitem(last=False)
        return _known[key]


def around(text: str, start: int, end: int, most: int) -> str:
    """Return the sentences that hold `text[start:end]` and as many beside them as fit in `most` characters.

    A sentence that is longer than `most` by itself is cut at its end.
    """
    sentences = list(_sentences(text))
    inside = [place for place, (first, last) in enumerate(sentences) if first < max(end, start + 1) and last > start]
    low, high = inside[0], inside[-1]
    while high > low and sentences[high][1] - sentences[low][0] > most:
        high -= 1  # a long speech: what it begins with stays
    while True:
        before = sentences[high][1] - sentences[low - 1][0] if low else most + 1
        after = sentences[high + 1][1] - sentences[low][0] if high + 1 < len(sentences) else most + 1
        if min(before, after) > most:
            break
        # By turns, so that the line stays in the middle.
        if after > most or (before <= most and start - sentences[low][0] <= sentences[high][1] - end):
            low -= 1
        else:
            high += 1
    return text[sentences[low][0] : sentences[high][1]][:most].strip()


def _scenes(
    persona: Persona, names: Sequence[str], sources: Sequence[str], lines: Iterable[Line], length: int, store: Store
) -> Iterator[Scene]:
    hers = _by_passage(persona, {line.utterance_id: line for line in lines}, store)
    for source_id in sources:
        for passage in store.corpus.passages(source_id):
            if passage.kind is not PassageKind.PARAGRAPH:
                continue
            if passage.id in hers or any(name in passage.text for name in names):
                yield from _cut(passage, hers.get(passage.id, ()), length)


def _by_passage(
    persona: Persona, lines: Mapping[str, Line], store: Store
) -> Mapping[str, Sequence[tuple[Line, Utterance]]]:
    found: dict[str, list[tuple[Line, Utterance]]] = defaultdict(list)
    for one in store.utterances.iterate(UtteranceFilter(persona.id, speaker=persona.name), batch=10_000):
        if one.id in lines:
            found[one.passage_id].append((lines[one.id], one))
    return found


def _cut(passage: Passage, hers: Sequence[tuple[Line, Utterance]], length: int) -> Iterator[Scene]:
    starts = [0]
    for first, last in _sentences(passage.text):
        if last - starts[-1] > length and first > starts[-1]:
            starts.append(first)
    for start, end in zip(starts, [*starts[1:], len(passage.text)], strict=True):
        inside = (
            (line, one.start, len(passage.text) if one.runs_on else one.end)
            for line, one in hers
            if start <= one.start < end
        )
        yield Scene(passage, start, end, tuple(inside))


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each sentence begins and ends; together they are the text."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        yield start, match.end()
        start = match.end()
    if start < len(text) or not text:
        yield start, len(text)


_KEPT = 4
_known: OrderedDict[tuple[object, ...], Scenes] = OrderedDict()
_reading = Lock()
