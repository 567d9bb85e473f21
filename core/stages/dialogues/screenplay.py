"""Screenplays: who speaks stands before the words, with directions in brackets around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.domain.text import Passage, PassageKind, Utterance, UtteranceKind
from core.stages.dialogues.play_cast import Roster, Voice, find_roster, kind_of
from core.stages.dialogues.play_labels import (
    HeadStyle,
    closes,
    directions,
    heads,
    is_direction,
    is_note,
    is_scene_heading,
    leaves_open,
    without_directions,
)

NAME = "screenplay"
_ENDED = re.compile(r"[。！？!?….”」』\"—～~)）]$")
_WORD = re.compile(r"\w")
_LATIN_END = re.compile(r"[A-Za-z,.!?]$")
_TO_SOMEBODY = re.compile(r"[我你您咱俺妳]|\b(?:I|[Yy]ou)\b|[！？!?“「]|[吧呢吗嘛啊呀哦啦么嗎麼][。…~]*$")
_ABOUT_SOMEBODY = re.compile(
    "[他她它]|[两兩二三众眾][人名个個]|大家|一[个個名位只阵陣]|[画畫]面|[镜鏡][头頭]|[远遠][处處]|[窗门門]外"
)
_CALLED = re.compile(r"[，,！!？?。…]|$")
_AGE = re.compile(r"[（(]\s*\d")
_QUOTES = {"“": "”", "「": "」", "『": "』", '"': '"'}
_LONGEST_HEAD = 120
_LONGEST_DIRECTION = 12
"""Paragraphs after which a bracket that nobody closes is taken for a slip."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """A stretch of one line that somebody says."""

    voice: Voice
    start: int
    end: int


@dataclass(slots=True)
class _Reader:
    """Walks through a play; remembers who speaks and what is not finished yet."""

    roster: Roster
    punctuated: bool
    """Whether its lines end with a full stop, so that one without goes on below."""
    last: Utterance | None = None
    """The last line, held back while the next may go on with it."""
    voice: Voice | None = None
    """Who spoke last in this scene."""
    awaited: Voice | None = None
    """Who stood alone on a line, and whose words come next."""
    bracket: int = field(default=0)
    """How many more paragraphs a direction may take to close."""

    def read(self, passage: Passage) -> Iterator[Utterance]:
        """Take the next passage and yield the lines that are finished by it."""
        text = passage.text
        if passage.kind is not PassageKind.PARAGRAPH or passage.ordinal in self.roster.listed:
            yield from self.finish()
        elif self.bracket:
            self.bracket = 0 if closes(text) else self.bracket - 1
        elif turns := list(_turns(text, self.roster)):
            yield from self._spoken(passage, turns)
        elif is_direction(text):
            yield from self._directed(text)
        elif is_scene_heading(text) or any(is_note(head.label.strip()) for head in heads(text)):
            yield from self.finish()
        else:
            yield from self._unlabelled(passage)

    def finish(self) -> Iterator[Utterance]:
        """Yield the line held back; whoever speaks next must be named."""
        yield from self._release()
        self.voice = self.awaited = None

    def _release(self) -> Iterator[Utterance]:
        if self.last:
            yield self.last
        self.last = None

    def _spoken(self, passage: Passage, turns: Sequence[_Turn]) -> Iterator[Utterance]:
        for turn in turns:
            yield from self._release()
            self.voice, self.awaited = turn.voice, None
            if not passage.text[turn.start : turn.end].strip():
                self.awaited = turn.voice
            else:
                self.last = _utterance(passage, turn)

    def _directed(self, text: str) -> Iterator[Utterance]:
        yield from self._release()
        self.bracket = _LONGEST_DIRECTION if leaves_open(text) else 0
        kind = kind_of(text)
        if self.awaited and kind is not UtteranceKind.SPEECH:
            self.awaited = replace(self.awaited, kind=kind)

    def _unlabelled(self, passage: Passage) -> Iterator[Utterance]:
        text = passage.text
        turn = None
        if self.awaited:
            turn = _Turn(self.awaited, 0, len(text))
        elif self.last and self._goes_on(self.last, text):
            self.last = _longer(self.last, passage)
            return
        elif self.voice and self._sounds_spoken(text):
            certainty = 0.6 if self.last else 0.5
            voice = replace(self.voice, confidence=certainty, reason=f"goes-on:{self.voice.speaker}")
            turn = _Turn(voice, 0, len(text))
        yield from self._release()
        self.awaited = None
        self.voice = turn.voice if turn else None
        self.last = _utterance(passage, turn) if turn else None

    def _goes_on(self, last: Utterance, text: str) -> bool:
        """Whether a line is the rest of a sentence that breaks off in the line above."""
        if last.text.count("“") > last.text.count("”"):
            return True
        broken = last.text[-1] in "，,、；;：:" or (self.punctuated and not _ENDED.search(last.text))
        return (broken or _is_next_verse(last, text)) and not self._is_narration(text)

    def _sounds_spoken(self, text: str) -> bool:
        return bool(_TO_SOMEBODY.search(without_directions(text))) and not self._is_narration(text)

    def _is_narration(self, text: str) -> bool:
        """Whether a line tells what somebody does, whom it names first, and does not call them."""
        name = self.roster.leading_name(text)
        return bool(_ABOUT_SOMEBODY.match(text)) or bool(name and not _CALLED.match(text, len(name)))


def extract(passages: Sequence[Passage], cast: Mapping[str, Iterable[str]]) -> Iterator[Utterance]:
    """Yield every line somebody speaks; directions, narration and scene headings are left out.

    `start` and `end` hold the words within their passages, directions included; the text is without them. Names that
    the cast lacks are found in the labels themselves. A sentence broken over lines is one utterance that runs on; a
    further sentence without a label is one of its own, with little confidence.
    """
    play = tuple(passages)
    roster = find_roster(play, cast)
    reader = _Reader(roster, _is_punctuated(play, roster))
    for passage in play:
        yield from reader.read(passage)
    yield from reader.finish()


def _turns(text: str, roster: Roster) -> Iterator[_Turn]:
    """Yield what is said on a labelled line: mostly one turn, several where labels were run together."""
    for head in heads(text):
        voice = roster.voice(head)
        silent = head.style is HeadStyle.ACTION and not _speaks_after_action(head.action, text[head.words :])
        if voice is None or silent:
            continue
        start = head.words
        for at, end, other in _further_labels(text, start, roster):
            yield _turn(voice, text, start, at)
            voice, start = other, end
        yield _turn(voice, text, start, len(text))
        return


def _turn(voice: Voice, text: str, start: int, end: int) -> _Turn:
    """Return the turn without blanks around; a direction at its front may tell how it is said."""
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    opening = directions(words)[:20] if words.lstrip()[:1] in ("（", "(") else ""
    kind = kind_of(opening, voice.names) if voice.kind is UtteranceKind.SPEECH else voice.kind
    return _Turn(replace(voice, kind=kind), start, max(start, start + len(words.strip())))


_FURTHER = re.compile(r"(?<=[。！？!?…”」』）)])\s*(?=[^\s：:。！？，]{1,12}[：:])")


def _further_labels(text: str, start: int, roster: Roster) -> Iterator[tuple[int, int, Voice]]:
    """Yield place, end and voice of known names with a colon after a sentence within the line."""
    for found in _FURTHER.finditer(text, start):
        rest = text[found.end() : found.end() + _LONGEST_HEAD]
        name = roster.leading_name(re.split("[（(：:]", rest, maxsplit=1)[0])
        head = next(heads(rest), None)
        if name and head and head.style is HeadStyle.COLON and head.label == name and (voice := roster.voice(head)):
            yield found.start(), found.end() + head.words, voice


def _speaks_after_action(action: str, words: str) -> bool:
    """Whether `青儿（笑）…` without a colon is said; `青儿（28岁）走进来` introduces somebody."""
    return not _AGE.search(action) and bool(_TO_SOMEBODY.search(words)) and not _ABOUT_SOMEBODY.match(words)


def _utterance(passage: Passage, turn: _Turn) -> Utterance | None:
    words = _words(passage.text[turn.start : turn.end])
    if not words:
        return None
    return Utterance(
        source_id=passage.source_id,
        ordinal=passage.ordinal,
        chapter=passage.chapter,
        para=passage.para,
        start=turn.start,
        end=turn.end,
        text=words,
        kind=turn.voice.kind,
        speaker=turn.voice.speaker,
        extractor=NAME,
        confidence=turn.voice.confidence,
        reason=turn.voice.reason,
    )


def _longer(line: Utterance, passage: Passage) -> Utterance:
    """Return the line with the passage's words; verses keep their lines, Latin words a blank."""
    more = _words(passage.text)
    verse = line.kind is UtteranceKind.RECITATION
    parting = "\n" if verse else " " if _LATIN_END.search(line.text) else ""
    runs_on = passage.ordinal - line.ordinal
    return replace(line, text=_unquoted(line.text + parting + more), end=len(passage.text), runs_on=runs_on)


def _is_next_verse(line: Utterance, text: str) -> bool:
    """Whether a line is as long as the verse above."""
    above = line.text.rsplit("\n", 1)[-1]
    return line.kind is UtteranceKind.RECITATION and abs(len(text) - len(above)) <= 1


def _words(text: str) -> str:
    """Return what is said of a stretch: no directions, no blanks too many, no quotation marks around the whole."""
    words = " ".join(without_directions(text).split()).lstrip("：:")
    return _unquoted(words) if _WORD.search(words) or "…" in words else ""


def _unquoted(words: str) -> str:
    closing = _QUOTES.get(words[:1])
    whole = closing and len(words) > 1 and words.find(closing, 1) == len(words) - 1
    return words[1:-1] if whole else words


def _is_punctuated(passages: Sequence[Passage], roster: Roster) -> bool:
    ends = [bool(_ENDED.search(passage.text)) for passage in passages if any(_turns(passage.text, roster))]
    return sum(ends) >= 0.7 * len(ends)
