"""Speech with known gaps: the built-in voice says lines of ours, one after the other."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
import soundfile

from core.backends.tts.formant import SAMPLE_RATE, FormantVoice
from core.stages.voice_dataset.sound.sound_file import Samples

LINES = (
    "今天早上院子里下了一场小雨", "竹叶上都是水珠", "小猫从门缝里钻进来", "她把窗户轻轻关上", "灯光照着桌上的旧书",
    "厨房里飘来米粥的香味", "远处有人敲了三下钟", "孩子们沿着河边跑过去", "风把纸鸢吹到了屋顶", "请把那封信放在抽屉里",
)  # fmt: skip
Gaps = list[tuple[float, float]]


@lru_cache
def line(number: int) -> Samples:
    """Return a line as it is spoken, from its first sound to its last, at half of full scale."""
    voice = FormantVoice({"variant": ("f3", "f2", "m3")[number % 3], "pitch": 45 + 5 * (number % 6)})
    samples, _rate = soundfile.read(io.BytesIO(voice.speak(LINES[number % len(LINES)]).wav), dtype="float32")
    loud = np.flatnonzero(np.abs(samples) > 10 ** (-50 / 20) * np.abs(samples).max())
    spoken: Samples = 0.5 * samples[loud[0] : loud[-1] + 1] / np.abs(samples).max()
    return spoken


def speech(seconds: float, *, seed: int = 0) -> tuple[Samples, int, Gaps]:
    """Return speech of at least so many seconds, its rate, and its gaps, one before and one after each line."""
    dice = np.random.default_rng(seed)
    parts: list[Samples] = []
    gaps: Gaps = []
    at = 0
    while not parts or at < seconds * SAMPLE_RATE:
        silence = round(dice.uniform(0.4, 1.5) * SAMPLE_RATE)
        gaps.append((at / SAMPLE_RATE, (at + silence) / SAMPLE_RATE))
        said = line(int(dice.integers(len(LINES)))) * np.float32(dice.uniform(0.4, 1))
        parts += [np.zeros(silence, np.float32), said]
        at += silence + len(said)
    gaps.append((at / SAMPLE_RATE, at / SAMPLE_RATE + 0.8))
    return np.concatenate([*parts, np.zeros(round(0.8 * SAMPLE_RATE), np.float32)]), SAMPLE_RATE, gaps


def with_noise(samples: Samples, rate: int, gaps: Gaps, *, snr: float, pink: bool = False, seed: int = 1) -> Samples:
    """Return the speech with noise under it, so many decibels softer than the speech while it is spoken."""
    hiss = np.random.default_rng(seed).standard_normal(len(samples))
    if pink:
        spectrum = np.fft.rfft(hiss)
        hiss = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(samples))
    power = float(np.mean(np.square(samples[spoken_in(len(samples), rate, gaps)], dtype=np.float64)))
    noisy: Samples = (samples + hiss / hiss.std() * np.sqrt(power / 10 ** (snr / 10))).astype(np.float32)
    return noisy


def spoken_in(frames: int, rate: int, gaps: Gaps) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for every frame whether it lies in no gap."""
    spoken = np.ones(frames, bool)
    for start, end in gaps:
        spoken[round(start * rate) : round(end * rate)] = False
    return spoken
