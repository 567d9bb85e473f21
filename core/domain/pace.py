"""How fast the words of a clip are spoken, in syllables a second."""

from __future__ import annotations

import re

from core.domain.voice import Clip

_LEAST_VOICED = 0.05
"""A smaller share says that speech was not told from noise, so the whole duration counts."""
_SYLLABIC = re.compile(
    r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"  # Han
    r"|[\u3041\u3042-\u3096\u30a1-\u30fa]"  # kana
    r"|[\uac00-\ud7a3]"  # Hangul
    r"|\d"
)
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_VOWELS = re.compile(r"[aeiouy\u00e0-\u00ff]+", re.IGNORECASE)


def syllables(text: str) -> int:
    """Return about how many syllables the words have: a Han character, kana, Hangul block or digit is one.

    A Latin word has as many as it has groups of vowels, at least one. Marks have none.
    """
    latin = sum(max(len(_VOWELS.findall(word)), 1) for word in _LATIN_WORD.findall(text))
    return len(_SYLLABIC.findall(text)) + latin


def seconds_of(clip: Clip) -> float:
    """Return how long the clip is heard: its rendered file, or its stretch where that was never measured."""
    return clip.seconds or clip.end - clip.start


def pace_of(clip: Clip) -> float | None:
    """Return syllables a second of speech, pauses left out where they were measured; None without words."""
    count, seconds = syllables(clip.text), seconds_of(clip)
    if clip.measures is not None and clip.measures.voiced >= _LEAST_VOICED:
        seconds *= clip.measures.voiced
    return count / seconds if count and seconds > 0 else None
