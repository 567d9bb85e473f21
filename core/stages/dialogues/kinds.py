"""Tells speech from thought, recitation, words cited in narration, and what nobody says."""

from __future__ import annotations

from core.domain.text import UtteranceKind
from core.stages.dialogues import cues
from core.stages.dialogues.quotes import Quote

_CUE = 24
"""How much of a clause is looked at to tell what kind of quotation it leads to (characters)."""
_SHORT = 8
"""Quotations up to here that end no sentence are terms, in the middle of narration."""
_CITED = 16
"""Quotations up to here are cited words when the narration says so."""
SAID = frozenset((UtteranceKind.SPEECH, UtteranceKind.THOUGHT, UtteranceKind.RECITATION))


def announced(narration: str) -> bool:
    """Whether the narration before a quotation leads to it."""
    return narration[-1:] in cues.COLON or cues.DIRECT.search(narration[-8:]) is not None


def kind_of(quote: Quote, narration: str, following: str, previous: UtteranceKind) -> UtteranceKind:
    """Return what a quotation is, by the narration on both sides and the kind of the one before it."""
    body = narration.rstrip("：:，, ")
    clause = body[max(cues.clause_start(body, len(body)), len(body) - _CUE) :]
    if narration[-1:] in cues.COLON or (cues.DIRECT.search(narration[-8:]) and len(quote.text) > _SHORT):
        return _announced_kind(clause)
    if _chained(narration) and previous in (UtteranceKind.NONSPEECH, UtteranceKind.FRAGMENT):
        return previous
    kind = _embedded_kind(quote, narration, following, clause)
    if kind is UtteranceKind.SPEECH and cues.THOUGHT_AFTER.match(following):
        return UtteranceKind.THOUGHT
    return kind


def _announced_kind(clause: str) -> UtteranceKind:
    if cues.THINKING.search(clause):
        return UtteranceKind.THOUGHT
    if cues.INSCRIBED.search(clause):
        return UtteranceKind.NONSPEECH
    return UtteranceKind.RECITATION if cues.RECITING.search(clause) else UtteranceKind.SPEECH


def _embedded_kind(quote: Quote, narration: str, following: str, clause: str) -> UtteranceKind:
    """A quotation in the middle of narration, no colon before it."""
    whole = cues.ENDS_SENTENCE.search(quote.text.rstrip("’』")) is not None
    if cues.SHOUTED_AFTER.match(following):
        return UtteranceKind.SPEECH
    if not whole and (cues.WORD_AFTER.match(following) or _told_of(quote, narration)):
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


def _told_of(quote: Quote, narration: str) -> bool:
    return len(quote.text) <= _SHORT // 2 and cues.TELLING_OF.search(narration[-2:]) is not None


def _chained(narration: str) -> bool:
    return narration in ("", "、", "，", "及", "与", "和", "或")
