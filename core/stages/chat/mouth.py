"""Where the sound of a reply comes from: her own recorded clip, the cache, or the voice backend."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Protocol

from core.backends.drawing import drawn, facts_of
from core.backends.relay import iterated
from core.backends.tts import StreamingVoice, Voice
from core.domain.identity import fingerprint
from core.domain.persona import Persona
from core.domain.sounds import joined, sound_of
from core.domain.takes import faults
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

    def stream(self, text: str, *, cancel: Event, hurried: bool = False) -> Iterator[Sound]:
        """Yield the words as sounds to be played one after the other; `hurried` begins sooner, of a voice that can.

        StudioError when that fails, also after some sounds. Setting `cancel` ends it soon.
        """
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
        voice = self._built()
        if (kept := self._kept(text)) is not None:
            return kept
        if voice.placeholder:
            return self._keep(voice.speak(text), text)
        take = drawn(voice, text, most=self._redraw, language=self._spoken.language, speed=self._spoken.speed)
        return take.sound if take.faults else self._keep(take.sound, text)

    def stream(self, text: str, *, cancel: Event, hurried: bool = False) -> Iterator[Sound]:
        """Yield the words as sound; hurried, as they are made, by a voice that streams: then no take is drawn again."""
        voice = self._built()
        if not hurried or not isinstance(voice, StreamingVoice) or self._kept(text) is not None:
            yield self.of_text(text)
            return
        sounds = []
        with closing(iterated(voice.stream(text, cancel=cancel, hurried=True))) as pieces:
            for piece in pieces:
                sounds.append(piece)
                yield piece
        if sounds and not cancel.is_set():
            whole = joined(sounds)
            if not faults(facts_of(whole), text, language=self._spoken.language, speed=self._spoken.speed):
                self._keep(whole, text)

    def _built(self) -> Voice:
        self._voice = self._voice or self._spoken.built()
        return self._voice

    def _place(self, text: str) -> Path:
        recipe = dict(self._built().recipe)
        return self._store.workspace / "cache" / "sounds" / fingerprint([self.name, recipe, text])

    def _kept(self, text: str) -> Sound | None:
        place = self._place(text)
        if place.exists() and self._store.files.has(sha256 := place.read_text(encoding="ascii")):
            return sound_of(self._store.files.read(sha256))
        return None

    def _keep(self, sound: Sound, text: str) -> Sound:
        place = self._place(text)
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_suffix(f".{threading.get_ident()}.draft")  # two may say the same at once
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
