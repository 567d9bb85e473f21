"""Utterances become conversations: scenes are found, turns merged, windows cut; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from core.domain.text import Sample, Split, Turn, TurnRole, Utterance, UtteranceKind

_IGNORED = re.compile(r"[\W_]+")
_CLOSED = re.compile(r"[，。！？；：…—、,.!?;:～~）)”’」』]\s*$")
JOINT = "、"
"""Joins the names of people who speak together, as the extractors write it."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """How conversations are cut."""

    scene_gap: int
    max_exchanges: int
    max_heard_lines: int
    min_reply_characters: int


def scenes(utterances: Iterable[Utterance], gap: int) -> Iterator[list[Utterance]]:
    """Yield runs of utterances that follow one another within a chapter, at most `gap` passages apart."""
    scene: list[Utterance] = []
    for line in utterances:
        if scene:
            last = scene[-1]
            elsewhere = (line.source_id, line.chapter) != (last.source_id, last.chapter)
            if elsewhere or line.ordinal - last.ordinal > gap:
                yield scene
                scene = []
        scene.append(line)
    if scene:
        yield scene


def conversations(scene: Sequence[Utterance], persona: str, cutting: Cutting) -> Iterator[tuple[Turn, ...]]:
    """Yield the scene's conversations: turns alternate, begin with a counterpart's and end with the persona's.

    Neighbouring lines of the counterparts become one turn, and so do the persona's own; a scene longer than
    the window becomes several conversations, each a window of its own, so that no reply is trained twice.
    """
    exchanges: list[tuple[Turn, Turn]] = []
    heard: Turn | None = None
    for turn in _merged(scene, persona, cutting.max_heard_lines):
        if turn.role is TurnRole.COUNTERPART:
            heard = turn
        elif heard is not None and len(normal_form(turn.text)) >= cutting.min_reply_characters:
            exchanges.append((heard, turn))
            heard = None
    for begin in range(0, len(exchanges), cutting.max_exchanges):
        window = exchanges[begin : begin + cutting.max_exchanges]
        yield tuple(turn for exchange in window for turn in exchange)


def normal_form(text: str) -> str:
    """Return the text as compared for sameness: width-folded, without punctuation and white space."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", text)).casefold()


def without_duplicates(turns: tuple[Turn, ...], seen: set[tuple[str, str]]) -> tuple[Turn, ...]:
    """Drop exchanges that were seen before, word for word after normalising, and remember the others in `seen`."""
    kept: list[Turn] = []
    for heard, reply in zip(turns[::2], turns[1::2], strict=True):
        key = (normal_form(heard.text), normal_form(reply.text))
        if key not in seen:
            seen.add(key)
            kept += [heard, reply]
    return tuple(kept)


def usable(line: Utterance, *, with_thoughts: bool) -> bool:
    """Whether the line is something said; thoughts only where they are wanted."""
    if line.kind is UtteranceKind.THOUGHT:
        return with_thoughts
    return line.kind in (UtteranceKind.SPEECH, UtteranceKind.RECITATION)


def without_overlaps(lines: Iterable[Utterance]) -> Iterator[Utterance]:
    """Keep one line where several extractors found the same words; the first at a place wins."""
    passage, end = "", -1
    for line in lines:
        if line.passage_id != passage:
            passage, end = line.passage_id, -1
        if line.start >= end:
            end = line.end
            yield line


def numbered(samples: Iterable[Sample]) -> list[Sample]:
    """Return the samples with their ordinals, from 0."""
    return [replace(sample, ordinal=ordinal) for ordinal, sample in enumerate(samples)]


def sample_of(turns: tuple[Turn, ...], source_id: str, chapter: int) -> Sample:
    """Return a sample of those turns, not yet numbered nor split."""
    return Sample(ordinal=0, source_id=source_id, chapter=chapter, split=Split.TRAIN, turns=turns)


def _merged(scene: Sequence[Utterance], persona: str, max_heard_lines: int) -> Iterator[Turn]:
    """Yield the turns of her and of all others by turns; of a long talk of others its last lines."""
    audible = (line for line in scene if not _in_chorus(line, persona))
    for hers, lines in groupby(audible, key=lambda line: line.speaker == persona):
        run = list(lines)
        if hers:
            yield Turn(TurnRole.PERSONA, persona, _sentence(run), tuple(line.id for line in run))
        else:
            run = run[-max_heard_lines:]
            speakers = dict.fromkeys(name for line in run for name in (line.speaker or "").split(JOINT) if name)
            text = "\n".join(line.text for line in run)
            yield Turn(TurnRole.COUNTERPART, JOINT.join(speakers), text, tuple(line.id for line in run))


def _in_chorus(line: Utterance, persona: str) -> bool:
    """Whether she says it together with others: neither her own voice nor somebody else's."""
    speaker = line.speaker or ""
    return speaker != persona and persona in speaker.split(JOINT)


def _sentence(lines: Sequence[Utterance]) -> str:
    """Return her lines as one text; where one ends in mid-sentence, a comma goes on."""
    text = ""
    for line in lines:
        text += ("，" if text and not _CLOSED.search(text) else "") + line.text
    return text
