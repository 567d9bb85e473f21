"""Who acts in a chapter of modern prose: roles that are somebody's, pronouns, the teller, the main person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from core.stages.dialogues.clauses import PRONOUNS, sentences, subjects
from core.stages.dialogues.names import Names
from core.stages.dialogues.paragraphs import Paragraph
from core.stages.dialogues.people import Gender

LEAVES = re.compile(
    "(?:走开|走远|走了|离开|告辞|跑了|睡着|走出去|退出去|跑出去|出去了|下楼去|下去了|回家去|回屋|进屋去|倒退出去|关上了?门|带上了?门)[了去]*[，。！]?$"
)
"""How a sentence ends after which somebody is gone."""
SILENT = re.compile(
    "没有?(?:说话|吭声|回答|答话|接话|出声|作声|应声|理)|不(?:说话|吭声|回答|答话|接话|出声|作声|理)|刚要开口|张了张嘴|说不出|沉默|一言不发|一声不吭"
)
"""Somebody acts, but does not speak."""
NARRATOR = "我"
THIRD = frozenset("他她")
ANYBODY = frozenset(("人", "众人"))
"""Whom no pronoun means and who takes no turn without a cue."""
_IS = re.compile("(?:就?是(?:一?[个位名])?)?")
"""What may stand between somebody's name and what they are."""


def appositions(chapter: Sequence[Paragraph], names: Names) -> dict[str, str]:
    """Return the roles that the chapter says are somebody's: `保安老程`, `布朗警长`, `程立是班长`."""
    told: dict[str, set[str]] = {}
    for paragraph in chapter:
        for part in [line.before for line in paragraph.lines] + [paragraph.rest]:
            for first, second in pairwise(names.pattern.finditer(part)):
                if not _IS.fullmatch(part[first.end() : second.start()]):
                    continue
                one, other = names.meaning[first.group()], names.meaning[second.group()]
                if names.is_role(one) or names.is_role(other):
                    role, who = (one, other) if not names.is_role(other) else (other, one)
                    told.setdefault(role, set()).add(who)
    return {role: next(iter(people)) for role, people in told.items() if len(people) == 1}


def pronouns_after(acting: Sequence[list[str]]) -> dict[str, Counter[str]]:
    """Return which pronoun took over from each name within a paragraph."""
    followed: dict[str, Counter[str]] = {}
    for people in acting:
        for who, after in pairwise(people):
            if who not in PRONOUNS:
                followed.setdefault(who, Counter())[after if after in PRONOUNS else ""] += 1
    for people in acting:
        for who in people:
            followed.setdefault(who, Counter())
    return followed


def narrator_of(said: Iterable[Collection[str]], acting: Sequence[list[str]], book: Names) -> str:
    """Return by which name the one who tells the story is called, where somebody does.

    `said`: the names in each turn; the teller is called in speech and never acts by name.
    """
    people = Counter(who for one in acting for who in one)
    if people[NARRATOR] < max(3, sum(people.values()) // 20):
        return ""
    called = Counter(who for names in said for who in names if not people[who] and not book.is_role(who))
    return called.most_common(1)[0][0] if called else NARRATOR


def resolved(acting: Sequence[list[str]], sexes: Mapping[str, Gender], narrator: str) -> list[list[str]]:
    """Return who acts with the pronouns resolved: the last to act of whom nothing else is known."""
    recent: list[str] = []
    known_as = []
    for people in acting:
        known = []
        for who in people:
            if who in THIRD:
                fitting = [one for one in recent if one not in sexes or sexes[one].value == who]
                who = fitting[-1] if fitting else ""
            elif who == NARRATOR:
                who = narrator
            if who and who != narrator and who not in ANYBODY:
                recent = [*(one for one in recent if one != who), who]
            known.append(who)
        known_as.append([who for who in known if who])
    return known_as


def those_who(pattern: re.Pattern[str], paragraph: Paragraph, names: Names) -> set[str]:
    """Return who acts in the sentences of a paragraph's narration that show the pattern."""
    narration = [line.before for line in paragraph.lines] + [paragraph.rest]
    shown = [sentence for part in narration for sentence in sentences(part) if pattern.search(sentence)]
    return {who for sentence in shown for who in subjects(sentence, names)}


def leading(acting: Sequence[list[str]]) -> dict[str, float]:
    """Return how often each acts, compared to the one who acts most."""
    counts = Counter(who for people in acting for who in people)
    most = max(counts.values(), default=1)
    return {who: count / most for who, count in counts.items()}
