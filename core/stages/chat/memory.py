"""What comes back to her from the book when something is said: a few scenes that speak of it, or none.

Two things are looked at. How much of what was said stands in a scene (`covering_texts`), and how near the words are
to a line of hers or to what was said to her just before it (`nearest_lines`). A scene that neither speaks for is not
recalled, since a memory that has nothing to do with what was said leads a reply astray.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.backends.llm import ChatRole, ChatTurn, covering_texts, nearest_lines
from core.domain.chat import Memory
from core.domain.persona import Persona
from core.stages.chat.scenes import Scenes, around, scenes_of
from core.stages.chat.settings import ChatSettings
from core.store import Store

COVERED = 0.35
"""How much of what was said a scene must hold at least."""
NEAR = 0.45
"""How near a line or its occasion must be at least; both of them the same words would be 1."""
NEAR_CHARACTERS = 200
"""Of something long only the end is held against her lines, which are short."""
UNSPOKEN = 0.8
"""What a scene counts for in which she says nothing."""
EARLIER = 0.5
"""What the last exchange counts for against the new words."""
ALIKE = 0.7
"""Share of pairs of characters in common from which two texts are the same one, from two editions perhaps."""


def recall(
    said: str, *, persona: Persona, store: Store, settings: ChatSettings, history: Sequence[ChatTurn] = ()
) -> tuple[Memory, ...]:
    """Return at most `settings.memory` scenes that fit what was said, best first; often none.

    The last exchange helps to choose among scenes that fit; it recalls one by itself only where the new words hold
    nothing that could be looked for (`and then?`).
    """
    if not settings.memory or not said.strip():
        return ()
    book = scenes_of(persona, store, settings.memory_scene)
    ranked = sorted(_candidates(book, said, _last_exchange(history)), key=lambda one: (-one.score, one.place))
    kept: list[Memory] = []
    for candidate in ranked:
        if len(kept) == settings.memory:
            break
        memory = candidate.memory(book, settings.memory_scene)
        if not any(_same(memory, other) for other in kept):
            kept.append(memory)
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class _Candidate:
    place: int
    line: int | None
    """Which of the scene's lines; None where there is none."""
    score: float

    def memory(self, book: Scenes, most: int) -> Memory:
        scene = book.scenes[self.place]
        if self.line is None:
            return Memory(None, scene.passage.id, "", "", scene.text[:most].strip(), self.score)
        line, start, end = scene.lines[self.line]
        text = around(scene.passage.text, start, end, most)
        return Memory(line.utterance_id, scene.passage.id, line.text, line.before, text, self.score)


def _candidates(book: Scenes, said: str, earlier: Sequence[str]) -> Iterator[_Candidate]:
    """Yield the scenes that fit, each with the line of it that fits best."""
    now = covering_texts(book.texts, said)
    near = nearest_lines(book.lines, said[-NEAR_CHARACTERS:]) if book.lines else {}
    past: dict[int, float] = {}
    for words in earlier:
        for place, share in covering_texts(book.texts, words).shares.items():
            past[place] = max(EARLIER * share, past.get(place, 0.0))
    fitting = {place for place, share in now.shares.items() if share >= COVERED}
    fitting |= {book.holding[line] for line, nearness in near.items() if nearness >= NEAR and line in book.holding}
    if not now.telling:
        fitting |= {place for place, share in past.items() if share >= COVERED}
    for place in fitting:
        share = now.shares.get(place, 0.0) + past.get(place, 0.0)
        heard = [near.get(line.utterance_id, 0.0) for line, _, _ in book.scenes[place].lines]
        if heard:
            best = max(range(len(heard)), key=heard.__getitem__)
            yield _Candidate(place, best, share + heard[best])
        else:
            yield _Candidate(place, None, UNSPOKEN * share)


def _last_exchange(history: Sequence[ChatTurn]) -> list[str]:
    talk = [turn for turn in history if turn.role is not ChatRole.SYSTEM and turn.text.strip()]
    return [turn.text for turn in talk[-2:]]


def _same(one: Memory, other: Memory) -> bool:
    """Whether it is one memory: a line that stands in the other's scene, or the same words in two places."""
    if one.passage_id == other.passage_id and (one.text or one.scene) in other.scene:
        return True
    return _alike(one.scene, other.scene) or (bool(one.text and other.text) and _alike(one.text, other.text))


def _alike(one: str, other: str) -> bool:
    first, second = _pairs(one), _pairs(other)
    together = first | second
    return one == other or (bool(together) and len(first & second) >= ALIKE * len(together))


def _pairs(text: str) -> set[str]:
    words = [character for character in text if character.isalnum()]
    return {first + second for first, second in pairwise(words)}
