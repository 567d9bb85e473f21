"""What a model is shown: who she is, what comes back to her, the talk so far, the new words; never more than it reads.

What visitors write stands in visitors' turns only. What the book says stands in the system turn, each line of it marked
as a quotation. Nothing of either may act as a mark of a chat template (`core.domain.control_marks`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.backends.llm import ChatModel, ChatRole, ChatTurn
from core.domain.chat import Memory
from core.domain.control_marks import inert
from core.domain.persona import Persona
from core.errors import InvalidInputError
from core.stages.chat.memory import recall
from core.stages.chat.settings import ChatSettings
from core.stages.chat.tokens import TokenCounter, counter_of
from core.store import Store
from core.translation import N_

RETRIEVAL = "retrieval"
"""The model that answers with a line of the book as it stands: there is nothing for it to remember or to read."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is shown, and what of it was chosen."""

    turns: tuple[ChatTurn, ...]
    memories: tuple[Memory, ...] = ()
    """Those that found room, best first; the first stands first in the prompt."""
    tokens: int = 0
    """What the prompt takes of the context, by the counter it was made with; 0 where none was needed."""
    left_out: int = 0
    """Earlier turns that are not shown."""


def composed(
    history: Sequence[ChatTurn],
    said: str,
    *,
    persona: Persona,
    model: ChatModel,
    settings: ChatSettings,
    store: Store,
) -> Prompt:
    """Return what that model is shown: with memories and within its budget where it generates, else the plain talk.

    Raises as `prompt_for`, and as the model does where it has to be loaded to count.
    """
    if model.name == RETRIEVAL:
        return _plain(history, said, persona, settings)
    return prompt_for(
        history,
        said,
        persona=persona,
        memories=recall(said, persona=persona, store=store, settings=settings, history=history),
        settings=settings,
        counter=counter_of(model, settings),
    )


def prompt_for(
    history: Sequence[ChatTurn],
    said: str,
    *,
    persona: Persona,
    memories: Sequence[Memory],
    settings: ChatSettings,
    counter: TokenCounter,
) -> Prompt:
    """Return a prompt that leaves room for the longest reply.

    Who she is and the new words are always in it; then memories, best first, in their share of the room; then whole
    exchanges, the newest first. InvalidInputError when not even the first two fit.
    """
    new = ChatTurn(ChatRole.VISITOR, inert(said))
    room = counter.context - settings.max_tokens
    least = counter.count(_turns(persona, (), (), new, settings))
    if least > room:
        raise InvalidInputError(
            N_("That is too long: the model reads {room} tokens, and who she is and your words are {tokens}."),
            remedy=N_("Write less at a time, ask for a shorter reply, or choose a model that reads more."),
            room=max(room, 0),
            tokens=least,
        )

    def tokens(kept: Sequence[Memory], talk: Sequence[ChatTurn]) -> int:
        return counter.count(_turns(persona, kept, talk, new, settings))

    remembered: tuple[Memory, ...] = ()
    share = min(room, least + int(room * settings.memory_share))
    for memory in memories[: settings.memory]:
        if tokens((*remembered, memory), ()) <= share:
            remembered = (*remembered, memory)
    talk = _newest(exchanges(history), settings.history_messages, lambda talk: tokens(remembered, talk) <= room)
    turns = _turns(persona, remembered, talk, new, settings)
    return Prompt(turns, remembered, counter.count(turns), len(history) - len(talk))


def exchanges(history: Sequence[ChatTurn]) -> list[tuple[ChatTurn, ...]]:
    """Return the talk as exchanges in order: a visitor's turn and what she said to it.

    What has no visitor's turn before it (her greeting) and what she never answered are left out: many chat templates
    refuse a talk that she begins or in which one side speaks twice. So is a system turn, wherever it came from.
    """
    found: list[list[ChatTurn]] = []
    for turn in history:
        if turn.role is ChatRole.VISITOR:
            found.append([turn])
        elif turn.role is ChatRole.PERSONA and found:
            found[-1].append(turn)
    return [tuple(one) for one in found if len(one) > 1]


def _newest(
    talk: Sequence[tuple[ChatTurn, ...]], most: int, fits: Callable[[Sequence[ChatTurn]], bool]
) -> tuple[ChatTurn, ...]:
    """Return the turns of as many of the newest exchanges as fit, `most` turns at most."""
    allowed, turns = 0, 0
    for exchange in reversed(talk):
        turns += len(exchange)
        if turns > most:
            break
        allowed += 1

    def last(count: int) -> tuple[ChatTurn, ...]:
        return tuple(
            ChatTurn(turn.role, inert(turn.text)) for exchange in talk[len(talk) - count :] for turn in exchange
        )

    # Halving, since a model counts by reading: the first number of exchanges that is too many.
    too_many = bisect_right(range(1, allowed + 1), False, key=lambda count: not fits(last(count)))
    return last(too_many)


def _turns(
    persona: Persona, memories: Sequence[Memory], talk: Sequence[ChatTurn], new: ChatTurn, settings: ChatSettings
) -> tuple[ChatTurn, ...]:
    system = "\n\n".join(part for part in (inert(persona.system_prompt), _recollections(memories, settings)) if part)
    return (*((ChatTurn(ChatRole.SYSTEM, system),) if system else ()), *talk, new)


def _recollections(memories: Sequence[Memory], settings: ChatSettings) -> str:
    if not memories:
        return ""
    # Every line is marked, so that no words of the book can end the quotation.
    quoted = ("\n".join(f"> {line}" for line in inert(one.scene).splitlines() if line.strip()) for one in memories)
    return "\n\n".join(part for part in (settings.memory_heading, *quoted) if part)


def _plain(history: Sequence[ChatTurn], said: str, persona: Persona, settings: ChatSettings) -> Prompt:
    recent = list(history[-settings.history_messages :] if settings.history_messages else ())
    while recent and recent[0].role is not ChatRole.VISITOR:
        recent.pop(0)
    system = (ChatTurn(ChatRole.SYSTEM, persona.system_prompt),) if persona.system_prompt else ()
    turns = (*system, *recent, ChatTurn(ChatRole.VISITOR, said))
    return Prompt(turns, left_out=len(history) - len(recent))
