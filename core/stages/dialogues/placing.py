"""From the answer about a chunk to lines of the book: who says what, where, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from core.backends.extraction import Fields
from core.domain.normalising import folded
from core.domain.persona import Persona
from core.domain.text import Passage, PassageKind, Utterance, UtteranceKind
from core.stages.dialogues.alignment import Aligned, Match, Span, align
from core.stages.dialogues.chunks import Chunk
from core.stages.dialogues.paragraphs import Line, chapter_paragraphs
from core.stages.dialogues.quotes import single_marks_are_outer
from core.stages.dialogues.rules import JOINT

NAME = "kor"
_SURE = {Match.VERBATIM: 0.85, Match.REPAIRED: 0.6}
_PART = 0.6
"""How sure a line is that makes up less than half of its quotation."""
_BARE = 0.5
"""How sure a line is that has no quotation marks."""
_NOBODY = 0.3
_UNHEARD = 0.6
"""What is left of it when the name stands neither in the cast nor in the text."""
_DIFFERS = 0.7
"""What is left of it when two answers about overlapping chunks name different people."""
_UNKNOWN = frozenset(("", "未知", "不明", "unknown", "none", "?", "？", "某人"))
_NARRATORS = frozenset(("旁白", "叙述", "叙述者", "作者", "narrator"))
_TOGETHER = str.maketrans({"和": "、", "与": "、", "，": "、", ",": "、", "/": "、"})

Lines = Mapping[int, Sequence[Line]]
"""The quotations of a source by their passage's ordinal."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A line of an answer that is not in the book as the model gave it; shown to the curator."""

    match: Match
    passage_id: str
    """Where it stands; of one that was not found, where its chunk begins."""
    role: str
    words: str
    """The model's."""
    utterance_id: str | None = None
    text: str = ""
    """The book's."""
    similarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Placed:
    """What an answer comes to."""

    lines: tuple[Utterance, ...]
    slips: tuple[Slip, ...]
    verbatim: int
    """How many rows stand in the book word for word."""


def source_lines(passages: Iterable[Passage]) -> dict[int, list[Line]]:
    """Return the quotations of a source as the rules see them: the same places, the same kinds."""
    paragraphs = [passage for passage in passages if passage.kind is PassageKind.PARAGRAPH]
    single_marks = single_marks_are_outer(passage.text for passage in paragraphs)
    found: dict[int, list[Line]] = {}
    for _, group in groupby(paragraphs, key=lambda passage: passage.chapter):
        chapter = list(group)
        texts = [folded(passage.text) for passage in chapter]
        for paragraph in chapter_paragraphs(chapter, texts, single_marks=single_marks):
            found[paragraph.passage.ordinal] = list(paragraph.lines)
    return found


class Casting:
    """Who the names in answers are."""

    def __init__(self, persona: Persona) -> None:
        table = persona.alias_table()
        self._canonical = {folded(alias): name for name, aliases in table.items() for alias in (*aliases, name)}

    def speaker(self, role: str, text: str = "") -> str | None:
        """Return the canonical name, several joined as the rules join them; None for nobody in particular.

        Who is not of the cast is called as the text writes it, where it does.
        """
        given = role.strip("：:（）()[]【】 ")
        role = folded(given)
        if role.lower() in _UNKNOWN:
            return None
        if role in self._canonical:
            return self._canonical[role]
        several = [self._canonical.get(one, one) for one in role.translate(_TOGETHER).split("、") if one]
        known = len(several) > 1 and all(one in self._canonical for one in map(folded, several))
        if known or JOINT in role:
            return JOINT.join(several)
        at = folded(text).find(role)
        return text[at : at + len(role)] if at >= 0 else given

    def knows(self, speaker: str) -> bool:
        """Whether everybody in that name is of the cast."""
        return all(folded(one) in self._canonical for one in speaker.split(JOINT))


def place(chunk: Chunk, rows: Sequence[Fields], lines: Lines, casting: Casting, *, similarity: float) -> Placed:
    """Align the rows of an answer with the chunk they are about."""
    told = [row for row in rows if row["role"].strip().lower() not in _NARRATORS]
    quotes = list(_quotes(chunk, lines))
    spans = [span for span, _, _ in quotes]
    found = align(chunk.text, spans, [row["dialogue"] for row in told], similarity=similarity)
    made: list[Utterance] = []
    slips: list[Slip] = []
    coverage: defaultdict[str, float] = defaultdict(float)
    for row, aligned in zip(told, found, strict=True):
        here = [*_in_quotes(chunk, aligned, quotes, row["role"], casting), *_bare(chunk, aligned, row["role"], casting)]
        for line, share in here:
            coverage[f"{line.id}|{line.speaker}"] += share
        made += [line for line, _ in here]
        if aligned.match is not Match.VERBATIM:
            slips.append(_slip(chunk, aligned, row, here[0][0] if here else None))
    judged = [_judged(line, coverage[f"{line.id}|{line.speaker}"]) for line in made]
    verbatim = sum(one.match is Match.VERBATIM for one in found)
    return Placed(tuple(_one_each(judged, coverage)), tuple(slips), verbatim)


