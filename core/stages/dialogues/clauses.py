"""Whom a clause of modern narration has as its subject: a name, a pronoun, or nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.stages.dialogues.names import Names

PRONOUNS = frozenset("他她我")
TOGETHER = "、"
"""Joins people who act together."""

_CLAUSE = re.compile("[，；：—…,;:]+")
_SENTENCE = re.compile("[^。！？!?]*[。！？!?]*")
_LEAD = re.compile(
    "(?:这时候?|此时|此刻|那时候?|忽然|突然|终于|于是|然后|后来|接着|随即|随后|只有|只见|原来|果然|可是|但是|不过|但|而|可|连|一个|两个|几个|那个|这个|那位|这位|一位|有个|当先|"
    "就在这时|过了[^，]{1,6}|没等|不等|不知什么时候|旁边|身后|对面|门口|门外|屋里|楼下|楼上|轮到|等|看见|听见|直到|当|又|才|就)+"
)
_MODIFIED = re.compile(
    "(?:[员师长手工匠者家生兵官夫客]|的|个|位|名|群|帮|只|只见|看见|是|有|来了|跟着|站着|坐着|传来|响起)$"
)
_BODY = re.compile(
    "的(?:声音|脸|脸色|眼睛|眼泪|眼圈|目光|手(?![机表套提电下])|嘴|嘴唇|语气|笑容|表情|额头|心|肩膀|眉头|头|身子|喉咙|嗓子)"
)
_OWNED = re.compile("的|们|旁边|身后|身边|身旁|对面|背后|面前|后面|前面|妈|爸|哥|姐|弟|妹|儿子|女儿|丈夫|妻子|老婆|家")
"""After a name or a pronoun: somebody or something of theirs acts."""
_JOINT = re.compile("[、和与跟同]")
_ALL = re.compile("都|一起|一齐|齐声|同时|异口同声|两个|两人|俩|三个|三人")
_LONGEST_MODIFIER = 14


def sentences(narration: str) -> list[str]:
    """Return the sentences of a stretch of narration."""
    return [found.group() for found in _SENTENCE.finditer(narration) if found.group()]


def subjects(sentence: str, names: Names) -> Iterator[str]:
    """Yield the subject of each clause that has one: a canonical name, several joined, or a pronoun."""
    for clause in _CLAUSE.split(sentence):
        subject = _subject(clause, names)
        if subject:
            yield subject


def _subject(clause: str, names: Names) -> str:
    lead = _LEAD.match(clause)
    at = lead.end() if lead else 0
    pronoun = clause[at : at + 1]
    if pronoun in PRONOUNS and (not _OWNED.match(clause, at + 1) or _BODY.match(clause, at + 1)):
        return pronoun
    found = names.pattern.match(clause, at) or names.pattern.match(clause)
    if not found:
        found = names.pattern.search(clause, 0, _LONGEST_MODIFIER + 4)
        if not found or not _MODIFIED.search(clause[: found.start()]):
            return ""
    return _name(clause, found, names)


def _name(clause: str, found: re.Match[str], names: Names) -> str:
    """Return whom the name means, with the names that stand beside it."""
    people = [names.meaning[found.group()]]
    end = found.end()
    while True:
        joint = _JOINT.match(clause, end)
        another = names.pattern.match(clause, joint.end() if joint else end)
        if not another:
            break
        who = names.meaning[another.group()]
        if joint:
            people.append(who)
        elif names.is_role(people[-1]) and not names.is_role(who):
            people[-1] = who  # apposition: the role, then its name
        end = another.end()
    if _OWNED.match(clause, end) and not _BODY.match(clause, end):
        return ""
    together = len(people) > 1 and _ALL.search(clause, end, end + 8)
    return TOGETHER.join(dict.fromkeys(people)) if together else people[0]
