"""Where in its passages a part of a line's words stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.domain.text import Utterance
from core.errors import InvalidInputError
from core.translation import N_

_MARK = re.compile(r"[\s“”‘’「」『』﹁﹂﹃﹄\"'＂＇]")
"""What stands in a passage and not in the words: quotation marks, and the spaces around paragraphs."""


def cut(line: Utterance, at: int, passages: Sequence[str]) -> tuple[Utterance, Utterance]:
    """Return the line's two parts with their true places; `passages` are the texts that it stands in.

    InvalidInputError when there is nothing on one side, or when the words are no longer those of the passages.
    """
    first, second = line.text[:at].rstrip(), line.text[at:].lstrip()
    if not _bare(first) or not _bare(second) or not 0 < at < len(line.text):
        raise InvalidInputError(
            N_("There is nothing on one side of the cut."), remedy=N_("Split between two words of the line.")
        )
    places = list(_places(line, passages))
    if [character for character, _, _ in places] != _bare(line.text):
        raise InvalidInputError(
            N_("The words were edited, so their place in the text cannot be told."),
            remedy=N_("Restore the line, split it, then edit its parts."),
        )
    number = len(_bare(first))
    _, ended_in, ended = places[number - 1]
    _, begins_in, begins = places[number]
    return (
        replace(line, text=first, end=ended + 1, runs_on=ended_in),
        replace(line, text=second, ordinal=line.ordinal + begins_in, start=begins, runs_on=line.runs_on - begins_in),
    )


def _bare(text: str) -> list[str]:
    return [character for character in text if not _MARK.match(character)]


def _places(line: Utterance, passages: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield each character of the line in the passages: (character, how many passages on, offset)."""
    for number, passage in enumerate(passages):
        first = line.start if number == 0 else 0
        end = line.end if number == line.runs_on else len(passage)
        for offset in range(first, end):
            if not _MARK.match(passage[offset]):
                yield passage[offset], number, offset