def collapse(answers: Iterable[Sequence[Utterance]]) -> list[Utterance]:
    """Return each line once, in reading order; where overlapping chunks disagree, the one that saw more before it."""
    kept: dict[str, Utterance] = {}
    for lines in answers:
        for line in lines:
            earlier = kept.get(line.id)
            if earlier is None:
                kept[line.id] = line
            elif earlier.speaker == line.speaker:
                kept[line.id] = max(earlier, line, key=lambda one: one.confidence)
            else:
                kept[line.id] = _with(earlier, earlier.confidence * _DIFFERS, f"{earlier.reason}:differs")
    return sorted(kept.values(), key=lambda line: (line.ordinal, line.start))


def _quotes(chunk: Chunk, lines: Lines) -> Iterator[tuple[Span, Passage, Line]]:
    """Yield the quotations of a chunk with where they stand in its text."""
    begins = chunk.begins
    for at, passage in enumerate(chunk.passages):
        for line in lines.get(passage.ordinal, ()):
            last = min(at + line.quote.runs_on, len(chunk.passages) - 1)
            cut_off = at + line.quote.runs_on > last
            end = begins[-1] if cut_off else begins[last] + line.quote.end
            yield Span(begins[at] + line.quote.start, end), passage, line


def _in_quotes(
    chunk: Chunk,
    aligned: Aligned,
    quotes: Sequence[tuple[Span, Passage, Line]],
    role: str,
    casting: Casting,
) -> Iterator[tuple[Utterance, float]]:
    for at, share in zip(aligned.quotes, aligned.coverage, strict=True):
        _, passage, line = quotes[at]
        kind = UtteranceKind.SPEECH if line.kind is UtteranceKind.NONSPEECH else line.kind
        quote = line.quote
        span = (quote.start, quote.end, quote.runs_on, quote.text)
        yield _utterance(chunk, passage, span, kind, aligned, role, casting), share


def _bare(chunk: Chunk, aligned: Aligned, role: str, casting: Casting) -> Iterator[tuple[Utterance, float]]:
    if aligned.bare is None:
        return
    first, start = chunk.locate(aligned.bare.start)
    last, end = chunk.locate(aligned.bare.end - 1)
    span = (start, end + 1, last - first, chunk.text[aligned.bare.start : aligned.bare.end])
    line = _utterance(chunk, chunk.passages[first], span, UtteranceKind.SPEECH, aligned, role, casting)
    yield _with(line, min(line.confidence, _BARE), f"{line.reason}:no-marks"), 1.0


def _utterance(
    chunk: Chunk,
    passage: Passage,
    span: tuple[int, int, int, str],
    kind: UtteranceKind,
    aligned: Aligned,
    role: str,
    casting: Casting,
) -> Utterance:
    start, end, runs_on, text = span
    speaker = casting.speaker(role, chunk.text)
    confidence = _SURE[aligned.match] if speaker else _NOBODY
    if speaker and not casting.knows(speaker) and folded(speaker) not in folded(chunk.text):
        confidence *= _UNHEARD
    repaired = f"{aligned.match}:{aligned.similarity:.2f}"
    return Utterance(
        source_id=passage.source_id,
        ordinal=passage.ordinal,
        chapter=passage.chapter,
        para=passage.para,
        start=start,
        end=end,
        text=text,
        kind=kind,
        speaker=speaker,
        extractor=NAME,
        confidence=confidence,
        reason=str(aligned.match) if aligned.match is Match.VERBATIM else repaired,
        runs_on=runs_on,
    )


def _judged(line: Utterance, share: float) -> Utterance:
    """A line is as sure as it is whole: a model may give a long speech sentence by sentence."""
    if share * 2 >= 1:
        return line
    return _with(line, min(line.confidence, _PART), f"{line.reason}:part")


def _one_each(lines: Iterable[Utterance], coverage: Mapping[str, float]) -> list[Utterance]:
    """Of several lines in one quotation keep whose words make up most of it."""
    best: dict[str, Utterance] = {}
    for line in lines:
        other = best.get(line.id)
        if other is None or coverage[f"{line.id}|{line.speaker}"] > coverage[f"{other.id}|{other.speaker}"]:
            best[line.id] = line
    return list(best.values())


def _slip(chunk: Chunk, aligned: Aligned, row: Fields, line: Utterance | None) -> Slip:
    if line is None:
        return Slip(Match.NOT_FOUND, chunk.subject, row["role"], row["dialogue"])
    return Slip(
        aligned.match, line.passage_id, row["role"], row["dialogue"], line.id, line.text, round(aligned.similarity, 3)
    )


def _with(line: Utterance, confidence: float, reason: str) -> Utterance:
    return replace(line, confidence=confidence, reason=reason)
