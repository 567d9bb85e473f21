"""A stand-in for recognisers; it passes the same contract as the real ones."""

from __future__ import annotations

import io
import threading
import wave
from collections.abc import Callable
from pathlib import Path

from core.backends.asr import Heard, RefusedError, Transcript


class ScriptedRecogniser:
    """Says for each sound what `hears` returns for it; an exception returned is raised."""

    name = "scripted"
    label = "A script"

    def __init__(self, hears: Callable[[bytes], Transcript | Exception] | None = None) -> None:
        self._hears = hears or (lambda _: Transcript("雨停了。", 0.9, "zh", (Heard(0.0, 1.0, "雨停了。", 0.9),)))
        self._lock = threading.Lock()
        self.asked: list[bytes] = []
        self.prompts: list[str] = []

    def transcribe(self, wav: bytes | Path, *, language: str, prompt: str = "") -> Transcript:
        """Return what the script says."""
        sound = wav if isinstance(wav, bytes) else wav.read_bytes()
        with self._lock:
            self.asked.append(sound)
            self.prompts.append(prompt)
        try:
            wave.open(io.BytesIO(sound)).close()
        except (wave.Error, EOFError):
            raise RefusedError("This is no sound.", remedy="Give another.") from None
        said = self._hears(sound)
        if isinstance(said, Exception):
            raise said
        return said

    def close(self) -> None:
        """Nothing is held."""
