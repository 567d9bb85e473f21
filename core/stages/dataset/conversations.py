"""Utterances become conversations: scenes are found, turns merged, windows cut; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
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
    overlap: int = 0
    """Exchanges before a window's own that it shows again, as context."""


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


def conversations(
    scene: Sequence[Utterance], persona: str, cutting: Cutting, dropped: Collection[str] = ()
) -> Iterator[tuple[Turn, ...]]:
    """Yield the scene's conversations: turns alternate, begin with a counterpart's and end with a reply to be learnt.

    Neighbouring lines of the counterparts become one turn, and so do the persona's own. A scene longer than the
    window becomes several conversations: each but the first begins with the last exchanges of the one before it, as
    context, so that no reply comes out of nowhere and none is learnt twice. Replies that are too short, or all of
    whose lines are `dropped` (ids), are context for what follows them.
    """
    exchanges: list[Turn] = []
    heard: Turn | None = None
    for turn in _merged(scene, persona, cutting.max_heard_lines, dropped):
        if turn.role is TurnRole.COUNTERPART:
            heard = turn
        elif heard is not None:
            short = len(normal_form(turn.text)) < cutting.min_reply_characters
            exchanges += [heard, replace(turn, context=turn.context or short)]
            heard = None
    yield from _windows(exchanges, 2 * cutting.max_exchanges, 2 * min(cutting.overlap, cutting.max_exchanges - 1))


def _windows(turns: Sequence[Turn], length: int, overlap: int) -> Iterator[tuple[Turn, ...]]:
    """Yield the turns in windows of at most `length`; the first `overlap` of each but the first are shown again."""
    own = 0
    while own < len(turns):
        first = max(0, own - overlap)
        window = ended((*_as_context(turns[first:own]), *turns[own : first + length]))
        if window:
            yield window
        own = first + length


def ended(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return the turns up to the last reply to be learnt; none when there is no such reply."""
    last = max((place for place, turn in enumerate(turns) if _is_learnt(turn)), default=-1)
    return turns[: last + 1]


def _is_learnt(turn: Turn) -> bool:
    return turn.role is TurnRole.PERSONA and not turn.context


def _as_context(turns: Iterable[Turn]) -> Iterator[Turn]:
    return (replace(turn, context=True) if turn.role is TurnRole.PERSONA else turn for turn in turns)


def normal_form(text: str) -> str:
    """Return the text as compared for sameness: width-folded, without punctuation and white space."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", text)).casefold()


def without_repetitions(turns: tuple[Turn, ...], seen: set[tuple[str, str]]) -> tuple[Turn, ...]:
    """Make context of exchanges that were learnt before, word for word after normalising; remember the others."""
    kept: list[Turn] = []
    for heard, reply in zip(turns[::2], turns[1::2], strict=True):
        key = (normal_form(heard.text), normal_form(reply.text))
        kept += [heard, replace(reply, context=reply.context or key in seen)]
        if not reply.context:
            seen.add(key)
    return ended(tuple(kept))


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
    synthetic = any(turn.expansion_id for turn in turns)
    return Sample(ordinal=0, source_id=source_id, chapter=chapter, split=Split.TRAIN, turns=turns, synthetic=synthetic)


def learnt(sample: Sample) -> Iterator[Turn]:
    """Yield the replies a trainer takes loss on."""
    return (turn for turn in sample.turns if _is_learnt(turn))


def _merged(scene: Sequence[Utterance], persona: str, max_heard_lines: int, dropped: Collection[str]) -> Iterator[Turn]:
    """Yield the turns of her and of all others by turns; of a long talk of others its last lines."""
    audible = (line for line in scene if not _in_chorus(line, persona))
    for hers, lines in groupby(audible, key=lambda line: line.speaker == persona):
        run = list(lines)
        if hers:
            kept = [line for line in run if line.id not in dropped]
            said = kept or run
            ids = tuple(line.id for line in said)
            yield Turn(TurnRole.PERSONA, persona, _sentence(said), ids, context=not kept)
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
