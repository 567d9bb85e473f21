"""Which texts nearly say what must stay unsaid: the guard between training and evaluation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from core.stages.dataset.conversations import normal_form
from core.stages.dataset.near_duplicates import Line, near_duplicates

Echoes = Callable[[Sequence[str], Sequence[str]], Collection[int]]
"""What must stay unsaid, texts -> the texts (by index) that say it, or nearly."""


def same_words(secret: Sequence[str], texts: Sequence[str]) -> Collection[int]:
    """Return the texts that are the same word for word after normalising."""
    unsaid = {normal_form(text) for text in secret}
    return {number for number, text in enumerate(texts) if normal_form(text) in unsaid}


def near_words(cast: Mapping[str, Iterable[str]]) -> Echoes:
    """Return the guard that finds near-duplicates, too; `cast` are the people whose names make a difference."""

    def echoes(secret: Sequence[str], texts: Sequence[str]) -> Collection[int]:
        unsaid, found = _numbers(secret), set(same_words(secret, texts))
        said = _numbers(text for number, text in enumerate(texts) if number not in found)
        places = defaultdict(list)
        for number, text in enumerate(texts):
            places[text].append(number)
        while unsaid and said:
            # Lines a curator has accepted become the middle of their cluster; here that is what must stay unsaid.
            lines = [Line(f"s{number}", text, reviewed=True) for text, number in unsaid.items()]
            lines += [Line(f"t{number}", text) for text, number in said.items()]
            texts_of = {line.id: line.text for line in lines}
            beside: set[str] = set()
            for cluster in near_duplicates(lines, cast=cast):
                middle, *others = (member.id for member in cluster.members)
                ids = others if middle.startswith("s") else ()
                beside.update(texts_of[one] for one in ids if one.startswith("s"))
                for one in ids:
                    if one.startswith("t"):
                        said.pop(texts_of[one], None)
                        found.update(places[texts_of[one]])
            # Those that were beside another's middle have not been compared with everything yet.
            unsaid = {text: number for text, number in unsaid.items() if text in beside}
        return found

    return echoes


def _numbers(texts: Iterable[str]) -> dict[str, int]:
    return {text: number for number, text in enumerate(dict.fromkeys(texts))}
