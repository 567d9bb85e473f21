"""Attributes bare quotations, as modern prose has them: cues behind the words, deeds, pronouns, turns."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.text import UtteranceKind
from core.stages.dialogues.actors import (
    ANYBODY,
    LEAVES,
    NARRATOR,
    SILENT,
    THIRD,
    appositions,
    leading,
    narrator_of,
    pronouns_after,
    resolved,
    those_who,
)
from core.stages.dialogues.attribution import Attribution
from core.stages.dialogues.clauses import PRONOUNS, TOGETHER, sentences, subjects
from core.stages.dialogues.kinds import SAID, announced
from core.stages.dialogues.names import Names
from core.stages.dialogues.paragraphs import Line, Paragraph
from core.stages.dialogues.people import Gender, genders
from core.stages.dialogues.turns import Habits, Turn, decide

_SPEAKS = re.compile(
    "说|问|道|喊|叫|答|嚷|骂|嘟囔|嘀咕|喃喃|咕哝|解释|打断|插嘴|开口|吼|念|命令|吩咐|抗议|提醒|劝|催|宣布|附和|补充|打圆场"
)
_CALLS = re.compile("[，。！？…—~\\s]")
_QUOTED = 8
"""How much of the narration a reason quotes (characters)."""
_MENTIONED = 2
"""Who is only mentioned is as far away as who acted so many paragraphs earlier."""
_ASKS_NAME = re.compile("我叫|我姓|叫什么|贵姓|名字|哪位|你是谁|你谁|怎么称呼|什么人")
"""Whom a name alone answers with the speaker's own."""
_ALONE = re.compile("[，。！？…]")
_SELF = re.compile("(?:我叫|我是|我姓|叫我)$")
_UNTOLD = 0.9
"""No turn is surer when nothing beside it tells its speaker."""
_GONE = 8
"""Who has left is as far away as who acted so many paragraphs earlier."""
_REACH = 14
"""Paragraphs after which somebody who was not named again has left the scene."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each kind of evidence speaks for somebody."""

    cue: float = 12.0
    """A verb of speech beside the words."""
    deed_after: float = 7.0
    deed_before: float = 5.0
    narrated: float = 2.5
    """The last to act in the narration between two paragraphs of speech."""
    pronoun: float = 4.0
    wrong_pronoun: float = -8.0
    doubtful_pronoun: float = 1.5
    called: float = -6.0
    """Nobody calls himself."""
    spoken_of: float = -1.5
    was_called: float = 1.5
    """Who was called answers."""
    called_back: float = 1.0
    antecedent: float = 3.0
    """Acts before the pronoun in the same paragraph."""
    takes_part: float = 0.1
    leads: float = 1.5
    """The one whom the chapter follows; others by how often they act compared to them."""
    names_himself: float = 6.0
    """我叫…"""
    distance: float = -1.4
    """For each doubling of the paragraphs since somebody acted."""


@dataclass(slots=True)
class _Draft:
    """A turn while its evidence is gathered."""

    lines: list[tuple[int, int]]
    """Paragraph and line."""
    paragraph: int
    told: list[tuple[str, float, str]] = field(default_factory=list)
    """Name or pronoun, weight, reason."""
    called: set[str] = field(default_factory=set)
    spoken_of: set[str] = field(default_factory=set)
    asks: bool = False
    """Asks for a name, or tells one."""

    @property
    def named(self) -> str:
        """Whom a cue names."""
        return next((who for who, _, reason in self.told if reason.startswith("cue") and who not in PRONOUNS), "")


