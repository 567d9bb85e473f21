"""Role and content, the way most tools name turns: told apart, whatever the keys are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.text import TurnRole
from core.stages.dataset.formats.intake import RawTurn
from core.translation import N_

_ROLES = {
    "user": TurnRole.COUNTERPART,
    "human": TurnRole.COUNTERPART,
    "assistant": TurnRole.PERSONA,
    "gpt": TurnRole.PERSONA,
    "chatgpt": TurnRole.PERSONA,
    "model": TurnRole.PERSONA,
}
_SYSTEM = ("system", "developer")


class UnfitMessagesError(Exception):
    """The list is none of messages; says why in the words of a finding."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.values = values


@dataclass(frozen=True, slots=True)
class Keys:
    """How a format calls what a message has."""

    role: str
    content: str

    @property
    def known(self) -> tuple[str, ...]:
        """Keys of a message that are understood."""
        return (self.role, self.content, "name", "weight", "loss")


@dataclass(frozen=True, slots=True)
class Talk:
    """Messages, told apart."""

    system: str
    turns: tuple[RawTurn, ...]


def talk_of(messages: object, keys: Keys) -> Talk:
    """Return system prompt and turns; UnfitMessagesError for anything else than talk between two."""
    if not isinstance(messages, Sequence) or isinstance(messages, str):
        raise UnfitMessagesError(N_("there is no list of messages"))
    system, turns = "", list[RawTurn]()
    for number, message in enumerate(messages, 1):
        if not isinstance(message, Mapping):
            raise UnfitMessagesError(N_("message {turn} is not an object"), turn=number)
        role, content = message.get(keys.role), _text(message.get(keys.content))
        if role in _SYSTEM and not turns and isinstance(content, str):
            system = f"{system}\n{content}" if system else content
        elif isinstance(role, str) and role in _ROLES:
            speaker = message.get("name")
            said_by = speaker if isinstance(speaker, str) else ""
            turns.append(RawTurn(_ROLES[role], content, said_by, context=_is_context(message)))
        else:
            raise UnfitMessagesError(
                N_("message {turn} is by {role}, where none may be"), turn=number, role=str(role)[:40]
            )
    return Talk(system, tuple(turns))


def _text(content: Any) -> Any:
    """Return the text of a content in parts, or the content as it is."""
    if not isinstance(content, list):
        return content
    parts = [part.get("text") if isinstance(part, Mapping) and part.get("type") == "text" else None for part in content]
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else None


def _is_context(message: Mapping[str, Any]) -> bool:
    """Whether a reply is marked as not to be learnt, as OpenAI (`weight`) or XTuner (`loss`) want it."""
    return message.get("weight") == 0 or str(message.get("loss", True)).casefold() == "false"
