"""Lines that look irrelevant or wrong, each with a reason to show: suggestions for a curator, never decisions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import Field, field_validator

from core.domain.normalising import folded
from core.domain.persona import Persona
from core.domain.section import Section
from core.domain.text import Utterance
from core.stages.dataset.conversations import JOINT, normal_form
from core.translation import N_

Values = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One reason to look at a line again."""

    rule: str
    message: str
    """A template, to be translated, for `values`."""
    values: Values = field(default_factory=dict)


class SuspectSettings(Section):
    """What is too short, and which rules are not wanted; shown as a form."""

    least_characters: int = Field(default=2, ge=1, description="Lines with fewer characters are too short.")
    repeats: int = Field(
        default=4, ge=3, description="A character or a phrase that follows itself so often is suspected of a slip."
    )
    off: frozenset[str] = Field(default=frozenset(), description="Rules not to be applied.")

    @field_validator("off")
    @classmethod
    def _known(cls, off: frozenset[str]) -> frozenset[str]:
        if unknown := off - set(RULES):
            raise ValueError(f"no rule is called {', '.join(sorted(unknown))}")
        return off


class Anachronisms(Section):
    """Words and turns a classical character cannot know; read from `configs/dataset/anachronisms.yaml`."""

    words: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Things and ideas of later times, by subject."
    )
    grammar: tuple[str, ...] = Field(default=(), description="Regular expressions for turns of modern prose.")

    @field_validator("grammar")
    @classmethod
    def _compile(cls, grammar: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in grammar:
            try:
                re.compile(pattern)
            except re.error as problem:
                raise ValueError(f"{pattern} is no regular expression: {problem}") from None
        return grammar

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches any of them in folded text."""
        words = sorted({folded(word) for group in self.words.values() for word in group}, key=len, reverse=True)
        return re.compile("|".join([*map(re.escape, words), *self.grammar]) or r"(?!)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A line as the rules look at it."""

    utterance: Utterance
    persona: Persona
    settings: SuspectSettings
    text: str
    """Folded."""
    words: str
    """Without punctuation."""


def suspects(
    utterance: Utterance,
    persona: Persona,
    *,
    settings: SuspectSettings | None = None,
    anachronisms: Anachronisms | None = None,
) -> list[Suspicion]:
    """Return why the line may be irrelevant or wrong, in the order of `RULES`; `anachronisms` for synthetic lines."""
    settings = settings or SuspectSettings()
    text = folded(utterance.text)
    seen = _Seen(utterance, persona, settings, text, normal_form(text))
    found = []
    for rule, (test, message) in RULES.items():
        if rule not in settings.off and (values := test(seen)) is not None:
            found.append(Suspicion(rule, message, values))
    if anachronisms is not None:
        found += anachronistic(utterance.text, anachronisms)
    return found


def anachronistic(text: str, anachronisms: Anachronisms) -> list[Suspicion]:
    """Return the suspicion that a text speaks of what came later, or none."""
    words = dict.fromkeys(found.group() for found in anachronisms.pattern.finditer(folded(text)))
    if not words:
        return []
    return [Suspicion("anachronism", N_("Not of her time: {words}"), {"words": "、".join(words)})]


_INTERJECTIONS = frozenset("啊阿呀哎唉嗳嗐嗨哟唷呦噢喔哦嗯唔哼哈呵嘿嘻咦咿哇喂呸啐咳呜吓哪嘎嗷呃欸诶")
_DIRECTION = re.compile(r"^\s*[（(【\[〔][^）)】\]〕]*[）)】\]〕]?\s*$")
_ASIDE = re.compile(r"[（(【\[](?P<aside>[^）)】\]]{2,20})[）)】\]]")
_NARRATED = re.compile(
    r"^(?:却说|话说|单表|正说着)"
    r"|(?:^|[。！？”])(?:说着|说毕|说罢|言毕|说完|听了|听说)，(?:便|就|又|只|遂|一面|早|忙)"
    r"|(?:笑|叹|哭|喝|骂|问|答|回|忙|因|便|又)道[：:](?!\s*[‘“「『《])"
)
_REPORTED = re.compile(
    r"(?:俗语|常言|古人|古语|自古|书上|诗|词|经|歌|圣人|孔子|有人|人家|我|你|他|们)[^，。！？]{0,3}道[：:]"
)
"""Somebody speaks of what was said: no narrator."""
_MOJIBAKE = re.compile(
    "\ufffd|锟斤拷|烫烫烫|屯屯屯|Ã[\u0080-\u00bf]|â€|ï»¿|[\ue000-\uf8ff]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_NOISE = re.compile(
    r"[\u4e00-\u9fff](?:[|\\_#^*=<>]{1,6}|[a-z])[\u4e00-\u9fff]|[□■◆◇▲△●○※囗]|[\u2e80-\u2fd5]|[|\\_#@^<>]{2,}"
)
"""What scanning and copying leave between Chinese characters; modern books write capitals and digits there."""
_ELISION = re.compile(r"(?<=[A-Za-z])’(?=[A-Za-z])")
_PAIRS = {"”": "“", "’": "‘", "》": "《", "）": "（", ")": "(", "】": "【"}


def _too_short(seen: _Seen) -> Values | None:
    return {"count": len(seen.words)} if len(seen.words) < seen.settings.least_characters else None


def _exclamation(seen: _Seen) -> Values | None:
    return {} if seen.words and set(seen.words) <= _INTERJECTIONS else None


def _stage_direction(seen: _Seen) -> Values | None:
    if _DIRECTION.match(seen.text):
        return {"direction": seen.text.strip()}
    aside = _ASIDE.search(seen.text)
    return {"direction": aside["aside"]} if aside else None


def _narration(seen: _Seen) -> Values | None:
    """Find words of a narrator; those in a quotation within the line are reported speech."""
    text = re.sub("‘[^’]*’|“[^”]*”", "‘’", seen.text)
    if _REPORTED.search(text):
        return None
    found = _NARRATED.search(text)
    return {"words": found.group()} if found else None


def _not_in_cast(seen: _Seen) -> Values | None:
    speaker, people = seen.utterance.speaker, seen.persona.alias_table()
    if not speaker or not seen.persona.cast:
        return None
    names = {name for known, aliases in people.items() for name in (known, *aliases)}
    strangers = [name for name in speaker.split(JOINT) if name not in names]
    return {"speaker": JOINT.join(strangers)} if strangers else None


def _other_language(seen: _Seen) -> Values | None:
    letters = [char for char in seen.words if char.isalpha()]
    foreign = [char for char in letters if not unicodedata.name(char, "").startswith("CJK")]
    if len(foreign) < 3 or 2 * len(foreign) < len(letters):
        return None
    return {"letters": "".join(foreign[:12])}


def _garbled(seen: _Seen) -> Values | None:
    found = _MOJIBAKE.search(seen.utterance.text) or _NOISE.search(seen.text)
    return {"piece": found.group().strip()} if found else None


def _repeated(seen: _Seen) -> Values | None:
    """Find a word that stutters on without a stop, or a whole clause that comes again and again."""
    further = seen.settings.repeats - 1
    for found in re.finditer(rf"([^\W_]{{1,3}}?)\1{{{further},}}|(.{{6,40}}?)\2{{{further},}}", seen.text):
        piece = found.group(1) or found.group(2)
        if not set(piece) <= _INTERJECTIONS:
            return {"piece": piece}
    return None


def _unbalanced(seen: _Seen) -> Values | None:
    """Find a mark without its partner; a speech of several paragraphs opens a mark in each."""
    if seen.utterance.runs_on:
        return None
    waiting: list[str] = []
    for char in _ELISION.sub("", seen.text):
        if char in _PAIRS.values():
            waiting.append(char)
        elif char in _PAIRS and (not waiting or waiting.pop() != _PAIRS[char]):
            return {"mark": char}
    return {"mark": waiting[-1]} if waiting else None


RULES: dict[str, tuple[Callable[[_Seen], Values | None], str]] = {
    "too_short": (_too_short, N_("Too short: {count} characters")),
    "exclamation": (_exclamation, N_("Only an exclamation")),
    "stage_direction": (_stage_direction, N_("A stage direction: {direction}")),
    "narration": (_narration, N_("Narration rather than speech: {words}")),
    "not_in_cast": (_not_in_cast, N_("{speaker} is not in the cast")),
    "other_language": (_other_language, N_("Another language: {letters}")),
    "garbled": (_garbled, N_("Garbled: {piece}")),
    "repeated": (_repeated, N_("Repeated: {piece}")),
    "unbalanced": (_unbalanced, N_("A mark without its partner: {mark}")),
}
"""Rule -> what it finds (None for nothing) and how that is told."""