class Conversation:
    """Reads a chapter of modern prose; knows its names."""

    def __init__(self, names: Names, weights: Weights | None = None, habits: Habits | None = None) -> None:
        self._book = names
        self._names = names
        self._weights = weights or Weights()
        self._habits = habits or Habits()

    def attribute(self, chapter: Sequence[Paragraph]) -> Iterator[list[Attribution]]:
        """Yield, for each paragraph of a chapter, who says its quotations."""
        self._names = self._book.with_roles(appositions(chapter, self._book))
        found: dict[tuple[int, int], Attribution] = {}
        drafts = self._drafts(chapter)
        acting = [self._acting(paragraph) for paragraph in chapter]
        narrator = narrator_of([draft.called | draft.spoken_of for draft in drafts], acting, self._names)
        turns = self._turns(chapter, drafts, acting, narrator)
        for draft, (who, margin) in zip(drafts, decide(turns, self._habits), strict=True):
            attribution = _attribution(draft, who, margin)
            for place in draft.lines:
                found[place] = attribution
        for at, paragraph in enumerate(chapter):
            yield [
                found.get((at, position), Attribution((), 0.8, "not-said")) for position in range(len(paragraph.lines))
            ]

    # -- gathering ----------------------------------------------------------------------------------------------

    def _drafts(self, chapter: Sequence[Paragraph]) -> list[_Draft]:
        drafts: list[_Draft] = []
        for at, paragraph in enumerate(chapter):
            said = [(n, line) for n, line in enumerate(paragraph.lines) if line.kind is not UtteranceKind.NONSPEECH]
            current: _Draft | None = None
            for n, line in said:
                told = list(self._told(line, first=current is None))
                draft = _Draft([(at, n)], at, told)
                if current is None or (draft.named and current.named and draft.named != current.named):
                    current = draft
                    drafts.append(draft)
                else:
                    current.lines.append((at, n))
                    current.told += told
                if line.kind in SAID:
                    self._hear(line.words, current, drafts[-2].asks if len(drafts) > 1 else False)
        return drafts

    def _told(self, line: Line, *, first: bool) -> Iterator[tuple[str, float, str]]:
        """Yield what the narration on both sides says about the speaker."""
        if announced(line.before):
            yield from self._last(
                line.before, self._weights.cue, f"cue-before:{line.before.rstrip('：:，')[-_QUOTED:]}"
            )
            return
        if first and line.before:
            yield from self._last(line.before, self._weights.deed_before, f"deed-before:{line.before[:_QUOTED]}")
        if line.after and line.after[0] not in "，、。":
            sentence = sentences(line.after)[0]
            who = next(subjects(sentence, self._names), "")
            if who and _SPEAKS.search(sentence):
                yield who, self._weights.cue, f"cue-after:{sentence[:_QUOTED]}"
            elif who:
                yield who, self._weights.deed_after, f"deed-after:{sentence[:_QUOTED]}"

    def _last(self, narration: str, weight: float, reason: str) -> Iterator[tuple[str, float, str]]:
        for sentence in reversed(sentences(narration)):
            people = list(subjects(sentence, self._names))
            if people and SILENT.search(sentence) and reason.startswith("deed"):
                return
            if people:
                yield people[-1], weight, reason
                if people[-1] in THIRD:
                    yield from self._antecedent(narration[: narration.rindex(sentence)], people)
                return

    def _antecedent(self, earlier: str, people: Sequence[str]) -> Iterator[tuple[str, float, str]]:
        """Yield whom a pronoun may stand for: the one who acts before it in the same paragraph."""
        acting = [who for sentence in sentences(earlier) for who in subjects(sentence, self._names)]
        named = [who for who in (*acting, *people) if who not in PRONOUNS]
        if named:
            yield named[-1], self._weights.antecedent, f"pronoun:{people[-1]}"

    def _hear(self, words: str, draft: _Draft, asked: bool) -> None:
        """Take the names said aloud: those who are called, and those who are spoken of; `asked`: for a name."""
        draft.asks = draft.asks or _ASKS_NAME.search(words) is not None
        for found in self._names.pattern.finditer(words):
            who = self._names.meaning[found.group()]
            alone_before = found.start() == 0 or _CALLS.match(words[found.start() - 1])
            alone_after = found.end() == len(words) or _CALLS.match(words[found.end()])
            if _SELF.search(words[: found.start()]) or (asked and _ALONE.sub("", words) == found.group()):
                draft.told.append((who, self._weights.names_himself, "names-himself"))
                continue
            (draft.called if alone_before and alone_after else draft.spoken_of).add(who)

    def _acting(self, paragraph: Paragraph) -> list[str]:
        """Return the subjects of a paragraph's narration in order."""
        narration = [line.before for line in paragraph.lines] + [paragraph.rest]
        return [who for part in narration for sentence in sentences(part) for who in subjects(sentence, self._names)]

    def _mentioned(self, paragraph: Paragraph) -> list[str]:
        narration = [line.before for line in paragraph.lines] + [paragraph.rest]
        meaning = self._names.meaning
        return [meaning[found.group()] for part in narration for found in self._names.pattern.finditer(part)]

    # -- weighing -----------------------------------------------------------------------------------------------

    def _turns(
        self, chapter: Sequence[Paragraph], drafts: Sequence[_Draft], acting: Sequence[list[str]], narrator: str
    ) -> list[Turn]:
        sexes = genders(pronouns_after(acting))
        acting = resolved(acting, sexes, narrator)
        main = leading(acting)
        present: dict[str, int] = {}
        turns: list[Turn] = []
        read = 0
        for at, draft in enumerate(drafts):
            for paragraph in range(read, draft.paragraph + 1):
                for who in [*self._mentioned(chapter[paragraph]), *([narrator] if narrator else [])]:
                    present[who] = max(paragraph - _MENTIONED, present.get(who, 0))
                present.update((who, paragraph) for one in acting[paragraph] for who in one.split(TOGETHER))
                present.update((who, paragraph - _GONE) for who in those_who(LEAVES, chapter[paragraph], self._names))
            between = [who for one in acting[read : draft.paragraph] for who in one]
            narrated = at == 0 or any(
                not chapter[n].lines for n in range(drafts[at - 1].paragraph + 1, draft.paragraph)
            )
            read = draft.paragraph + 1
            weights = self._weigh(draft, present, drafts[max(at - 3, 0) : at], drafts[at + 1 : at + 3])
            for who in weights:
                weights[who] += self._weights.leads * main.get(who, 0.0)
            _as_narrator(weights, narrator)
            quiet = those_who(SILENT, chapter[draft.paragraph - 1], self._names) if draft.paragraph else set()
            between = [] if not narrated or set(between[-1:]) & quiet else between
            self._weigh_pronouns(draft, between, weights, sexes | _unnamed(narrator))
            turns.append(Turn(weights, narrated, resumed=bool(turns) and turns[-1].narrated))
        return turns

    def _weigh(
        self, draft: _Draft, present: dict[str, int], before: Sequence[_Draft], after: Sequence[_Draft]
    ) -> dict[str, float]:
        rules = self._weights
        weights = {
            who: rules.distance * math.log2(1 + draft.paragraph - last)
            for who, last in present.items()
            if draft.paragraph - last <= _REACH and who not in THIRD | ANYBODY
        }
        for who in [other.named for other in (*before, *after) if other.named]:
            weights[who] = weights.get(who, rules.distance * 2) + rules.takes_part
        for who in (before[-1].called if before else set()) & set(weights):
            weights[who] += rules.was_called
        for who in (after[0].called if after else set()) & set(weights):
            weights[who] += rules.called_back
        for who, weight, _ in draft.told:
            if who not in THIRD:
                weights[who] = weights.get(who, 0.0) + weight
        for who in draft.called & set(weights):
            weights[who] += rules.called
        for who in draft.spoken_of & set(weights):
            weights[who] += rules.spoken_of
        return weights

    def _weigh_pronouns(
        self, draft: _Draft, between: Sequence[str], weights: dict[str, float], sexes: Mapping[str, Gender | None]
    ) -> None:
        rules = self._weights
        for pronoun in [who for who, _, _ in draft.told if who in THIRD]:
            for who in weights:
                if who not in sexes:
                    weights[who] += rules.doubtful_pronoun
                else:
                    sex = sexes[who]
                    weights[who] += rules.pronoun if sex and sex.value == pronoun else rules.wrong_pronoun
        if between and between[-1] in weights:
            weights[between[-1]] += rules.narrated


def _as_narrator(weights: dict[str, float], narrator: str) -> None:
    """Give what is said of 我 to the one who tells the story, or drop it."""
    own = weights.pop(NARRATOR, None)
    if narrator and own is not None:
        weights[narrator] = weights.get(narrator, 0.0) + own


def _unnamed(narrator: str) -> dict[str, Gender | None]:
    return {narrator: None} if narrator else {}


def _attribution(draft: _Draft, who: str, margin: float) -> Attribution:
    if not who:
        return Attribution((), 0.1, "nobody-named")
    told = [reason for name, _, reason in draft.told if who == name] or [
        f"{reason}:{name}" for name, _, reason in draft.told if name in PRONOUNS
    ]
    confidence = 1 - 0.5 * math.exp(-max(margin, 0.0) / 3)  # so often such margins are right
    if not told:
        return Attribution(tuple(who.split(TOGETHER)), round(min(confidence, _UNTOLD), 2), "turn-taking")
    return Attribution(tuple(who.split(TOGETHER)), round(confidence, 2), told[0])
