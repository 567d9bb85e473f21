"""A few words already spoken, as bubbles; each is a frame of its own in the browser, so at most four."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final

from streamlit_chat import message as bubble

from core.domain.chat import Message, Speaker
from core.domain.persona import Persona

BUBBLES: Final = 4
"""More would be slow: each is a frame of its own."""
_VISITOR: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="32" fill="#E4DAC5"/>'
    '<circle cx="32" cy="25" r="10" fill="#8A8373"/>'
    '<path d="M12 56c3-14 11-19 20-19s17 5 20 19z" fill="#8A8373"/></svg>'
)


def data_uri(svg: str) -> str:
    """Return an SVG drawing as a data URI; without one the component would ask a stranger for a picture."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def last_words(persona: Persona, messages: Sequence[Message]) -> None:
    """Show the last words of a talk, read-only; her greeting where nothing was said yet."""
    if not messages:
        bubble(persona.greeting, logo=data_uri(persona.portrait or _VISITOR), key="bubble.greeting")
    for said in messages[-BUBBLES:]:
        visitor = said.speaker is Speaker.VISITOR
        portrait = _VISITOR if visitor or not persona.portrait else persona.portrait
        bubble(said.text, is_user=visitor, logo=data_uri(portrait), key=f"bubble.{said.id}")
