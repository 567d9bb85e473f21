"""Which of some texts speak of what was said, told by how much of its telling words stands in them.

A question is short and a scene is long, so a cosine would favour short scenes; the share of the question that is found
does not. What a question shares with every other (`你还记得…么`) says nothing and is taken out first. Words count by
their rarity in the texts: two Chinese characters in a row are a word here, a single one is a hint, a Latin word is one.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from threading import Lock

from core.backends.llm import Covered
from core.domain.normalising import folded

SINGLE_WEIGHT = 0.3
"""A Chinese character alone, against two in a row."""
EVIDENCE = 0.6
"""What must be found at least, in words as rare as a word can be: a name that stands everywhere is no evidence."""
SENTENCES = 12
"""Of something long only the last are looked at: what it comes to stands there."""
LONGEST = 200

SAYS_LITTLE = """
我们 咱们 你们 您们 他们 她们 它们 自己 什么 甚么 怎么 怎样 怎么样 怎么办 为什么 为何 如何 哪里 哪儿 那里 这里 那儿 这儿
哪个 哪些 那个 这个 那些 这些 那样 这样 那么 这么 多少 几个 一个 一些 一点 一下 一样 没有 有没有 是不是 能不能
可不可以 可以 可能 应该 知道 觉得 认为 喜欢 告诉 听说 还有 就是 不是 但是 因为 所以 如果 虽然 而且 或者 已经 现在
今天 昨天 明天 今儿 昨儿 明儿 时候 之后 以后 之前 以前 后来 当时 那时 起来 出来 过来 上去 下去 记得 还记得
请问 谢谢 好吗 好的
你 您 我 他 她 它 的 了 着 过 吗 呢 吧 罢 么 啊 呀 哦 嗯 哈 是 不 没 在 有 和 与 跟 同 就 都 也 还 又 很 太 最 会 能 要
给 把 被 让 叫 到 去 来 从 对 为 以 之 其 这 那 哪 个 些 说 讲 问 听 看 做 事 儿 得 地 上 下 里 中 只 才 再 便 好 谁 几
"""
"""Chinese words that a question has in common with any other."""
LITTLE_ENGLISH = """
a about all am an and any are as at be been but by can could did do does for from had has have he her him his how i if
in is it its like may me my no not of on or please she so tell that the their them there they this to us was we were
what when where which who why will with would yes you your
"""

_LITTLE = re.compile("|".join(sorted(map(re.escape, SAYS_LITTLE.split()), key=lambda one: (-len(one), one))))
_LITTLE_ENGLISH = frozenset(LITTLE_ENGLISH.split())
_WORDS = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
_SENTENCE = re.compile(r"[^。！？!?…\n.]+")


class SceneIndex:
    """Texts, searchable by what is said of them."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._count = len(texts)
        self._places: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            for piece in {piece for piece, _ in _pieces(folded(text).casefold())}:
                self._places.setdefault(piece, []).append(place)

    def covered(self, said: str) -> Covered:
        """Return how much of the best-found sentence of `said` stands in which text."""
        telling, shares = False, dict[int, float]()
        for sentence in _SENTENCE.findall(folded(said).casefold())[-SENTENCES:]:
            known, found = self._covering(sentence[:LONGEST])
            telling = telling or known
            for place, share in found.items():
                shares[place] = max(share, shares.get(place, 0.0))
        return Covered(telling, shares)

    def _covering(self, sentence: str) -> tuple[bool, dict[int, float]]:
        weights = {
            piece: weight * self._rarity(piece)
            for piece, weight in _pieces(_LITTLE.sub(" ", sentence))
            if piece not in _LITTLE_ENGLISH
        }
        least, whole = EVIDENCE * math.log(1 + self._count), sum(weights.values())
        if whole < least or not self._count:
            return False, {}
        found: dict[int, float] = {}
        for piece, weight in weights.items():
            for place in self._places.get(piece, ()):
                found[place] = found.get(place, 0.0) + weight
        return True, {place: weight / whole for place, weight in found.items() if weight >= least}

    def _rarity(self, piece: str) -> float:
        return math.log((1 + self._count) / max(len(self._places.get(piece, ())), 1))


def _pieces(text: str) -> Iterator[tuple[str, float]]:
    """Yield the words of a folded text and what each kind of word weighs."""
    for match in _WORDS.finditer(text):
        word = match[0]
        if word.isascii():
            yield word, 1.0
            continue
        for character in word:
            yield character, SINGLE_WEIGHT
        for start in range(len(word) - 1):
            yield word[start : start + 2], 1.0


_KEPT = 4
_indexes: OrderedDict[tuple[str, ...], SceneIndex] = OrderedDict()
_indexing = Lock()


def indexed(texts: tuple[str, ...]) -> SceneIndex:
    """Return the index of those texts; the last few are kept."""
    with _indexing:
        if texts not in _indexes:
            _indexes[texts] = SceneIndex(texts)
        _indexes.move_to_end(texts)
        while len(_indexes) > _KEPT:
            _indexes.popitem(last=False)
        return _indexes[texts]
