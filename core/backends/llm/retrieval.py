"""Her own lines as a chat model: the one whose occasion, or whose words, are nearest to what was said.

Nearness is the cosine of character n-gram TF-IDF vectors (lengths 1 to 3: Chinese needs no word
segmentation this way). Two inverted indexes are kept, over the words said just before each line and
over the lines themselves. Nothing is invented: a reply is a line of the book, and names it.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from threading import Event, Lock

from core.backends.llm import ChatRole, ChatTurn, Delta, Generation, Line, answerable
from core.domain.normalising import folded
from core.errors import MissingArtifactError
from core.translation import N_

NGRAM_WEIGHTS = {1: 0.4, 2: 1.0, 3: 1.3}
"""What an n-gram counts, by its length: a single character says little, three say most of a word."""
OCCASION_WEIGHT = 0.65
"""How much the words before her line count against the line's own."""
NEAR_BEST = 0.9
"""Lines within this share of the best score are as good; the seed chooses among them."""
PIECE = 2
"""Characters a delta."""
GOOD_LENGTHS = range(6, 81)
"""Characters of a line that can stand alone as an answer."""
OTHER_LENGTHS_WEIGHT = 0.6

Postings = dict[str, list[tuple[int, float]]]


class RetrievalModel:
    """Answers with one of her lines; the last replies of the conversation are not repeated."""

    name = "retrieval"

    def __init__(self, lines: Sequence[Line]) -> None:
        if not lines:
            raise MissingArtifactError(
                N_("None of her lines are known yet."),
                remedy=N_("Extract the dialogues of a text first, or choose a model."),
            )
        self._index = indexed(tuple(lines))

    def stream(self, messages: Sequence[ChatTurn], *, settings: Generation, cancel: Event) -> Iterator[Delta]:
        """Yield the chosen line in small pieces, each naming it."""
        turns = answerable(messages)
        return self._pieces(self.choose(turns, settings), cancel)

    def choose(self, turns: Sequence[ChatTurn], settings: Generation) -> Line:
        """Return the line that answers best; the same turns and seed give the same line."""
        said = turns[-1].text
        used = {turn.text for turn in turns if turn.role is ChatRole.PERSONA}
        ranked = self._index.ranked(said, avoiding=used)
        threshold = ranked[0][0] * NEAR_BEST
        near = [line for score, line in ranked if score >= threshold]
        return _drawn(near, seed=settings.seed, said=said, turn=len(turns))

    def prepare(self) -> None:
        """The index was made with the model."""

    def close(self) -> None:
        """Nothing is held that others do not share."""

    @staticmethod
    def _pieces(line: Line, cancel: Event) -> Iterator[Delta]:
        for start in range(0, len(line.text), PIECE):
            if cancel.is_set():
                return
            yield Delta(line.text[start : start + PIECE], line.utterance_id)


class LineIndex:
    """Her distinct lines, searchable by what was said before them and by their own words."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self._own = _postings([line.text for line in lines])
        self._occasions = _postings([line.before for line in lines])

    def ranked(self, said: str, *, avoiding: set[str]) -> list[tuple[float, Line]]:
        """Return (score, line), best first; when every line is to be avoided, all are allowed again.

        Nothing in common with any line gives every line of a good length the same score.
        """
        scored = [(_worth(line) * nearness, line) for line, nearness in self._nearness(said)]
        fresh = [(score, line) for score, line in scored if line.text not in avoiding] or scored
        matching = [(score, line) for score, line in fresh if score > 0]
        if not matching:
            return [(0.0, line) for _, line in fresh if len(line.text) in GOOD_LENGTHS] or fresh
        return sorted(matching, key=lambda one: -one[0])

    def near(self, said: str) -> Iterator[tuple[Line, float]]:
        """Yield each line that has anything in common with what was said, and how near it is: 0 to 1."""
        return ((line, nearness) for line, nearness in self._nearness(said) if nearness > 0)

    def _nearness(self, said: str) -> Iterator[tuple[Line, float]]:
        occasions, own = self._occasions.scores(said), self._own.scores(said)
        for place, line in enumerate(self.lines):
            yield line, OCCASION_WEIGHT * occasions.get(place, 0) + (1 - OCCASION_WEIGHT) * own.get(place, 0)


class _Searchable:
    """TF-IDF postings of some texts; weights are scaled so that a score is a cosine."""

    def __init__(self, postings: Postings, rarity: dict[str, float]) -> None:
        self._postings = postings
        self._rarity = rarity

    def scores(self, query: str) -> dict[int, float]:
        """Return place -> cosine, for the texts that share an n-gram with the query."""
        grams = _grams(query)
        weights = {gram: count * self._rarity[gram] for gram, count in grams.items() if gram in self._rarity}
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        found: dict[int, float] = {}
        for gram, weight in weights.items():
            for place, other in self._postings[gram]:
                found[place] = found.get(place, 0.0) + weight * other / length
        return found


def _postings(texts: Sequence[str]) -> _Searchable:
    counted = [_grams(text) for text in texts]
    spread = Counter(gram for grams in counted for gram in grams)
    rarity = {
        gram: NGRAM_WEIGHTS[len(gram)] * (math.log((1 + len(texts)) / (1 + count)) + 1)
        for gram, count in spread.items()
    }
    postings: Postings = {gram: [] for gram in spread}
    for place, grams in enumerate(counted):
        length = math.sqrt(sum((count * rarity[gram]) ** 2 for gram, count in grams.items()))
        for gram, count in grams.items():
            postings[gram].append((place, count * rarity[gram] / length))
    return _Searchable(postings, rarity)


def _grams(text: str) -> Counter[str]:
    words = "".join(character.casefold() for character in folded(text) if character.isalnum())
    return Counter(
        words[start : start + length] for length in NGRAM_WEIGHTS for start in range(len(words) - length + 1)
    )


def _worth(line: Line) -> float:
    return 1.0 if len(line.text) in GOOD_LENGTHS else OTHER_LENGTHS_WEIGHT


def _drawn(lines: Sequence[Line], *, seed: int | None, said: str, turn: int) -> Line:
    if seed is None:
        return random.choice(lines)
    digest = hashlib.sha256(f"{seed}\n{turn}\n{said}".encode()).digest()
    return lines[int.from_bytes(digest[:8], "big") % len(lines)]


_KEPT = 4
_indexes: OrderedDict[tuple[Line, ...], LineIndex] = OrderedDict()
_indexing = Lock()


def indexed(lines: tuple[Line, ...]) -> LineIndex:
    """Return the index of those lines; the last few are kept, so that a reply does not build one anew."""
    with _indexing:
        if lines not in _indexes:
            _indexes[lines] = LineIndex(tuple({line.text: line for line in reversed(lines)}.values())[::-1])
        _indexes.move_to_end(lines)
        while len(_indexes) > _KEPT:
            _indexes.popitem(last=False)
        return _indexes[lines]
