"""Screenplays: `角色：台词`, with stage directions in brackets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.domain.text import Passage, PassageKind, Utterance, UtteranceKind

NAME = "screenplay"
_NAME = r"[^\s：:；;，。！？、（）()【】\[\]“”\"]{1,12}"
_ACTION = r"[（(][^（）()]{0,60}[）)]"
_LINE = re.compile(
    rf"(?P<name>{_NAME})\s{{0,4}}(?P<action>{_ACTION})?\s{{0,4}}[：:；;]\s*(?P<words>\S.*)$",
    re.DOTALL,
)
_NARRATION = re.compile("旁白|画外音|字幕|解说|场景|时间|地点|人物|道具|背景|[内外]?景|日|夜|转场|场次")
_THOUGHT = re.compile("心想|心声|内心|独白|暗想|os|OS")
_RECITED = re.compile("念|吟|读信|唱|诵")
_DIRECTION = re.compile(r"[（(][^（）()]*[）)]")


def extract(passages: Sequence[Passage], cast: Mapping[str, Iterable[str]]) -> Iterator[Utterance]:
    """Yield every line somebody speaks; directions, narration and scene headings are left out.

    `start` and `end` hold the words within the passage, directions included; the text is without them.
    """
    canonical = {alias: name for name, aliases in cast.items() for alias in (name, *aliases)}
    for passage in passages:
        if passage.kind is not PassageKind.PARAGRAPH:
            continue
        found = _LINE.match(passage.text)
        if not found or _NARRATION.fullmatch(found["name"]):
            continue
        words = " ".join(_DIRECTION.sub("", found["words"]).split()).strip('“”"「」')
        if not words:
            continue
        yield Utterance(
            source_id=passage.source_id,
            ordinal=passage.ordinal,
            chapter=passage.chapter,
            para=passage.para,
            start=found.start("words"),
            end=found.end("words"),
            text=words,
            kind=_kind(found["action"] or ""),
            speaker=canonical.get(found["name"], found["name"]),
            extractor=NAME,
            confidence=0.98 if found["name"] in canonical else 0.9,
            reason=f"label:{found['name']}",
        )


def _kind(action: str) -> UtteranceKind:
    if _THOUGHT.search(action):
        return UtteranceKind.THOUGHT
    return UtteranceKind.RECITATION if _RECITED.search(action) else UtteranceKind.SPEECH
