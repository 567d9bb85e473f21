"""How much of what a model reads some turns take: counted by the model, or estimated where it runs elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Protocol

from core.backends.llm import ChatModel, ChatTurn, CountingModel
from core.stages.chat.settings import ChatSettings

_TURN = 8
"""Tokens a template puts around a turn, rather too many than too few."""
_WORD = 1.3
_WORD_CHARACTERS = 3.0
"""A long word is cut into pieces of about so many characters."""
_RARE = 3
"""Tokens of a character that vocabularies spell out in bytes."""
_PIECES = re.compile(
    r"(?P<word>[A-Za-z]+)|(?P<space>\s+)|(?P<rare>[^\u0000-\u9fff\uff00-\uffef])|(?P<other>.)", re.DOTALL
)


class TokenCounter(Protocol):
    """Measures turns against what a model reads."""

    @property
    def context(self) -> int:
        """Tokens of prompt and reply together."""
        ...

    def count(self, turns: Sequence[ChatTurn]) -> int:
        """Return how many tokens these turns are as a prompt; never fewer for more turns or longer ones."""
        ...


class ModelCounter:
    """Asks the model."""

    def __init__(self, model: CountingModel) -> None:
        self._model = model

    @cached_property
    def context(self) -> int:
        """Tokens of prompt and reply together; the first time may wait for the load."""
        return self._model.context()

    def count(self, turns: Sequence[ChatTurn]) -> int:
        """Return the exact number."""
        return self._model.tokens(turns)


@dataclass(frozen=True, slots=True)
class EstimatingCounter:
    """Counts characters as a vocabulary that is bad at Chinese would: one token each, a Latin word a little more."""

    context: int

    def count(self, turns: Sequence[ChatTurn]) -> int:
        """Return about how many tokens, rather too many: too few would be refused by the server."""
        return ceil(sum(_TURN + estimated(turn.text) for turn in turns)) + _TURN


def estimated(text: str) -> float:
    """Return about how many tokens a text is."""
    tokens = 0.0
    for piece in _PIECES.finditer(text):
        match piece.lastgroup:
            case "word":
                tokens += max(_WORD, len(piece[0]) / _WORD_CHARACTERS)
            case "space":
                tokens += len(piece[0]) - 1  # one space belongs to the word after it
            case "rare":
                tokens += _RARE
            case _:
                tokens += 1
    return tokens


def counter_of(model: ChatModel, settings: ChatSettings) -> TokenCounter:
    """Return what counts for that model."""
    if isinstance(model, CountingModel):
        return ModelCounter(model)
    return EstimatingCounter(settings.endpoint_context)
