"""Finds the names of a text in the text itself: whoever its speech cues have as subject.

A cue (`…道：“`) that begins a sentence names its speaker first, while one that carries a sentence on
says what the speaker does (`拍手笑道：“`): so what stands before the verb is a name when it mostly
begins sentences, and the more so when people also speak to it, ask it or go with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.stages.dialogues import roles
from core.stages.dialogues.cues import ADVERBS, COLON, LEADS, SPEECH_VERBS, TAKES_OBJECT, names_nobody
from core.stages.dialogues.paragraphs import Paragraph
from core.stages.dialogues.roles import SURNAMES

_CLAUSE = re.compile('(?P<before>^|[，。；！？：:,;!?…—）)】”’」』"])(?P<words>[㐀-鿿𠀀-𲎯·]+)[：:]$')
_SUBJECT = re.compile(
    rf"(?P<lead>(?:{LEADS}){{0,4}})(?P<name>[㐀-鿿𠀀-𲎯·]{{1,6}}?)(?:{ADVERBS}){{0,4}}(?:{SPEECH_VERBS})"
)
_MANNER = re.compile("(?<=..)[^地]{2}地$")
"""How somebody says something: `轻轻地`."""
_PARTNER = re.compile("[向对与同和跟请叫问替、](....)")
"""What stands behind a word that takes a person as its object."""
_OPENING = "。！？!?”」…’"
_LONGEST_CUE = 24
_MOST_NAMES = 2000
"""No book has more; what follows is noise."""
_RARE = 3
"""A name seen fewer times as a speaker must look like one."""
NEVER_IN_NAMES = frozenset(
    "的了着是在不有又也便就都忙因才却只且笑说道问听见看想叫骂哭叹答应回来去进出过起坐站走打拿把将被向对同跟给这那"
    "他她它我你您们其此彼几个众什么怎谁里外下前后左右手话事时日今昨半声各每或若果虽但可还再更最很极让使命知觉得到"
    "完罢吧呢吗啊呀哎嗳啐呸呵悄低冷怒急悲连口头心眼泪暗已经即遂乃故则以于从由向所之乎矣焉哉等与上写批念唱吟代接发奏启谢求央喝"
)
SELDOM_IN_NAMES = frozenset("的了着是在不便就都把被将么吗呢吧啊呀向对她它我你您这那什怎谁")
"""Not even in the name of somebody who speaks often."""
_NO_NAMES = frozenset(
    word
    for words in (
        "吩咐 勉强 俗语 常言 诧异 惊讶 思量 启奏 施礼 高呼 吆喝 含泪 滴泪 大惊 大喜 大怒 大叫 古语 微微 暗喜 自古 古人",
        "嘱咐 央告 沉吟 别人 旁人 傍人 佳人 美人 本人 一齐 十分 二位 两位",
        "批语 心中 口中 口里 心里 上前 开言 上写 上书 分教 道是 正是 有诗",
    )
    for word in words.split()
)
_COUNTED = re.compile("[一二三四五六七八九十两几些那这众]+人$")
_NEVER_FIRST = frozenset("一上面令和者人又他有听回因便却个位些自并")
_NAMES_END = frozenset("儿家妈娘氏妇僧")
"""What may follow a name and make another one of it: `陆姐` and `陆姐儿`."""
_POINTING = frozenset("那这众")
_BEINGS = frozenset("人者汉子妇婆公翁爷娘妈姑官吏差役兵卒将僧尼怪妖魔鬼猴童女师匠客仆奴婢夫王君仙神佛贼")
"""How words for somebody end."""
_SERVANT = "家的"
"""`陆远家的`: the wife, known by her husband's name."""
_OPENS = 0.5
"""Who speaks opens the sentence at least so often."""
_SURELY_OPENS = 0.9


@dataclass(slots=True)
class _Evidence:
    """What a text shows about the words that stand where a cue has its subject."""

    cues: Counter[str] = field(default_factory=Counter)
    opening: Counter[str] = field(default_factory=Counter)
    """Of those, the cues that begin a sentence."""
    partner: Counter[str] = field(default_factory=Counter)
    """How often somebody does something with or to them."""

    def opens(self, name: str) -> float:
        """Return the share of its cues that begin a sentence."""
        return self.opening[name] / self.cues[name]


