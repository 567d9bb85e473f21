"""A few lines of a text spoken one after the other by the built-in voice, with subtitles whose clock is off."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from core.backends.tts.formant import SAMPLE_RATE, FormantVoice
from core.domain.text import Utterance

LATE = 1.4
"""Seconds the subtitles come too late."""


def spoken_episode(folder: Path, lines: Sequence[Utterance], persona: str) -> tuple[Path, Path]:
    """Write `episode.wav` and `episode.srt`; the persona speaks with a higher voice than the others."""
    hers, others = FormantVoice({"variant": "f3", "pitch": 60}), FormantVoice({"variant": "m3", "pitch": 30})
    chance = np.random.default_rng(5)
    parts, cues, at = [np.zeros(SAMPLE_RATE, np.float32)], [], 1.0
    for one in lines:
        voice = hers if one.speaker == persona else others
        said, _rate = soundfile.read(io.BytesIO(voice.speak(one.text).wav), dtype="float32")
        pause = round(float(chance.uniform(0.6, 1.6)) * SAMPLE_RATE)
        cues.append((at + LATE, at + len(said) / SAMPLE_RATE + LATE, one.text))
        parts += [said, np.zeros(pause, np.float32)]
        at += (len(said) + pause) / SAMPLE_RATE
    sound = np.concatenate(parts) * 0.6
    sound = sound + chance.standard_normal(len(sound)).astype(np.float32) * 0.002
    soundfile.write(folder / "episode.wav", sound, SAMPLE_RATE, subtype="PCM_16")
    text = "\n\n".join(f"{n}\n{_clock(a)} --> {_clock(b)}\n{words}" for n, (a, b, words) in enumerate(cues, 1))
    (folder / "episode.srt").write_text(text, encoding="utf-8")
    return folder / "episode.wav", folder / "episode.srt"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"00:{int(minutes):02d}:{rest:06.3f}".replace(".", ",")
