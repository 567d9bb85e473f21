"""Subtitles: one cue, one paragraph; who speaks stands before it where the file says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pysubs2

from core.domain.encoding import decode
from core.errors import InvalidInputError
from core.stages.corpus.document import Block, Document, ReadingLimits, Tick, document_of, one_line
from core.translation import N_

_TIME = r"(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
_SRT = re.compile(rf"\s*\d{{1,6}}[ \t]*\r?\n[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}")
_VTT = re.compile(r"WEBVTT(?:[ \t\r\n]|$)")
_ASS = re.compile(r"\s*(?:;[^\n]*\n\s*){0,20}\[Script Info\]", re.IGNORECASE)
_VOICE = re.compile(r"<v(?:\.[\w.-]{1,40})?[ \t]+([^>\n]{1,60})>")
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>|\{\\[^{}\n]{0,500}\}")
_NAMED = re.compile(r"[^\s：:，。！？]{1,10}(?:[（(][^）)]{0,30}[）)])?[：:](?!//)")
_DASH = re.compile(r"[-–—]\s*(?![-–—])")
_SHARE = 500
"""Cues between two looks at the clock."""


def recognises_srt(text: str) -> bool:
    """Whether a decoded file begins as SubRip does."""
    return _SRT.match(text.lstrip("\ufeff")) is not None


def recognises_vtt(text: str) -> bool:
    """Whether a decoded file begins as WebVTT does."""
    return _VTT.match(text.lstrip("\ufeff")) is not None


def recognises_ass(text: str) -> bool:
    """Whether a decoded file begins as SubStation Alpha does."""
    return _ASS.match(text.lstrip("\ufeff")) is not None


def read(data: bytes, name: str, limits: ReadingLimits, tick: Tick) -> Document:
    """Read the cues in order of time; each paragraph's place is when its cue begins, hh:mm:ss.mmm."""
    text, encoding = decode(data, name)
    text = text.lstrip("\ufeff")
    form = "ass" if recognises_ass(text) else "vtt" if recognises_vtt(text) else "srt"
    if form == "vtt":
        text = _VOICE.sub(r"\1：", text)
    try:
        cues = pysubs2.SSAFile.from_string(text, format_=form)
    except (pysubs2.exceptions.Pysubs2Error, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
        raise InvalidInputError(
            N_("The subtitles in {name} are damaged."),
            remedy=N_("Save them anew in a subtitle editor, as .srt or .ass."),
            name=name,
        ) from None
    cues.sort()
    return document_of(_blocks(cues, tick), name=name, encoding=encoding)


def _blocks(cues: pysubs2.SSAFile, tick: Tick) -> Iterator[Block]:
    for number, cue in enumerate(cues):
        if number % _SHARE == 0:
            tick(number / len(cues))
        if cue.is_comment or cue.is_drawing:
            continue
        who = one_line(cue.name)
        for words in _speeches(_TAG.sub("", cue.plaintext)):
            named = f"{who}：{words}" if who and words and not _NAMED.match(words) else words
            yield Block(named, _clock(cue.start))


def _speeches(text: str) -> list[str]:
    """Return what is said in a cue; a line that names its speaker or begins with a dash is another's."""
    speeches: list[str] = []
    for line in map(one_line, text.split("\n")):
        if not speeches or _NAMED.match(line) or _DASH.match(line):
            speeches.append(_DASH.sub("", line, count=1))
        elif line:
            speeches[-1] = f"{speeches[-1]} {line}".strip()
    return speeches


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(max(milliseconds, 0), 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
