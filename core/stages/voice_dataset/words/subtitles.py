"""Subtitles and transcripts with times: what is said from when to when, and by whom where the file says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from core.domain.encoding import decode
from core.errors import InvalidInputError
from core.stages.voice_dataset.words.cue_words import VOICE, speeches, written_in_han
from core.stages.voice_dataset.words.transcripts import Timed, rows_in_json, rows_in_table
from core.translation import N_

LARGEST = 8_000_000
"""Bytes; the subtitles of a two-hour film have some 150,000."""
MOST_CUES = 30_000
LONGEST_LINE = 1_000
"""Characters of one line of a file that are read; the rest is no speech."""
LONGEST_CUE = 500
"""Characters; the rest is cut off."""
_DAY = 86_400.0
_TIME = r"(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
_ARROW = re.compile(rf"^[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}", re.MULTILINE)
_VTT = re.compile(r"WEBVTT(?:[ \t\r\n]|$)")
_ASS = re.compile(r"^[ \t]*\[(?:Script Info|V4\+? Styles|Events)\]", re.IGNORECASE | re.MULTILINE)
_DRAWING = re.compile(r"\{[^{}\n]{0,500}\\p[1-9]")
_TAG = re.compile(r"\{[^{}\n]{0,500}\}")
_HEAD = 20_000
"""Characters in which a format shows itself."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What one speaker says while a subtitle stands; two speakers in one subtitle are two cues of the same times."""

    start: float
    """Seconds, by the clock of the subtitles."""
    end: float
    text: str
    speaker: str | None = None
    """As the file has it; None where it does not say."""


def read_cues(data: bytes, name: str) -> list[Cue]:
    """Return the cues in order of time: SubRip, WebVTT, SubStation Alpha, or a transcript with times.

    A transcript is a table (`start end text`, tabs or commas; Whisper's and Audacity's among them) or JSON with
    `segments` as Whisper writes it. Markup, sounds and translations are left out. InvalidInputError, with the
    reason, for what is none of these, is damaged, too large or has no cue.
    """
    if len(data) > LARGEST:
        raise InvalidInputError(
            N_("{name} is larger than {limit} MB."),
            remedy=N_("Subtitles are much smaller; choose the subtitle file itself."),
            name=name,
            limit=LARGEST // 1_000_000,
        )
    text, _ = decode(data, name)
    lines = [line.rstrip() for line in text.lstrip("\ufeff").splitlines()]
    short = "\n".join(line[:LONGEST_LINE] for line in _without_gaps(lines))
    rows = list(islice(_rows(lines, short, name), MOST_CUES + 1))
    if len(rows) > MOST_CUES:
        raise InvalidInputError(
            N_("{name} has more than {most} cues."),
            remedy=N_("Choose the subtitles of one recording."),
            name=name,
            most=MOST_CUES,
        )
    cues = _ordered(_cues(rows))
    if not cues:
        raise InvalidInputError(
            N_("{name} holds no words with times."),
            remedy=N_("Choose subtitles (.srt, .ass, .vtt) or a transcript with the columns start, end, text."),
            name=name,
        )
    return cues


def _rows(lines: list[str], short: str, name: str) -> Iterator[Timed]:
    head = short[:_HEAD]
    if head.lstrip().startswith(("{", "[{", "[\n")):
        yield from rows_in_json("\n".join(lines), name)
    elif _VTT.match(head):
        yield from _parsed(short, "vtt", name)
    elif _ASS.search(head):
        yield from _parsed("\n".join(_undrawn(short.split("\n"))), "ass", name)
    elif _ARROW.search(head):
        yield from _parsed(short, "srt", name)
    else:
        yield from rows_in_table(lines)


def _parsed(text: str, form: str, name: str) -> Iterator[Timed]:
    import pysubs2  # here because the room is opened more often than subtitles are read

    if form != "ass":
        text = _unlike_tags(text)
    try:
        events = pysubs2.SSAFile.from_string(text, format_=form)
    except (pysubs2.exceptions.Pysubs2Error, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
        raise InvalidInputError(
            N_("The subtitles in {name} are damaged."),
            remedy=N_("Save them anew in a subtitle editor, as .srt or .ass."),
            name=name,
        ) from None
    for event in events:
        if not event.is_comment:
            yield Timed(event.start / 1000, event.end / 1000, event.plaintext, event.name if form == "ass" else "")


def _cues(rows: Iterable[Timed]) -> Iterator[Cue]:
    for row in rows:
        start, end = max(row.start, 0.0), row.end
        if start < end <= _DAY:  # not so for what is no number, too
            for speech in speeches(row.text, row.speaker):
                yield Cue(start, end, speech.text[:LONGEST_CUE], speech.speaker)


def _ordered(cues: Iterable[Cue]) -> list[Cue]:
    """Sort, and take out doubled cues (layers of one sign) and the translations that stand beside Chinese ones."""
    distinct = sorted(dict.fromkeys(cues), key=_times)
    chinese = {_times(cue) for cue in distinct if written_in_han(cue.text)}
    return [cue for cue in distinct if written_in_han(cue.text) or _times(cue) not in chinese]


def _times(cue: Cue) -> tuple[float, float]:
    return cue.start, cue.end


def _without_gaps(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with one blank line where there were many: pysubs2 takes square time over thousands of them."""
    blank = False
    for line in lines:
        if line or not blank:
            yield line
        blank = not line


def _unlike_tags(text: str) -> str:
    """Take out what begins like a tag and never ends, over which pysubs2 takes square time; keep who speaks."""
    cleaned = re.sub(r"<(?![^<>\n]{1,200}>)", "", VOICE.sub(r"\1：", text))
    return re.sub(r"(?m)^[ \t]+", "", cleaned)


def _undrawn(lines: Iterable[str]) -> Iterator[str]:
    """Yield a script's lines without drawings and tags, for the same reason."""
    for line in lines:
        if not _DRAWING.search(line):
            yield _TAG.sub("", line).replace("{", "")