def discover_names(chapters: Iterable[Sequence[Paragraph]]) -> list[str]:
    """Return the names that the text itself shows as subjects of speech cues, the most frequent first."""
    evidence = _gathered(paragraph for chapter in chapters for paragraph in chapter)
    names: list[str] = []
    known = _Known()
    for name, _count in sorted(evidence.cues.items(), key=lambda found: (-found[1], found[0])):
        if _is_name(name, evidence) and not known.explain(name, surely=_surely_named(name, evidence)):
            names.append(name)
            known.add(name)
        if len(names) == _MOST_NAMES:
            break
    return names


def _gathered(paragraphs: Iterable[Paragraph]) -> _Evidence:
    evidence = _Evidence()
    partners: Counter[str] = Counter()
    for paragraph in paragraphs:
        for line in paragraph.lines:
            _take_cue(line.before, evidence)
            partners.update(_PARTNER.findall(line.before))
            partners.update(_PARTNER.findall(line.words))
        partners.update(_PARTNER.findall(paragraph.rest))
    for words, count in partners.items():
        for length in (2, 3, 4):
            evidence.partner[words[:length]] += count
    return evidence


def _take_cue(narration: str, evidence: _Evidence) -> None:
    clause = _CLAUSE.search(narration, max(len(narration) - _LONGEST_CUE, 0)) if narration[-1:] in COLON else None
    found = _SUBJECT.fullmatch(clause["words"]) if clause else None
    if not clause or not found:
        return
    name = _MANNER.sub("", found["name"])
    if len(name) == 1 and found["lead"][-1:] in _POINTING:
        name = found["lead"][-1] + name
    if len(name) > 1:
        evidence.cues[name] += 1
        evidence.opening[name] += clause["before"] in _OPENING


def _is_name(name: str, evidence: _Evidence) -> bool:
    if (
        name in _NO_NAMES
        or name in roles.MEANING
        or names_nobody(name)
        or name[0] in _NEVER_FIRST
        or _COUNTED.match(name)
    ):
        return False
    if len(name) > 5 or evidence.opens(name) < _OPENS:
        return False
    if name[0] in _POINTING:
        return name[1:] in _BEINGS and evidence.cues[name] > 1
    if any(letter in SELDOM_IN_NAMES for letter in name):
        return name.endswith(_SERVANT)
    person = name[0] in SURNAMES or name[-2:] in roles.TITLES or name[-1] in _BEINGS or evidence.partner[name[:4]] > 0
    if any(letter in NEVER_IN_NAMES for letter in name):
        return person and (evidence.cues[name] >= _RARE or (name[0] in SURNAMES and evidence.cues[name] > 1))
    return evidence.cues[name] > 1 or (len(name) <= 4 and person)


class _Known:
    """The names accepted so far, asked whether they already explain a longer string."""

    def __init__(self) -> None:
        self._names = set(roles.MEANING)

    def add(self, name: str) -> None:
        self._names.add(name)

    def explain(self, name: str, *, surely: bool) -> bool:
        """Whether `name` is a known one with a deed after it or a verb before it, or two (`陆远合掌`, `指青儿`).

        `surely`: what looks like the verb is a surname.
        """
        for at in range(2, len(name)):
            head, tail = name[:at], name[at:]
            if head in self._names and (tail[-1] not in _NAMES_END or tail in self._names) and tail != _SERVANT:
                return True
        return not surely and any(
            name[at - 1] in TAKES_OBJECT and name[at:] in self._names for at in range(1, len(name) - 1)
        )


def _surely_named(name: str, evidence: _Evidence) -> bool:
    """Whether it looks like a verb with its object but begins sentences as only names do (`向知府`)."""
    return name[0] in SURNAMES and evidence.cues[name] >= _RARE and evidence.opens(name) > _SURELY_OPENS
