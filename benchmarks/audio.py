"""Clocks the sound engine beside GPT-SoVITS' slicer and scores its cuts, its denoising and its loudness.

    python benchmarks/audio.py [--json] [--minutes 10] [--upstream CHECKOUT [--upstream-python PYTHON]] [--quick]

The speech is the built-in voice's, with known gaps. Real-time factors (`rtf_…`) are CPU seconds of one core by seconds
of sound; a process that is started has one thread. `rtf_chain` is denoise, trim, normalise, resample and measure.

`rtf_file_to_clips` is ours from file to written clips as a process, start and imports included (`_inside`: without).
Beside it stands the peer's algorithm in our words (audio_peer.py), and with `--upstream` the peer's own script in an
environment of its own; same file, same run. `slice_speedup` is the script's CPU time by ours; without a checkout it
goes by what the script was measured at elsewhere. `slice_speedup_algorithm` is that of the algorithm alone.
`peak_mb` is the decoding process on a two-hour file.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import audio_clips, audio_peer
from core.backends.tts.formant import SAMPLE_RATE, FormantVoice
from core.domain.loudness import loudness_of
from core.stages.voice_dataset.sound.activity import profile_of
from core.stages.voice_dataset.sound.decoding import command, decode
from core.stages.voice_dataset.sound.effects import denoise_step, normalise_step, trim_step, with_effects
from core.stages.voice_dataset.sound.levels import measures_of
from core.stages.voice_dataset.sound.slicing import Silence, cuts
from core.stages.voice_dataset.sound.sound_file import Samples, resampled, wav_of

Figures = dict[str, Any]
Gaps = list[tuple[float, float]]

RATE = 44_100
TRAINER = 32_000
LUFS = -23.0
PUBLISHED = 0.012
"""Real-time factor that the peer's own script was measured at; most of it are its imports."""
_PLAIN = Silence(padding=0, join_below=0, min_silence=0.25)
_WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
_SINGLE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_LINES = (
    "今天早上院子里下了一场小雨", "竹叶上都是水珠", "小猫从门缝里钻进来", "她把窗户轻轻关上", "灯光照着桌上的旧书",
    "厨房里飘来米粥的香味", "远处有人敲了三下钟", "孩子们沿着河边跑过去", "风把纸鸢吹到了屋顶", "老人坐在树下慢慢喝茶",
    "明天我们去山上看红叶", "请把那封信放在抽屉里",
)  # fmt: skip


def main() -> None:
    """Print the figures as a table, and as one JSON object last with `--json`."""
    parser = argparse.ArgumentParser(description="Clock and score the sound engine.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--upstream", type=Path, help="a checkout of GPT-SoVITS, whose own script is run too")
    parser.add_argument("--upstream-python", default=sys.executable, help="the Python that has what its script imports")
    parser.add_argument("--quick", action="store_true", help="leave the two-hour file out")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()

    if os.environ.get("OMP_NUM_THREADS") != "1":  # libraries look at it when they are loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **_SINGLE})
    speech, gaps = spoken(chosen.minutes)
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "speech.wav"
        soundfile.write(sound, speech, RATE, subtype="PCM_16")
        figures = {
            "seconds": round(len(speech) / RATE, 1),
            **accuracy(speech, gaps),
            **cleaning(speech, gaps),
            **clocked(sound, speech, gaps),
            **side_by_side(sound, chosen.upstream, chosen.upstream_python),
            **({} if chosen.quick else peak(Path(folder))),
        }
    for name, figure in figures.items():
        print(f"{name:36} {figure:>12}")
    if chosen.json:
        print(json.dumps(figures))


def spoken(minutes: float) -> tuple[Samples, Gaps]:
    """Return speech at 44.1 kHz with silences of 0.4 to 1.5 s between its lines, and where they are."""
    said = [_line(number) for number in range(len(_LINES))]
    dice = np.random.default_rng(0)
    parts: list[Samples] = []
    gaps: Gaps = []
    at = 0
    while at < minutes * 60 * RATE:
        silence = round(dice.uniform(0.4, 1.5) * RATE)
        line = said[dice.integers(len(said))] * np.float32(dice.uniform(0.4, 1))
        gaps.append((at / RATE, (at + silence) / RATE))
        parts += [np.zeros(silence, np.float32), line]
        at += silence + len(line)
    gaps.append((at / RATE, at / RATE + 0.8))
    return np.concatenate([*parts, np.zeros(round(0.8 * RATE), np.float32)]), gaps


