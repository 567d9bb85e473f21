"""Voices: who speaks a stretch of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event
from typing import Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ValidationError

from core.backends.llm import Endpoint
from core.backends.rows import Row
from core.domain.voice import Sound
from core.domain.voice_training import TrainedVoice
from core.errors import InvalidInputError, SettingsError, ToolFailedError
from core.translation import N_

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class VoiceSource:
    """What a voice is built from; each backend takes what is its own."""

    settings: Mapping[str, float | str] = field(default_factory=dict)
    """The persona's own, e.g. `pitch`; checked by the backend."""
    trained: TrainedVoice | None = None
    """Weights and reference of a voice of ours."""
    addresses: tuple[str, ...] = ()
    """Where servers of trained voices listen, e.g. http://127.0.0.1:9880; any of them may speak."""
    endpoint: Endpoint | None = None
    """A server that speaks the OpenAI protocol."""


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

    def speak(self, text: str, *, draw: int = 0) -> Sound:
        """Return the words as sound; InvalidInputError without words, ToolFailedError when the voice fails.

        Another `draw` is another take, of a voice that draws its words by chance.
        """
        ...

    def close(self) -> None:
        """Give back what the voice holds; it is not used afterwards."""
        ...


class GoneError(ToolFailedError):
    """The server does not answer: it was ended, or it hangs. Once it runs again, the same words may be asked for."""


class ServerState(StrEnum):
    """How a voice server is found."""

    READY = "ready"
    BUSY = "busy"
    """Something listens but does not answer: it is at work for somebody, or it hangs."""
    GONE = "gone"


@runtime_checkable
class StreamingVoice(Voice, Protocol):
    """A voice whose words are heard while it still speaks, from a server that may be slow, busy or gone."""

    def stream(self, text: str, *, cancel: Event, hurried: bool = False) -> Iterator[Sound]:
        """Yield the words as sounds to be played one after the other; `hurried` begins sooner and ends later.

        Setting `cancel`, or leaving the iterator, ends it soon. Raises as `speak` does, also after some sounds.
        """
        ...

    def prepare(self) -> None:
        """Do now what the first words would wait for; StudioError when that cannot be done."""
        ...


def personal(settings: type[S], values: Mapping[str, float | str]) -> S:
    """Return a persona's settings of a voice; SettingsError naming the one that is wrong."""
    try:
        return settings.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            N_("The persona's voice setting {key} is not right: {problem}."),
            remedy=N_("Change it in the persona's file."),
            key=".".join(str(part) for part in first["loc"]),
            problem=first["msg"],
        ) from None


def nothing_to_say() -> InvalidInputError:
    """Return what is raised for a text without words."""
    return InvalidInputError(N_("There are no words to speak."), remedy=N_("Give a text with letters or digits."))


def speakable(text: str, *, most: int) -> str:
    """Return the words to be spoken; InvalidInputError where there are none, or too many at once."""
    words = text.replace("\0", " ").strip()
    if not any(character.isalnum() for character in words):
        raise nothing_to_say()
    if len(words) > most:
        raise InvalidInputError(
            N_("That is too long to speak at once: {length} characters."),
            remedy=N_("Give at most {most} at a time."),
            length=len(words),
            most=most,
        )
    return words


def state_of(address: str, *, patience: float = 2.5) -> ServerState:
    """Look at a server of trained voices, which has `patience` seconds to answer; never waits for its work."""
    from core.backends.tts.gpt_sovits_server import look_at

    return look_at(address, patience=patience)


def trained_voice(trained: TrainedVoice | None, addresses: Sequence[str]) -> StreamingVoice:
    """Return a trained voice that speaks by those servers; SettingsError where something of it is missing."""
    from core.backends.tts.gpt_sovits import GptSovitsVoice

    return GptSovitsVoice(trained, addresses)


def _formant(source: VoiceSource) -> Voice:
    from core.backends.tts.formant import FormantVoice

    return FormantVoice(source.settings)


def _gpt_sovits(source: VoiceSource) -> Voice:
    return trained_voice(source.trained, source.addresses)


def _openai(source: VoiceSource) -> Voice:
    from core.backends.tts.openai_speech import OpenAIVoice

    return OpenAIVoice(source.endpoint, source.settings)


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
        Row("gpt-sovits", N_("A trained voice, from a running server of GPT-SoVITS."), _gpt_sovits),
        Row(
            "openai",
            N_("Any server that speaks the OpenAI protocol for speech: a cloud, or one of your own."),
            _openai,
            modules=("openai",),
            install="pip install openai",
        ),
    )
}
