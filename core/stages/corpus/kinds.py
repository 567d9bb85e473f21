"""What sort of text a source is, guessed from the shape of its lines; people may correct it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from core.domain.text import Passage, PassageKind, SourceKind, TextFormat

_CUE_LINE = re.compile(
    r"[^\s：:。，！？“”\"「」]{0,9}[^\s：:。，！？“”\"「」道说問问曰云](?:[（(][^）)]{0,30}[）)])?[：:](?!//)\s*[^\s“「\"]"
)
"""A role's name and a colon; narration that leads to a quotation is none."""
_STAGE_LINE = re.compile(r"[（(【\[].*[）)】\]]$")
_QUOTE_MARK = re.compile('[“「"]')
_CLAUSE_MARK = re.compile("[：:，。]")
_QUOTE_LENGTH = 70
_ENOUGH = 0.4


def detect_kind(passages: Sequence[Passage], form: TextFormat = TextFormat.PLAIN) -> SourceKind:
    """Return the kind the paragraphs look like; a novel in doubt, and of subtitles what several people say."""
    if form in (TextFormat.SRT, TextFormat.VTT, TextFormat.ASS):
        return SourceKind.SCREENPLAY
    lines = [passage.text for passage in passages if passage.kind is PassageKind.PARAGRAPH]
    spoken = [line for line in lines if not _STAGE_LINE.match(line)]
    if not spoken:
        return SourceKind.NOVEL
    cued = sum(1 for line in spoken if _CUE_LINE.match(line))
    if cued / len(spoken) >= _ENOUGH:
        return SourceKind.SCREENPLAY
    headed = any(passage.kind is PassageKind.HEADING for passage in passages)
    narrated = sum(1 for line in spoken if _leads_to_a_quote(line))
    if not headed and median(len(line) for line in spoken) <= _QUOTE_LENGTH and narrated / len(spoken) < 0.2:
        return SourceKind.QUOTES
    return SourceKind.NOVEL


def _leads_to_a_quote(line: str) -> bool:
    mark = _QUOTE_MARK.search(line)
    return mark is not None and _CLAUSE_MARK.search(line, 0, mark.start()) is not None