def accuracy(speech: Samples, gaps: Gaps) -> Figures:
    """Return the share of gaps whose both ends are found within 100 ms: clean, and at 20, 10 and 5 dB of two noises."""
    figures: Figures = {}
    wrong = 0
    seconds = len(speech) / RATE
    for kind in ("clean", "white_20", "white_10", "white_5", "pink_20", "pink_10", "pink_5"):
        noise, _, snr = kind.partition("_")
        sound = noisy(speech, gaps, float(snr), pink=noise == "pink") if snr else speech
        pieces = cuts(profile_of(sound, RATE), _PLAIN)
        edges = [0.0, *(edge for piece in pieces for edge in (piece.start, piece.end)), seconds]
        left = np.array(edges).reshape(-1, 2)
        figures[f"cut_accuracy_{kind}"] = round(
            mean(float(np.abs(left - gap).max(axis=1).min()) <= 0.1 for gap in gaps), 4
        )
        wrong += len(left) - len(gaps)
    longest = max(piece.end - piece.start for piece in cuts(profile_of(speech, RATE), Silence(longest=5, join_below=5)))
    everything = min(figures.values())
    return {"cut_accuracy": everything, **figures, "cuts_too_many": wrong, "longest_of_5_s": round(longest, 3)}


def cleaning(speech: Samples, gaps: Gaps) -> Figures:
    """Return what denoising gains at 10 dB: over the noise in the gaps, and against the clean sound."""
    some = speech[: 60 * RATE]
    near = [gap for gap in gaps if gap[1] < 60]
    talk = _spoken_in(len(some), near)
    gains: dict[str, list[float]] = {"snr_gain_db": [], "snr_gain_to_clean_db": []}
    for pink in (False, True):
        before = noisy(some, near, 10, pink=pink)
        after = with_effects(before, RATE, [denoise_step()])
        assert len(after) == len(before)  # the rate is what it was
        gains["snr_gain_db"].append(_over_gaps(after, talk) - _over_gaps(before, talk))
        gains["snr_gain_to_clean_db"].append(_to_clean(some[talk], after[talk]) - _to_clean(some[talk], before[talk]))
    figures = {name: round(min(found), 2) for name, found in gains.items()}
    off = [abs((loudness_of(_turned(speech, gap), RATE) or 0) - LUFS) for gap in pairwise(gaps[:40])]
    return {**figures, "loudness_off_lu": round(max(off), 3)}


def clocked(sound: Path, speech: Samples, gaps: Gaps) -> Figures:
    """Return real-time factors of each step, imports aside."""
    seconds = len(speech) / RATE
    hiss = noisy(speech, gaps, 20)
    pieces = cuts(profile_of(hiss, RATE), Silence())
    clips = [hiss[round(one.start * RATE) : round(one.end * RATE)] for one in pieces]
    length = sum(map(len, clips)) / RATE
    chain = [denoise_step(), trim_step(), normalise_step(LUFS)]
    with_effects(clips[0], RATE, chain)  # imports

    def cut() -> None:
        cuts(profile_of(hiss, RATE), Silence())

    def denoise() -> None:
        [with_effects(one, RATE, chain[:1]) for one in clips]

    def normalise() -> None:
        [with_effects(one, RATE, chain[2:]) for one in clips]

    def everything() -> None:
        for one in clips:
            done = resampled(with_effects(one, RATE, chain), RATE, TRAINER)
            measures_of(done, TRAINER)
            wav_of(done, TRAINER)

    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "rtf_decode": _cpu(lambda: decode(sound, Path(folder), name="speech", max_minutes=600)) / seconds,
            "rtf_slice": _cpu(cut) / seconds,
            "rtf_denoise": _cpu(denoise) / length,
            "rtf_normalise": _cpu(normalise) / length,
            "rtf_chain": _cpu(everything) / length,
        }
    theirs = resampled(hiss, RATE, TRAINER)
    peer = {"rtf_slice_peer": _cpu(lambda: audio_peer.slices(theirs, TRAINER)) / seconds}
    return {name: round(figure, 5) for name, figure in {**figures, **peer}.items()}


def side_by_side(sound: Path, upstream: Path | None, python: str) -> Figures:
    """Return CPU seconds from file to clips, a process each: ours, the peer's algorithm, its own script."""
    seconds = soundfile.info(sound).duration
    figures: Figures = {}
    for name, module in (("ours", audio_clips), ("peer", audio_peer)):
        figures[f"seconds_{name}"] = _of_process([sys.executable, str(module.__file__), str(sound)])
    if upstream is not None:
        program = [python, "tools/slice_audio.py", str(sound)]
        settings = ["-34", "4000", "300", "10", "500", "0.9", "0.25", "0", "1"]
        figures["seconds_upstream"] = _of_process(program, upstream, settings)
    script = figures.get("seconds_upstream", PUBLISHED * seconds)
    return {
        **{name: round(figure, 2) for name, figure in figures.items()},
        "rtf_file_to_clips": round(figures["seconds_ours"] / seconds, 5),
        "rtf_file_to_clips_upstream": round(script / seconds, 5),
        "rtf_file_to_clips_peer": round(figures["seconds_peer"] / seconds, 5),
        "rtf_file_to_clips_inside": round(_cpu_in(audio_clips.files_of, sound) / seconds, 5),
        "rtf_file_to_clips_inside_peer": round(_cpu_in(audio_peer.files_of, sound) / seconds, 5),
        "slice_speedup": round(script / figures["seconds_ours"], 2),
        "slice_speedup_algorithm": round(figures["seconds_peer"] / figures["seconds_ours"], 2),
    }


