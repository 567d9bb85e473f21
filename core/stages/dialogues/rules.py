"""The rule extractor: offline, deterministic, a novel in a second."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from core.domain.normalising import folded
from core.domain.text import Passage, PassageKind, Utterance, UtteranceKind
from core.stages.dialogues import cues
from core.stages.dialogues.attribution import Attribution, Listener
from core.stages.dialogues.discovery import discover_names
from core.stages.dialogues.names import Names
from core.stages.dialogues.quotes import Quote, Quoted, quotations, single_marks_are_outer

NAME = "rules"
_CUE = 24
"""How much of a clause is looked at to tell what kind of quotation it leads to (characters)."""
_CARRIED = 400
"""How much narration is taken over to the next paragraph when it ends in a colon."""
_SHORT = 8
"""Quotations up to here that end no sentence are terms, in the middle of narration."""
_CITED = 16
"""Quotations up to here are cited words when the narration says so."""
JOINT = "、"
"""Joins the names of people who speak together."""


def extract(passages: Sequence[Passage], cast: Mapping[str, Iterable[str]]) -> Iterator[Utterance]:
    """Yield every quotation of the passages in reading order, with its kind and speaker."""
    texts = {passage.ordinal: folded(passage.text) for passage in passages if passage.kind is PassageKind.PARAGRAPH}
    names = Names.of(cast, discover_names(list(texts.values())))
    single_marks = single_marks_are_outer(passage.text for passage in passages)
    listener = Listener(names)
    for _, chapter in groupby(passages, key=lambda passage: passage.chapter):
        listener.new_chapter()
        paragraphs = [passage for passage in chapter if passage.kind is PassageKind.PARAGRAPH]
        quoted = quotations([passage.text for passage in paragraphs], single_marks=single_marks)
        carried = ""
        for passage, found in zip(paragraphs, quoted, strict=True):
            carried = yield from _of_passage(passage, texts[passage.ordinal], found, listener, carried)


def _of_passage(
    passage: Passage, text: str, quoted: Quoted, listener: Listener, carried: str
) -> Generator[Utterance, None, str]:
    """Read one paragraph; `text` is how it is compared, of the same length as the passage's own.

    A cue that ends a paragraph is `carried` to the next, and returned from this one.
    """
    read, previous = quoted.begin, UtteranceKind.SPEECH
    for position, quote in enumerate(quoted.quotes):
        narration = carried + text[read : quote.start]
        carried = ""
        following = text[quote.end : quoted.quotes[position + 1].start if position + 1 < len(quoted.quotes) else None]
        if quote.runs_on:
            following = ""
        kind = _kind(quote, narration, following, previous)
        attribution = _attribution(listener, narration, following, kind, announced=_announced(narration))
        said = kind in (UtteranceKind.SPEECH, UtteranceKind.THOUGHT, UtteranceKind.RECITATION)
        if said:
            listener.spoken(attribution.who)
        yield Utterance(
            source_id=passage.source_id,
            ordinal=passage.ordinal,
            chapter=passage.chapter,
            para=passage.para,
            start=quote.start,
            end=quote.end,
            text=quote.text,
            kind=kind,
            speaker=JOINT.join(attribution.who) or None if kind is not UtteranceKind.NONSPEECH else None,
            extractor=NAME,
            confidence=attribution.confidence,
            reason=attribution.reason,
            runs_on=quote.runs_on,
        )
        read, previous = (quote.end if not quote.runs_on else len(text)), kind
    rest = carried + text[read:]
    if rest.endswith(tuple(cues.COLON)):
        return rest[-_CARRIED:]
    listener.narrate(rest)
    return ""


def _announced(narration: str) -> bool:
    return narration[-1:] in cues.COLON or cues.DIRECT.search(narration[-8:]) is not None


def _attribution(
    listener: Listener, narration: str, following: str, kind: UtteranceKind, *, announced: bool
) -> Attribution:
    if kind is UtteranceKind.NONSPEECH:
        listener.narrate(narration)
        return Attribution((), 0.8, "not-said")
    before = listener.speaker_before(narration, cued=announced)
    if announced or (following[-1:] in cues.COLON and len(following) < 12):
        return before
    return listener.speaker_after(following) or before


def _kind(quote: Quote, narration: str, following: str, previous: UtteranceKind) -> UtteranceKind:
    """Tell speech from thought, recitation, words cited in narration, and what nobody says."""
    body = narration.rstrip("：:，, ")
    clause = body[max(cues.clause_start(body, len(body)), len(body) - _CUE) :]
    if narration[-1:] in cues.COLON or (cues.DIRECT.search(narration[-8:]) and len(quote.text) > _SHORT):
        return _announced_kind(clause)
    if _chained(narration) and previous in (UtteranceKind.NONSPEECH, UtteranceKind.FRAGMENT):
        return previous
    return _embedded_kind(quote, narration, following, clause)


def _announced_kind(clause: str) -> UtteranceKind:
    if cues.THINKING.search(clause):
        return UtteranceKind.THOUGHT
    if cues.INSCRIBED.search(clause):
        return UtteranceKind.NONSPEECH
    return UtteranceKind.RECITATION if cues.RECITING.search(clause) else UtteranceKind.SPEECH


def _embedded_kind(quote: Quote, narration: str, following: str, clause: str) -> UtteranceKind:
    """A quotation in the middle of narration, no colon before it."""
    whole = cues.ENDS_SENTENCE.search(quote.text) is not None
    if not whole and cues.WORD_AFTER.match(following):
        return UtteranceKind.NONSPEECH
    if cues.ANSWERED_WITH.search(clause) and narration[-1:] not in "，,":
        return UtteranceKind.FRAGMENT if not whole else UtteranceKind.SPEECH
    if not whole and len(quote.text) <= _CITED and (cues.CITED_AFTER.match(following) or len(quote.text) <= _SHORT):
        said = cues.DIRECT.search(narration[-8:]) and not cues.NAMING.search(narration)
        return UtteranceKind.FRAGMENT if said else UtteranceKind.NONSPEECH
    if cues.THINKING.search(narration[-12:]):
        return UtteranceKind.THOUGHT
    if not narration.strip() or narration[-1:] in "。！？…—”" or whole:
        return UtteranceKind.SPEECH
    return UtteranceKind.SPEECH if cues.DIRECT.search(narration[-8:]) else UtteranceKind.NONSPEECH


def _chained(narration: str) -> bool:
    return narration in ("", "、", "，", "及", "与", "和", "或")
