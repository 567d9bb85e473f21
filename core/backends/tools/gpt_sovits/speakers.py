"""What voices sound like to GPT-SoVITS's own speaker model: its script for speaker vectors, on sounds of ours."""

from __future__ import annotations

import wave
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import soxr  # type: ignore[import-untyped]

from core.backends.tools import VoiceStep
from core.backends.tools.gpt_sovits import preparation
from core.backends.tools.gpt_sovits.checkout import SPEAKER_MODEL
from core.domain.checkout import Checkout
from core.domain.run import Command
from core.domain.voice_training import TrainingClip, VoiceRecipe, VoiceTraining

_RATE = 32_000
"""Samples a second of what the script reads."""
_SOUNDS, _PRINTS = "5-wav32k", "7-sv_cn"
_NUMBERS = {b"FloatStorage": "<f4", b"HalfStorage": "<f2", b"DoubleStorage": "<f8"}


def command(
    checkout: Checkout, folder: Path, sounds: Mapping[str, Path], *, precision: Literal["float32", "float16"], gpu: str
) -> Command | None:
    """Put the sounds where the script reads them and return it; None where the speaker model is not there."""
    script = preparation.SCRIPTS[VoiceStep.SPEAKER]
    if not (checkout.folder / SPEAKER_MODEL).is_file() or not (checkout.folder / script).is_file():
        return None
    folder = folder.resolve()
    home = folder / preparation.FEATURES / _SOUNDS
    home.mkdir(parents=True, exist_ok=True)
    clips = []
    for name, sound in sounds.items():
        _put(sound, home / f"{name}.wav")
        clips.append(TrainingClip(wav=home / f"{name}.wav", speaker="voice", language="zh", text="声"))
    recipe = VoiceRecipe(version="v2Pro", device="gpu" if gpu else "cpu", precision=precision if gpu else "float32")
    work = VoiceTraining(folder=folder, clips=tuple(clips), recipe=recipe, gpus=(gpu,) if gpu else ())
    preparation.write_list(work)
    preparation.clear(work, VoiceStep.SPEAKER, 0)
    return preparation.command(checkout, work, VoiceStep.SPEAKER, 0)


def prints(folder: Path) -> dict[str, tuple[float, ...]]:
    """Return name -> vector for every sound that came out."""
    files = sorted((folder / preparation.FEATURES / _PRINTS).glob("*.wav.pt"))
    found = {file.name.removesuffix(".wav.pt"): _vector(file) for file in files}
    return {name: vector for name, vector in found.items() if vector}


def _put(sound: Path, target: Path) -> None:
    with wave.open(str(sound)) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, channels).mean(axis=1)
    resampled = soxr.resample(samples.astype(np.float32), rate, _RATE) if len(samples) else samples
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(np.clip(np.rint(resampled), -32768, 32767).astype("<i2").tobytes())


def _vector(file: Path) -> tuple[float, ...]:
    """Read the one tensor of a file as numbers, without loading its pickle; empty where there is none."""
    try:
        with zipfile.ZipFile(file) as packed:
            (program,) = (name for name in packed.namelist() if name.endswith("/data.pkl"))
            content = packed.read(program)
            kind = next(numbers for name, numbers in _NUMBERS.items() if name in content)
            values = np.frombuffer(packed.read(f"{program.removesuffix('.pkl')}/0"), kind)
    except (zipfile.BadZipFile, KeyError, StopIteration, ValueError):
        return ()
    return tuple(float(one) for one in values)
