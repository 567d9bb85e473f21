"""Collected quotes: each line is the persona's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.domain.text import Passage, PassageKind, Utterance, UtteranceKind

NAME = "quotes"
_NUMBERING = re.compile(
    r"(?:[（(【\[]?\d{1,4}[）)】\].、．：:](?!\d)\s*|[（(]?[一二三四五六七八九十百]{1,4}[）)、.．]\s*|[①-⑳]\s*|[-*•·>]+\s+)"
)
_LABEL = re.compile(r"(?P<label>[^\s：:，。！？“”\"「」]{1,16})[：:]\s*(?=\S)")
_CUE = re.compile("(?:.{0,4}[道说說云曰问問])?")
_SOURCE = re.compile(
    r"(?<=[。！？!?….”」』\"])\s*(?:[—–－-]{1,2}\s*[^。！？!?—]{1,30}|"
    r"[（(【\[][^（）()]{0,30}(?:第[^（）()]{1,8}[回章节節集幕]|《[^》]*》)[^（）()]{0,20}[）)】\]])$"
)
"""Where a quote was taken from: a dash and a name, or a chapter in brackets."""
_REMARK = re.compile(r"#|//|[\W_]+$")
_PAIRS = {"“": "”", "「": "」", "『": "』", '"': '"'}


def extract(passages: Sequence[Passage], cast: Mapping[str, Iterable[str]]) -> Iterator[Utterance]:
    """Yield each paragraph as a line of the first person of the cast, who is the persona.

    A label at its front that names somebody of the cast counts more. Numbers, labels and sources are no part of it.
    """
    canonical = {alias: name for name, aliases in cast.items() for alias in (name, *aliases)}
    persona = next(iter(cast), None)
    for passage in passages:
        if passage.kind is not PassageKind.PARAGRAPH or _REMARK.match(passage.text):
            continue
        start, end, named = _bounds(passage.text, canonical)
        words = _unquoted(passage.text[start:end])
        if not words.strip():
            continue
        speaker = canonical[named] if named else persona
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
            confidence=0.98 if named else 0.95 if speaker else 0.1,
            reason=f"label:{named}" if named else "collected-quote",
        )


def _bounds(line: str, canonical: Mapping[str, str]) -> tuple[int, int, str]:
    """Return where the quote begins and ends in its line, and the name at its front, if any."""
    numbering = _NUMBERING.match(line)
    start = numbering.end() if numbering else 0
    label = _LABEL.match(line, start)
    named = _named(label["label"], canonical) if label else ""
    if label and named:
        start = label.end()
    source = _SOURCE.search(line, start)
    return start, source.start() if source else len(line), named


def _named(label: str, canonical: Mapping[str, str]) -> str:
    """Return the name a label is, or begins with where a cue follows: `青儿笑道`."""
    names = (label[:end] for end in range(len(label), 0, -1) if _CUE.fullmatch(label, end))
    return next((name for name in names if name in canonical), "")


def _unquoted(words: str) -> str:
    """Return the words without quotation marks that hold all of them."""
    closing = _PAIRS.get(words[:1])
    whole = closing and len(words) > 1 and words.find(closing, 1) == len(words) - 1
    return words[1:-1] if whole else words
