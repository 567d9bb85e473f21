"""Collected quotes: each line is the persona's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.domain.text import Passage, PassageKind, Utterance, UtteranceKind

NAME = "quotes"
_NUMBERING = re.compile(r"(?:[（(]?\d{1,3}[）).、．]\s*|[-*•·]\s+)")
_PAIRS = {"“": "”", "「": "」", "『": "』", '"': '"'}


def extract(passages: Sequence[Passage], cast: Mapping[str, Iterable[str]]) -> Iterator[Utterance]:
    """Yield each paragraph as a line of the first person of the cast, who is the persona."""
    speaker = next(iter(cast), None)
    for passage in passages:
        if passage.kind is not PassageKind.PARAGRAPH:
            continue
        numbering = _NUMBERING.match(passage.text)
        start, end = numbering.end() if numbering else 0, len(passage.text)
        words = passage.text[start:end]
        if words[:1] in _PAIRS and words.endswith(_PAIRS[words[:1]]) and len(words) > 1:
            words = words[1:-1]
        if not words.strip():
            continue
        yield Utterance(
            source_id=passage.source_id,
            ordinal=passage.ordinal,
            chapter=passage.chapter,
            para=passage.para,
            start=start,
            end=end,
            text=words,
            kind=UtteranceKind.SPEECH,
            speaker=speaker,
            extractor=NAME,
            confidence=0.95 if speaker else 0.1,
            reason="collected-quote",
        )
