"""The character: everything the rest of the program knows about her is here, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Persona:
    """A character of a book, as read from `configs/personas/<id>.yaml` or made in the app."""

    id: str
    name: str
    """Her canonical name, as the extractors return it."""
    book: str
    system_prompt: str
    greeting: str
    aliases: tuple[str, ...] = ()
    cast: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The other people of the book: canonical name -> aliases."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Question -> answer, in her voice; who she is, where she lives."""
    portrait: str = ""
    """An SVG drawing, or empty."""
    voice: Mapping[str, float | str] = field(default_factory=dict)
    """Settings of the built-in voice (`pitch`, `rate`, `variant`)."""

    def alias_table(self) -> dict[str, tuple[str, ...]]:
        """Return canonical name -> aliases for the whole cast, herself included."""
        return {self.name: self.aliases, **self.cast}
