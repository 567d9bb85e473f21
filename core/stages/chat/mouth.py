"""Where the sound of a reply comes from: her own recorded clip, the cache, or the voice backend."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Sequence
from typing import Protocol

from core.backends.rows import build
from core.backends.tts import VOICES, Voice, VoiceSource
from core.domain.identity import fingerprint
from core.domain.persona import Persona
from core.domain.voice import Sound
from core.errors import InvalidInputError
from core.store import Store
from core.translation import N_

CLIP = "clip"
"""The voice's name where her own recording plays."""


class Mouth(Protocol):
    """Speaks for a persona."""

    name: str

    def of_line(self, utterance_id: str) -> Sound | None:
        """Return her own recording of that line, if there is one."""
        ...

    def of_text(self, text: str) -> Sound:
        """Return the words as sound; StudioError when that fails."""
        ...


class PersonaMouth:
    """Her clips first, then a voice backend whose sounds are kept for the next time.

    The backend is built at the first word it has to speak, so that what it lacks can only fail a voice.
    """

    def __init__(self, name: str, persona: Persona, *, store: Store) -> None:
        self.name = name
        self._build: Callable[[], Voice] = lambda: build(VOICES, name, VoiceSource(persona.voice))
        self._voice: Voice | None = None
        self._persona_id = persona.id
        self._store = store

    def of_line(self, utterance_id: str) -> Sound | None:
        """Return the newest clip that speaks that line."""
        clip = self._store.clips.of_line(self._persona_id, utterance_id)
        return sound_of(self._store.files.read(clip.sha256)) if clip else None

    def of_text(self, text: str) -> Sound:
        """Return the words as sound, from the cache where the same voice has said them before."""
        self._voice = self._voice or self._build()
        shelf = self._store.workspace / "cache" / "sounds"
        place = shelf / fingerprint([self.name, dict(self._voice.recipe), text])
        if place.exists() and self._store.files.has(sha256 := place.read_text(encoding="ascii")):
            return sound_of(self._store.files.read(sha256))
        sound = self._voice.speak(text)
        shelf.mkdir(parents=True, exist_ok=True)
        draft = place.with_suffix(".draft")
        draft.write_text(self._store.files.put(sound.wav), encoding="ascii")
        draft.replace(place)
        return sound


def mouth_of(name: str, persona: Persona, *, store: Store) -> PersonaMouth | None:
    """Return the persona's mouth with that voice backend, or None for a silent chat."""
    return PersonaMouth(name, persona, store=store) if name else None


def sound_of(wav: bytes) -> Sound:
    """Return a 16-bit wav as a sound."""
    with wave.open(io.BytesIO(wav)) as file:
        return Sound(wav=wav, sample_rate=file.getframerate(), seconds=file.getnframes() / file.getframerate())


def joined(sounds: Sequence[Sound]) -> Sound:
    """Return sounds of one rate and channel count as one; InvalidInputError when they differ or there are none."""
    shape, frames = None, []
    for sound in sounds:
        with wave.open(io.BytesIO(sound.wav)) as file:
            own = file.getnchannels(), file.getsampwidth(), file.getframerate()
            if shape not in (None, own):
                raise InvalidInputError(
                    N_("These sounds differ in their sample rate."), remedy=N_("Play them one after the other.")
                )
            shape = own
            frames.append(file.readframes(file.getnframes()))
    if shape is None:
        raise InvalidInputError(N_("There is no sound to join."), remedy=N_("Speak something first."))
    whole = io.BytesIO()
    with wave.open(whole, "wb") as file:
        file.setnchannels(shape[0])
        file.setsampwidth(shape[1])
        file.setframerate(shape[2])
        file.writeframes(b"".join(frames))
    return sound_of(whole.getvalue())
