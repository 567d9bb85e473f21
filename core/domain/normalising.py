"""Folds away how a Chinese text is written, so that the same words match; what is stored stays as it is.

Traditional characters become simplified ones, the many quotation marks two pairs, full-width letters
and digits plain ones, and a Western or a misused stop after Chinese the Chinese one. Every character
stays one character, so that an offset in the folded text is an offset in the text itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import opencc

_CHINESE = "\u3400-\u4dbf\u4e00-\u9fff"
_BLOCKS = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000))
"""Where the characters of everyday books stand in Unicode."""
_QUOTES = {"「": "“", "」": "”", "『": "‘", "』": "’", "﹁": "“", "﹂": "”", "﹃": "‘", "﹄": "’", "＂": '"', "＇": "'"}
_WIDE = {
    chr(code): chr(code - 0xFEE0)
    for first, last in ("０９", "ＡＺ", "ａｚ")
    for code in range(ord(first), ord(last) + 1)
}
_STOPS = {".": "。", "．": "。", "｡": "。", ",": "，", ":": "：", ";": "；", "!": "！", "?": "？", "､": "、"}
_STOP = re.compile(f"(?<=[{_CHINESE}“”‘’」』）)》】—…])[{re.escape(''.join(_STOPS))}]")
"""Stops after Chinese; those in `3.14` and `Mr. Li` are left alone."""


@dataclass(frozen=True, slots=True)
class _Folding:
    table: dict[int, str]
    needed: re.Pattern[str]
    """Matches where the table would change something: most modern texts need it nowhere."""


def folded(text: str) -> str:
    """Return the text as it is compared, of the same length."""
    folding = _folding()
    if folding.needed.search(text):
        text = text.translate(folding.table)
    return _STOP.sub(lambda stop: _STOPS[stop.group()], text)


@cache
def _folding() -> _Folding:
    """Characters: OpenCC's table of traditional and simplified ones, asked once for each character."""
    characters = [chr(code) for block in _BLOCKS for code in block]
    simplified = opencc.OpenCC("t2s").convert("\n".join(characters)).split("\n")
    changed = {old: new for old, new in zip(characters, simplified, strict=True) if old != new and len(new) == 1}
    changed |= _QUOTES | _WIDE
    return _Folding(str.maketrans(changed), re.compile(f"[{re.escape(''.join(changed))}]"))
