"""The built-in voice: eSpeak NG's formants, in a short-lived process of their own.

A placeholder, and labelled so: it shows that a reply can be heard on any machine, not how she sounds.
"""

from __future__ import annotations

import io
import sys
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from core.backends.tts import nothing_to_say, personal, speakable
from core.domain.run import Command
from core.domain.section import Section
from core.domain.voice import Sound
from core.errors import ToolFailedError
from core.jobs.door import run_briefly
from core.translation import N_

SPEAKER = Path(__file__).with_name("formant_speaker.py")
SAMPLE_RATE = 22_050
MOST_CHARACTERS = 2_000
NOTHING_TO_SAY = 3


class FormantSettings(Section):
    """A persona's settings of the built-in voice."""

    variant: Literal["f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"] = Field(
        default="f3", description="eSpeak NG's voice variant; f for a woman's, m for a man's."
    )
    pitch: int = Field(default=62, ge=0, le=99, description="How high the voice is; 50 is eSpeak NG's own.")
    range: int = Field(default=60, ge=0, le=99, description="How much the pitch moves; 50 is eSpeak NG's own.")
    rate: int = Field(default=165, ge=80, le=450, description="How fast it speaks, in words a minute.")
    timeout: float = Field(default=10, gt=0, le=120, description="Seconds after which a text is given up.")


class FormantVoice:
    """Speaks Mandarin, with Latin words and digits in between, some hundred times faster than it is heard."""

    name = "formant"
    label = N_("Built-in placeholder voice")
    placeholder = True
    sample_rate = SAMPLE_RATE

    def __init__(self, settings: Mapping[str, float | str]) -> None:
        self._settings = personal(FormantSettings, settings)

    @property
    def recipe(self) -> Mapping[str, float | str]:
        """Variant, pitch, range and rate."""
        recipe: dict[str, float | str] = self._settings.model_dump(exclude={"timeout"})
        return recipe

    def command(self) -> Command:
        """Return the program that speaks its standard input."""
        # -P: the program's own folder is not searched for modules, so none of ours can be taken for another.
        options = (part for key, value in self.recipe.items() for part in (f"--{key}", str(value)))
        return Command(argv=(sys.executable, "-P", str(SPEAKER), *options), cwd=SPEAKER.parent)

    def speak(self, text: str, *, draw: int = 0) -> Sound:
        """Return the words as 22.05 kHz mono; InvalidInputError without words, ToolFailedError when it fails."""
        words = speakable(text, most=MOST_CHARACTERS)
        ended = run_briefly(self.command(), stdin=words.encode(), timeout=self._settings.timeout)
        if ended.returncode == NOTHING_TO_SAY:
            raise nothing_to_say()
        if ended.returncode != 0:
            raise ToolFailedError(
                N_("The built-in voice failed: {problem}"),
                remedy=N_("Run `python -m core doctor`; it says whether espeakng-loader is whole."),
                problem=ended.stderr.decode(errors="replace").strip().rpartition("\n")[2],
            )
        return _sound(ended.stdout)

    def close(self) -> None:
        """Every text has its own process; none is left."""


def _sound(wav: bytes) -> Sound:
    with wave.open(io.BytesIO(wav)) as file:
        return Sound(wav=wav, sample_rate=file.getframerate(), seconds=file.getnframes() / file.getframerate())
