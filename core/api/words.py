"""Words as JSON may bring them and Python can hold them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def _whole(text: str) -> str:
    """Refuse half a character: JSON can spell one, and nothing that writes UTF-8 could pass it on."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("half of a surrogate pair is no character")
    return text


Words = Annotated[str, AfterValidator(_whole)]
