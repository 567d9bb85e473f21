"""Where a conversation is taken up again: to have a reply made anew, or to say something else instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.chat import Message, Speaker
from core.errors import InvalidInputError
from core.store import Store
from core.translation import N_


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reply answers."""

    said: Message
    """The visitor's message; a reply made anew names it as its parent."""
    history: tuple[Message, ...]
    """What was said before it, from the first message on."""


def asked_before(reply_id: str, store: Store) -> Asked:
    """Return what a reply answers, on its own path, whatever path is shown.

    NotFoundError when the reply is gone, InvalidInputError for what answers nobody: a greeting, the visitor's words.
    """
    *history, reply = store.talks.path(reply_id)
    if reply.speaker is not Speaker.PERSONA or not history or history[-1].speaker is not Speaker.VISITOR:
        raise InvalidInputError(
            N_("That message answers nothing, so it cannot be made again."), remedy=N_("Choose a reply to something.")
        )
    return Asked(history[-1], tuple(history[:-1]))


def said_before(message_id: str, store: Store) -> Sequence[Message]:
    """Return what was said before the visitor's message, from the first one on, on its own path.

    Other words in its place follow the last of these; where there are none, `Talks.say` is told `first`. NotFoundError
    when the message is gone, InvalidInputError for one of hers.
    """
    *history, message = store.talks.path(message_id)
    if message.speaker is not Speaker.VISITOR:
        raise InvalidInputError(N_("Only your own words can be changed."), remedy=N_("Have her reply made again."))
    return tuple(history)
