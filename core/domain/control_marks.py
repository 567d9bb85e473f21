"""Makes what looks like a mark of a chat template plain text, so that words that are data cannot begin a turn.

A mark is broken by a space after its first character, which every tokenizer keeps. One with characters between its own
that cannot be seen is broken too, since some tokenizers drop those; they stay, since an emoji may need them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from core.domain.unseen import UNSEEN

_WIDE = {"<": "＜", ">": "＞", "|": "｜", "[": "［", "]": "］", "/": "／"}
"""Some tokenizers fold the full-width form into the plain one."""
_NAMES = (
    "s|bos|eos|pad|unk|mask|sep|cls|eo[adhmpst]|so[ps]|boa|human|user|system|assistant|bot|think|tool_call|"
    "tool_response|(?:start|end|begin)_of_(?:turn|text|image)|(?:reserved|unused|extra_id|tokens_unused)_?[0-9]+"
)
_BRACKETED = "INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|[gs]?MASK|CLS|SEP|PAD|UNK|BOS|EOS"
COMMON = re.compile(
    "[<＜][|｜][^<>＜＞|｜\n]{1,48}[|｜][>＞]"  # <|im_start|>, <|eot_id|>
    "|[<＜]{2}[/／]?SYS[>＞]{2}"
    f"|[<＜][/／]?(?:{_NAMES})[>＞]"
    rf"|[\[［][/／]?(?:{_BRACKETED}|UNUSED_TOKEN_[0-9]+)[\]］]",
    re.IGNORECASE,
)
"""The marks of the templates in common use, for models whose tokenizer is somewhere else."""
_ROUNDS = 4
"""Breaking a mark can bare another that overlapped it."""


def marks_of(tokens: Iterable[str]) -> re.Pattern[str]:
    """Return what finds those tokens in a text, in either width; a token of one character cannot be told from text."""
    longest_first = sorted({token for token in tokens if len(token.strip()) > 1}, key=lambda one: (-len(one), one))
    return re.compile("|".join("".join(map(_either_width, token)) for token in longest_first) or r"(?!)")


def inert(text: str, marks: re.Pattern[str] = COMMON) -> str:
    """Return the text with every mark in it broken; a text without any is returned as it is."""
    for _ in range(_ROUNDS):
        broken = _unhidden(marks.sub(lambda mark: f"{mark[0][0]} {mark[0][1:]}", text), marks)
        if broken == text:
            break
        text = broken
    return text


def _unhidden(text: str, marks: re.Pattern[str]) -> str:
    """Return the text with the marks broken that show once what cannot be seen is left out."""
    if not UNSEEN.search(text):
        return text
    seen = [place for place, character in enumerate(text) if not UNSEEN.match(character)]
    cuts = [seen[mark.start()] + 1 for mark in marks.finditer("".join(text[place] for place in seen))]
    return " ".join(text[start:end] for start, end in pairwise((0, *cuts, len(text))))


def _either_width(character: str) -> str:
    wide = _WIDE.get(character)
    return f"[{re.escape(character)}{wide}]" if wide else re.escape(character)