def peak(folder: Path) -> Figures:
    """Return the peak of memory and the seconds of the decoding process on a stereo file of two hours."""
    sound = folder / "two-hours.wav"
    dice = np.random.default_rng(0)
    minute = (0.1 * dice.standard_normal((60 * RATE, 2)) * (np.arange(60 * RATE) // RATE % 4 > 0)[:, None]).clip(-1, 1)
    with soundfile.SoundFile(sound, "w", RATE, 2, "PCM_16") as file:
        for _minute in range(119):
            file.write(minute.astype(np.float32))
    made = command(sound, folder / "out", name="two hours", max_minutes=120)
    began = time.monotonic()
    # Started from a small process: what a child is charged with begins at the size of its parent.
    watched = [sys.executable, "-c", _WATCH, *made.argv]
    told = subprocess.run(watched, cwd=made.cwd, env={**os.environ, **made.env}, check=True, capture_output=True)
    kilobytes = int(told.stdout.splitlines()[-1])
    return {"peak_mb": round(kilobytes / 1000), "seconds_two_hours": round(time.monotonic() - began, 1)}


def noisy(speech: Samples, gaps: Gaps, snr: float, *, pink: bool = False) -> Samples:
    """Return the speech with noise so many decibels below its power while it is spoken."""
    hiss = np.random.default_rng(1).standard_normal(len(speech))
    if pink:
        spectrum = np.fft.rfft(hiss)
        hiss = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(speech))
    power = float(np.mean(np.square(speech[_spoken_in(len(speech), gaps)], dtype=np.float64)))
    noise: Samples = (speech + hiss / hiss.std() * np.sqrt(power / 10 ** (snr / 10))).astype(np.float32)
    return noise


def _line(number: int) -> Samples:
    voice = FormantVoice({"variant": ("f3", "f2", "f1", "m3")[number % 4], "pitch": 40 + 5 * (number % 7)})
    samples, _rate = soundfile.read(io.BytesIO(voice.speak(_LINES[number]).wav), dtype="float32")
    loud = np.flatnonzero(np.abs(samples) > 10 ** (-50 / 20) * np.abs(samples).max())
    whole = samples[loud[0] : loud[-1] + 1] / np.abs(samples).max() / 2
    return resampled(whole.astype(np.float32), SAMPLE_RATE, RATE)


def _spoken_in(frames: int, gaps: Gaps) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    spoken_there = np.ones(frames, bool)
    for start, end in gaps:
        spoken_there[round(start * RATE) : round(end * RATE)] = False
    return spoken_there


def _over_gaps(sound: Samples, talk: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    return float(10 * np.log10(np.mean(sound[talk] ** 2) / np.mean(sound[~talk] ** 2) - 1))


def _to_clean(clean: Samples, sound: Samples) -> float:
    return float(10 * np.log10(np.sum(clean**2) / np.sum((sound - clean) ** 2)))


def _turned(speech: Samples, around: tuple[tuple[float, float], tuple[float, float]]) -> Samples:
    (_before, start), (end, _after) = around
    return with_effects(speech[round(start * RATE) : round(end * RATE)], RATE, [normalise_step(LUFS)])


def _cpu(work: Any) -> float:
    """Return the CPU seconds of the better of two goes."""
    taken = []
    for _again in range(2):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def _cpu_in(work: Any, sound: Path) -> float:
    with tempfile.TemporaryDirectory() as out:
        return _cpu(lambda: work(sound, Path(out)))


def _of_process(program: Sequence[str], checkout: Path | None = None, settings: Sequence[str] = ()) -> float:
    """Return the CPU seconds of a process and its children, the better of two goes; it gets an empty folder."""
    environment = {**os.environ, **_SINGLE}
    if checkout is not None:
        environment["PYTHONPATH"] = str(checkout)
    taken = []
    for _again in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with tempfile.TemporaryDirectory() as out:
            told = subprocess.DEVNULL
            subprocess.run([*program, out, *settings], check=True, cwd=checkout, env=environment, stdout=told)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


if __name__ == "__main__":
    main()
