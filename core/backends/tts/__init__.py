"""Voices: who speaks a stretch of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.backends.rows import Row
from core.domain.voice import Sound
from core.translation import N_


@dataclass(frozen=True, slots=True)
class VoiceSource:
    """What a voice is built from; each backend takes what is its own."""

    settings: Mapping[str, float | str] = field(default_factory=dict)
    """The persona's own, e.g. `pitch`; checked by the backend."""


class Voice(Protocol):
    """Turns text into sound."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    @property
    def label(self) -> str:
        """What people read beside the sound, marked for translation."""
        ...

    @property
    def placeholder(self) -> bool:
        """Whether it only stands in for her voice."""
        ...

    @property
    def sample_rate(self) -> int:
        """Samples a second of every sound it makes."""
        ...

    @property
    def recipe(self) -> Mapping[str, float | str]:
        """Everything but the text that decides the sound; the same recipe and text may be cached."""
        ...

    def speak(self, text: str) -> Sound:
        """Return the words as sound; InvalidInputError without words, ToolFailedError when the voice fails."""
        ...

    def close(self) -> None:
        """Give back what the voice holds; it is not used afterwards."""
        ...


def _formant(source: VoiceSource) -> Voice:
    from core.backends.tts.formant import FormantVoice

    return FormantVoice(source.settings)


VOICES: Mapping[str, Row[VoiceSource, Voice]] = {
    row.name: row
    for row in (
        Row(
            "formant",
            N_("Built-in formant voice: works everywhere, sounds like a machine."),
            _formant,
            modules=("espeakng_loader",),
            install="pip install espeakng-loader",
        ),
    )
}
