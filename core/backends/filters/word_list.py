"""Words and patterns from a file: one a line, `/…/` for a regular expression, `[name]` begins a category, `#` a remark.

Case, width, and traditional or simplified characters make no difference, and a word with spaces or unseen characters
between its Chinese characters is still that word. A Latin word is found as a whole word only: `ass` is not in `class`.
A pattern is looked for in the text as it was written too, since folding changes what a pattern may name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.backends.filters import Verdict
from core.domain.normalising import folded
from core.domain.unseen import UNSEEN
from core.errors import SettingsError
from core.translation import N_

USUAL_CATEGORY = "words"
_SPACES = re.compile(r"\s+")
_LETTER = "[0-9a-z\u00df-\u00f6\u00f8-\u024f\u0300-\u036f\u1e00-\u1eff]"
"""What goes on with a Latin word; of a folded text."""
_OF_NO_RANGE = re.compile("(?<!-)[^-](?!-)")
"""A character of a pattern that is no end of a range; `[一-龍]` would be another range with another end."""


class WordFilter:
    """Refuses what stands in the file; an edited file counts from the next words on."""

    name = "words"

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._listed()

    def refused(self, text: str) -> Verdict | None:
        """Return the category of the first word of the file that is found; SettingsError where it cannot be read."""
        return self._listed().refused(text)

    def close(self) -> None:
        """Nothing is held that others do not share."""

    def _listed(self) -> _WordList:
        try:
            if self._file is not None:
                return _read(self._file, self._file.stat().st_mtime_ns)
        except (OSError, UnicodeDecodeError):
            pass
        raise SettingsError(
            N_("The list of words for the filter is missing or is no UTF-8 text."),
            remedy=N_("Name a file below configs in filter_words of chat.yaml, one word a line."),
        )


@dataclass(frozen=True, slots=True)
class _WordList:
    """What to look for, each with its category."""

    chinese: Mapping[str, str]
    """Words without spaces, looked for in the text without spaces."""
    latin: tuple[tuple[re.Pattern[str], str], ...]
    patterns: tuple[tuple[re.Pattern[str], str], ...]

    def refused(self, text: str) -> Verdict | None:
        words = _plain(text)
        closed = _SPACES.sub("", words)
        for word, category in self.chinese.items():
            if word in closed:
                return Verdict(category, word)
        for pattern, category in self.latin:
            if found := pattern.search(words):
                return Verdict(category, found[0])
        forms = _forms(text)
        for pattern, category in self.patterns:
            for form in forms:
                if found := pattern.search(form):
                    return Verdict(category, found[0])
        return None


@lru_cache(maxsize=8)
def _read(file: Path, written: int) -> _WordList:
    chinese: dict[str, str] = {}
    latin: dict[str, list[str]] = {}
    patterns = []
    for number, line, category in _entries(file.read_text(encoding="utf-8-sig")):
        if len(line) > 2 and line[0] == line[-1] == "/":
            patterns += [(one, category) for one in _compiled(line[1:-1], number)]
        elif _is_latin(word := _plain(line)):
            latin.setdefault(category, []).append(r"\s+".join(map(re.escape, word.split())))
        else:
            chinese.setdefault(_SPACES.sub("", word), category)
    whole = ((re.compile(rf"(?<!{_LETTER})(?:{'|'.join(words)})(?!{_LETTER})"), name) for name, words in latin.items())
    return _WordList(chinese, tuple(whole), tuple(patterns))


def _entries(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield number, content and category of each line that says something."""
    category = USUAL_CATEGORY
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            category = line[1:-1].strip() or USUAL_CATEGORY
        elif _plain(line) and not line.startswith("#"):
            yield number, line, category


def _is_latin(word: str) -> bool:
    letters = [character for character in word if character.isalpha()]
    return word.isascii() or (bool(letters) and all("LATIN" in unicodedata.name(one, "") for one in letters))


def _compiled(pattern: str, number: int) -> Iterator[re.Pattern[str]]:
    """Yield the pattern as it is written, and as it would be of a folded text."""
    try:
        yield re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise SettingsError(
            N_("Line {number} of the filter's words is no regular expression: {problem}"),
            remedy=N_("Mend the line, or take the strokes away to have it looked for as it stands."),
            number=number,
            problem=str(error),
        ) from None
    # Each character by itself: a stop after Chinese is a sign of the pattern here.
    other = _OF_NO_RANGE.sub(lambda character: folded(character[0]), pattern)
    if other != pattern:
        with suppress(re.error):  # a wide digit that was a letter may count now
            yield re.compile(other, re.IGNORECASE)


def _forms(text: str) -> Sequence[str]:
    """Return what a pattern is looked for in, each once: the text as written, with plain widths, and folded."""
    seen = UNSEEN.sub("", text)
    return tuple(dict.fromkeys((_plain(text), seen, unicodedata.normalize("NFKC", seen))))


def _plain(text: str) -> str:
    return folded(unicodedata.normalize("NFKC", UNSEEN.sub("", text))).casefold().strip()
