"""The words of a line as they are compared: unwrapped, in one script, spelt one way, without punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.domain.normalising import folded
from core.stages.dataset.conversations import normal_form

_QUOTED = re.compile(r"^\s*(?:[“\"「『](?P<words>[^“”\"「」『』]+)[”\"」』]?|‘(?P<inner>[^‘’]+)’)\s*$")
_SAID = re.compile(
    r"^[^“”\"：，。！？\s]{0,12}?(?:道|说|说道|曰|云|问|答|笑|叫|喊|骂|叹)[：:，,]?\s*[“\"「](?P<words>[^“”\"「」]+)[”\"」]?\s*$"
)
"""`Somebody said: “…”`, nothing but the one quotation."""

SPELLINGS = str.maketrans(
    {
        variant: usual
        for usual, variants in {
            "他": "她它牠",
            "你": "您妳",
            "那": "哪",
            "罢": "吧",
            "么": "吗嘛麽",
            "的": "得地旳",
            "像": "象",
            "玩": "顽",
            "姐": "姊",
            "很": "狠",
            "作": "做",
            "账": "帐",
            "于": "於",
            "里": "裏裡",
            "着": "著",
            "啊": "阿呵呀",
            "咱": "喒偺",
            "旁": "傍",
            "分": "份",
            "才": "纔",
            "吃": "喫",
            "烟": "菸",
            "托": "託",
            "和": "合",
            "拿": "拏",
            "炮": "砲",
            "升": "昇",
        }.items()
        for variant in variants
    }
)
"""Characters that are spelt in several ways without another meaning in speech; both become the first."""

VARIANTS: dict[str, str] = {
    "甚么": "什么",
    "怎样": "怎么",
    "怎生": "怎么",
    "这们": "这么",
    "那们": "那么",
    "这等": "这样",
    "那等": "那样",
    "今儿": "今日",
    "今天": "今日",
    "昨儿": "昨日",
    "昨天": "昨日",
    "明儿": "明日",
    "明天": "明日",
    "后儿": "后日",
    "后天": "后日",
    "如今": "现在",
    "而今": "现在",
    "这会子": "这时候",
    "适才": "方才",
    "刚才": "方才",
    "知晓": "知道",
    "晓的": "知道",
    "为何": "为什么",
    "因何": "为什么",
    "多早晚": "什么时候",
    "俺": "我",
    "咱家": "我",
    "倘或": "倘若",
    "仿佛": "好像",
    "委曲": "委屈",
}
"""Words that stand for one another in editions and retellings; the left becomes the right."""

_VARIANT = re.compile("|".join(sorted(VARIANTS, key=len, reverse=True)))
_SINGLE = re.compile(r"(?<![什])甚(?!至)")


_WRAPPED = re.compile(r"[“\"「『＂﹁﹃]|^\s*[‘＇]")
"""What a line that is to be unwrapped cannot do without."""
_LETTER_BY_LETTER = range(0x1100, 0x1200), range(0xA960, 0xA980), range(0xAC00, 0xD800)
"""Hangul, which Unicode puts together from several characters."""
_BEYOND = 0xFFFF
"""No character; it stands for all from there on, which are rare."""
_DROPPED, _IRREGULAR, _LINE = 0, 1, ord("\n")


def unwrapped(text: str) -> str:
    """Return what is said, without the quotation marks and the `somebody said:` around it."""
    if found := _QUOTED.match(text):
        return found["words"] or found["inner"]
    found = _SAID.match(text)
    return found["words"] if found else text


def plain(text: str) -> str:
    """Return the words in simplified characters without punctuation, otherwise as they are spelt."""
    return normal_form(unwrapped(folded(text)))


def spelt(words: str) -> str:
    """Return plain words with every variant spelling and variant word in its usual form."""
    return _usual(words.translate(SPELLINGS))


def _usual(words: str) -> str:
    """Return words with variant ones in their usual form."""
    if "甚" in words:
        words = _SINGLE.sub("什么", words.replace("甚么", "什么"))
    return _VARIANT.sub(lambda found: VARIANTS[found.group()], words)


def variants_between(first: str, second: str) -> list[tuple[str, str]]:
    """Return the variant words that only one of two plain texts has, beside what the other says instead."""
    ours, theirs = (dict.fromkeys(_VARIANT.findall(words.translate(SPELLINGS))) for words in (first, second))
    found = [(word, VARIANTS[word]) for word in ours if word not in theirs]
    return found + [(VARIANTS[word], word) for word in theirs if word not in ours]


def words_of(texts: Sequence[str]) -> list[str]:
    """Return `spelt(plain(text))` for each text, five times as fast: all characters are looked up in one table."""
    if not texts:
        return []
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    looked_up = _table()[np.minimum(codes, _BEYOND)]
    lines = np.repeat(np.arange(len(texts)), lengths)
    odd = set(lines[looked_up == _IRREGULAR].tolist())
    kept = looked_up > _IRREGULAR
    sizes = np.bincount(lines[kept], minlength=len(texts))
    ends = np.cumsum(sizes + 1)
    joined = np.full(int(ends[-1]), _LINE, np.uint32)
    within = np.ones(len(joined), np.bool_)
    within[ends - 1] = False
    joined[within] = looked_up[kept]
    words = _usual(joined.tobytes().decode("utf-32-le")).split("\n")
    for place, text in enumerate(texts):
        if place in odd or _WRAPPED.search(text):
            words[place] = spelt(plain(text))
    return words[: len(texts)]


@cache
def _table() -> NDArray[np.uint32]:
    """Return what each character becomes by itself; those that depend on others are irregular."""
    table = np.full(_BEYOND + 1, _IRREGULAR, np.uint32)
    for code in range(_BEYOND):
        if any(code in block for block in _LETTER_BY_LETTER) or 0xD800 <= code < 0xE000:
            continue
        char = chr(code)
        if unicodedata.combining(char):
            continue
        becomes = plain(char).translate(SPELLINGS)
        if len(becomes) < 2:
            table[code] = ord(becomes) if becomes else _DROPPED
    return table
