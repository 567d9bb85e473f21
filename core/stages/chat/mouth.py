"""Where the sound of a reply comes from: her own recorded clip, the cache, or the voice backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from core.backends.drawing import drawn
from core.backends.tts import Voice
from core.domain.identity import fingerprint
from core.domain.persona import Persona
from core.domain.sounds import sound_of
from core.domain.voice import Sound
from core.stages.chat.settings import ChatSettings
from core.stages.chat.voices import Spoken, prepare_voice, spoken_by
from core.store import Store

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
    """Her clips first, then a voice whose sounds are kept for the next time.

    The voice is built at the first word it has to speak, so that what it lacks can only fail a voice.
    """

    def __init__(self, spoken: Spoken, persona: Persona, *, store: Store, redraw: int = 0) -> None:
        self.name = spoken.name
        self._spoken = spoken
        self._voice: Voice | None = None
        self._persona_id = persona.id
        self._store = store
        self._redraw = redraw

    def prepare(self) -> None:
        """Have a trained voice loaded in the background; returns at once."""
        prepare_voice(self._spoken)

    def of_line(self, utterance_id: str) -> Sound | None:
        """Return the newest clip that speaks that line."""
        clip = self._store.clips.of_line(self._persona_id, utterance_id)
        return sound_of(self._store.files.read(clip.sha256)) if clip else None

    def of_text(self, text: str) -> Sound:
        """Return the words as sound, from the cache where the same voice has said them before.

        A take that comes out spoiled is drawn again, and not kept where none was better.
        """
        self._voice = self._voice or self._spoken.built()
        shelf = self._store.workspace / "cache" / "sounds"
        place = shelf / fingerprint([self.name, dict(self._voice.recipe), text])
        if place.exists() and self._store.files.has(sha256 := place.read_text(encoding="ascii")):
            return sound_of(self._store.files.read(sha256))
        if self._voice.placeholder:
            return self._kept(self._voice.speak(text), shelf, place)
        take = drawn(self._voice, text, most=self._redraw, language=self._spoken.language, speed=self._spoken.speed)
        return take.sound if take.faults else self._kept(take.sound, shelf, place)

    def _kept(self, sound: Sound, shelf: Path, place: Path) -> Sound:
        shelf.mkdir(parents=True, exist_ok=True)
        draft = place.with_suffix(".draft")
        draft.write_text(self._store.files.put(sound.wav), encoding="ascii")
        draft.replace(place)
        return sound


def mouth_of(
    voice: str, persona: Persona, *, store: Store, settings: ChatSettings, servers: Sequence[str] = ()
) -> PersonaMouth | None:
    """Return what speaks for the persona, or None for a silent chat; `servers` are where trained voices may speak."""
    if not voice:
        return None
    spoken = spoken_by(voice, persona, store=store, settings=settings, servers=servers)
    return PersonaMouth(spoken, persona, store=store, redraw=settings.redraw)
