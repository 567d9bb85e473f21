"""A duel: who meets whom, on which words, and what both answered. Who the models are is handed in."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from dataclasses import dataclass
from itertools import combinations
from threading import Event
from typing import Final

from core.domain.persona import Persona
from core.domain.text import Split, TurnRole
from core.domain.training import Vote
from core.errors import InvalidInputError, StudioError, ToolFailedError
from core.store import Store
from core.translation import N_

_SCENES: Final = 400
"""Held-out conversations that prompts are drawn from."""
SECONDS: Final = 120.0
"""How long both together may take."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said."""

    text: str
    line_id: str | None = None
    """The line of the book it is, where it is one."""


Answerer = Callable[[str, Event], Answer]
"""Answers words, and stops soon once the event is set; StudioError when it cannot."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One side of a duel."""

    name: str
    """Whose it is, as votes name it."""
    text: str = ""
    line_id: str | None = None
    failure: StudioError | None = None
    """Why there is no reply."""


@dataclass(frozen=True, slots=True)
class Duel:
    """Two replies to the same words, in the order they are read."""

    prompt: str
    first: Reply
    second: Reply

    @property
    def failures(self) -> tuple[Reply, ...]:
        """Those who did not answer; one cannot vote on such a duel."""
        return tuple(one for one in (self.first, self.second) if one.failure is not None)


def drawn(names: Sequence[str], votes: Iterable[Vote], chance: random.Random) -> tuple[str, str]:
    """Draw two who meet: of the pairs compared least, one by chance, in an order by chance.

    InvalidInputError where there are not two.
    """
    pairs = list(combinations(dict.fromkeys(names), 2))
    if not pairs:
        raise InvalidInputError(
            N_("A duel needs two who answer."), remedy=N_("Choose another model to meet the first one.")
        )
    met = Counter(frozenset((one.first, one.second)) for one in votes)
    least = min(met[frozenset(pair)] for pair in pairs)
    pair = list(chance.choice([pair for pair in pairs if met[frozenset(pair)] == least]))
    chance.shuffle(pair)
    return pair[0], pair[1]


def prompts(persona: Persona, store: Store) -> list[str]:
    """Return words to draw from: what one asks of her, and what is said to her in scenes no model was trained on."""
    asked = [*persona.facts]
    for version in store.datasets.versions(persona.id)[:1]:
        for sample in store.datasets.samples(version.id, split=Split.HELD_OUT, limit=_SCENES):
            said = [turn.text.strip() for turn in sample.turns if turn.role is TurnRole.COUNTERPART]
            asked += [] if sample.synthetic else said[-1:]
    return [one for one in dict.fromkeys(asked) if one]


def held(prompt: str, first: tuple[str, Answerer], second: tuple[str, Answerer], *, seconds: float = SECONDS) -> Duel:
    """Put the same words to both at once and return what they say, whole: who is quicker would tell who it is.

    One that fails, says nothing or takes too long is told as a failure and hinders nobody.
    """
    stop = Event()
    with_both = ThreadPoolExecutor(2, thread_name_prefix="duel")
    try:
        asked = [(name, with_both.submit(answer, prompt, stop)) for name, answer in (first, second)]
        return Duel(prompt, *(_reply(name, future, seconds) for name, future in asked))
    finally:
        stop.set()
        with_both.shutdown(wait=False)


def _reply(name: str, future: Future[Answer], seconds: float) -> Reply:
    try:
        answer = future.result(seconds)
    except Overdue:
        late = ToolFailedError(
            N_("The model has not answered within {seconds:.0f} seconds."),
            remedy=N_("Let the next two answer, or leave this model out."),
            seconds=seconds,
        )
        return Reply(name, failure=late)
    except StudioError as failure:
        return Reply(name, failure=failure)
    if not answer.text.strip():
        silent = ToolFailedError(
            N_("The model said nothing."), remedy=N_("Let the next two answer, or leave this model out.")
        )
        return Reply(name, failure=silent)
    return Reply(name, answer.text.strip(), answer.line_id)
