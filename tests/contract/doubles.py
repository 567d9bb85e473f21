"""Stand-ins for backends; each passes the same contract as the real ones."""

from __future__ import annotations

import io
import math
import struct
import time
import wave
from collections.abc import Iterator, Mapping, Sequence
from threading import Event

from core.backends.filters import Verdict
from core.backends.llm import ChatTurn, Delta, Generation, answerable
from core.domain.voice import Sound
from core.errors import InvalidInputError, ToolFailedError


class EchoModel:
    """Answers with what was said, a character at a time; `breaks_after` characters it fails, if set."""

    name = "echo"

    def __init__(self, *, reply: str | None = None, pause: float = 0.0, breaks_after: int | None = None) -> None:
        self.reply = reply
        self.pause = pause
        self.breaks_after = breaks_after
        self.asked: list[tuple[ChatTurn, ...]] = []

    def stream(self, messages: Sequence[ChatTurn], *, settings: Generation, cancel: Event) -> Iterator[Delta]:
        """Yield the reply character by character."""
        turns = answerable(messages)
        self.asked.append(turns)
        return self._characters(self.reply or turns[-1].text, cancel)

    def prepare(self) -> None:
        """Nothing is awaited."""

    def close(self) -> None:
        """Nothing is held."""

    def _characters(self, reply: str, cancel: Event) -> Iterator[Delta]:
        for place, character in enumerate(reply):
            if cancel.is_set():
                return
            if place == self.breaks_after:
                raise ToolFailedError("The double broke.", remedy="It was told to.")
            yield Delta(character)
            time.sleep(self.pause)


class SineVoice:
    """Hums a tenth of a second a character."""

    name = "sine"
    label = "A hum"
    placeholder = True
    sample_rate = 8_000
    recipe: Mapping[str, float | str] = {"hertz": 440}

    def __init__(self) -> None:
        self.spoken: list[str] = []

    def speak(self, text: str, *, draw: int = 0) -> Sound:
        """Return a hum as long as the text."""
        words = [character for character in text if character.isalnum()]
        if not words:
            raise InvalidInputError("There are no words to speak.", remedy="Give some.")
        self.spoken.append(text)
        return tone(len(words) * 0.1, self.sample_rate)

    def close(self) -> None:
        """Nothing is held."""


def tone(seconds: float, sample_rate: int, hertz: float = 440, loudness: float = 0.3) -> Sound:
    """Return a sine wave, 16-bit mono."""
    count = int(seconds * sample_rate)
    samples = (int(32767 * loudness * math.sin(2 * math.pi * hertz * n / sample_rate)) for n in range(count))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sample_rate)
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return Sound(file.getvalue(), sample_rate, count / sample_rate)


class WordyFilter:
    """Refuses the words it was made with; `breaks` makes it fail instead."""

    name = "wordy"

    def __init__(self, *words: str, breaks: bool = False) -> None:
        self.words = words
        self.breaks = breaks
        self.closed = False

    def refused(self, text: str) -> Verdict | None:
        """Look for the words."""
        if self.breaks:
            raise ToolFailedError("The double broke.", remedy="It was told to.")
        return next((Verdict("words", word) for word in self.words if word in text), None)

    def close(self) -> None:
        """Remember it."""
        self.closed = True
