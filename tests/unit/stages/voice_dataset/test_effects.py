from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from core.domain.loudness import loudness_of
from core.errors import InvalidInputError
from core.stages.voice_dataset.clips import make_clip, rendered
from core.stages.voice_dataset.sound.effects import denoise_step, normalise_step, trim_step, with_effects
from core.stages.voice_dataset.sound.levels import measures_of
from core.stages.voice_dataset.sound.loudness import true_peak
from core.stages.voice_dataset.sound.sound_file import Samples
from tests.unit.stages.voice_dataset.sounds import SETTINGS, file_of, take_in, tones
from tests.unit.stages.voice_dataset.spoken import line, speech, spoken_in, with_noise

RATE = 22_050


def snr(clean: Samples, sound: Samples) -> float:
    """Signal to everything that is not the signal, in decibels."""
    return float(10 * np.log10(np.sum(clean**2) / np.sum((sound - clean) ** 2)))


def over_the_gaps(sound: Samples, spoken: np.ndarray) -> float:
    noise = np.mean(sound[~spoken] ** 2)
    return float(10 * np.log10(np.mean(sound[spoken] ** 2) / noise - 1))


@pytest.mark.slow
@pytest.mark.parametrize("pink", [False, True], ids=["white", "pink"])
def test_noise_is_taken_out_and_the_voice_is_left(pink):
    samples, rate, gaps = speech(20)
    noisy = with_noise(samples, rate, gaps, snr=10, pink=pink)
    spoken = spoken_in(len(samples), rate, gaps)
    cleaned = with_effects(noisy, rate, [denoise_step()])

    assert len(cleaned) == len(noisy)
    assert over_the_gaps(cleaned, spoken) > over_the_gaps(noisy, spoken) + 8
    assert snr(samples[spoken], cleaned[spoken]) > snr(samples[spoken], noisy[spoken]) + 4


@pytest.mark.slow
def test_noise_that_comes_and_goes_is_taken_out_too():
    samples, rate, gaps = speech(20)
    noisy = with_noise(samples, rate, gaps, snr=10)
    spoken = spoken_in(len(samples), rate, gaps)
    cleaned = with_effects(noisy, rate, [denoise_step(stationary=False)])

    assert over_the_gaps(cleaned, spoken) > over_the_gaps(noisy, spoken) + 8


@pytest.mark.slow
def test_the_noise_a_curator_marked_is_what_is_taken_out(store):
    dice = np.random.default_rng(0)
    hum = 0.05 * np.sin(2 * np.pi * 3_000 * np.arange(8 * RATE) / RATE) + 0.002 * dice.standard_normal(8 * RATE)
    samples = hum.astype(np.float32)
    samples[3 * RATE : 3 * RATE + len(line(0))] += line(0)
    recording = take_in(file_of(samples, RATE), store)
    step = denoise_step(1.0, noise=(0.5, 2.5))
    sound = rendered(recording, 0, 2, effects=[step], settings=SETTINGS, store=store)

    assert sound.seconds == 2
    assert sound.measures.peak_db < 20 * np.log10(0.05) - 14
    with pytest.raises(InvalidInputError, match="noise"):
        rendered(recording, 0, 2, effects=[denoise_step(noise=(2, 2.01))], settings=SETTINGS, store=store)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("lufs", [-30.0, -23.0, -18.0])
@pytest.mark.parametrize("seconds", [0.2, 0.5, 3.0])
def test_loudness_is_what_was_asked_for(rate, lufs, seconds):
    samples = 0.3 * tones((0, seconds), rate=rate, seconds=seconds)
    turned = with_effects(samples, rate, [normalise_step(lufs, peak_db=0)])

    assert loudness_of(turned, rate) == pytest.approx(lufs, abs=0.5)


def test_loudness_agrees_with_the_standards_own_tone():
    # EBU Tech 3341, case 1, in one channel: 1 kHz at -23 dBFS (peak) is 3 LU softer than in two.
    tone = (10 ** (-23 / 20) * np.sin(2 * np.pi * 1_000 * np.arange(20 * 48_000) / 48_000)).astype(np.float32)

    assert loudness_of(tone, 48_000) == pytest.approx(-26, abs=0.1)


def test_the_limit_on_the_peak_wins_over_the_loudness():
    samples = line(0).copy()
    turned = with_effects(samples, RATE, [normalise_step(-6, peak_db=-3)])

    assert true_peak(turned, RATE) == pytest.approx(-3, abs=0.1)
    assert np.corrcoef(samples, turned)[0, 1] > 0.9999


def test_a_peak_between_two_samples_is_found():
    between = np.sin(2 * np.pi * 12_000 * np.arange(48_000) / 48_000 + np.pi / 4).astype(np.float32)

    assert np.abs(between).max() < 0.71
    assert true_peak(between, 48_000) == pytest.approx(0, abs=0.2)


def test_silence_is_left_alone():
    silence = np.zeros(RATE, np.float32)
    steps = [denoise_step(), trim_step(), normalise_step()]

    assert np.array_equal(with_effects(silence, RATE, steps), silence)


def test_trimming_leaves_the_voice_and_a_little_air():
    samples = tones((1, 2), rate=16_000)
    trimmed = with_effects(samples, 16_000, [trim_step(100)])

    assert len(trimmed) / 16_000 == pytest.approx(1.2, abs=0.07)
    assert np.abs(trimmed).max() == np.abs(samples).max()


def test_a_clip_of_the_trainers_rate_comes_out_of_any_chain(store):
    recording = take_in(file_of(np.stack([tones((1, 2), rate=44_100, noise=0.003)] * 2, axis=1), 44_100), store)
    steps = (trim_step(), normalise_step(-20))
    clip = make_clip(
        recording, 0.5, 2.5, text="外头冷。", speaker="沈青", settings=SETTINGS, store=store, effects=steps
    )
    info = soundfile.info(io.BytesIO(store.files.read(clip.sha256)))

    assert (info.samplerate, info.channels, info.subtype) == (32_000, 1, "PCM_16")
    assert clip.effects == steps
    assert clip.seconds == info.duration == pytest.approx(1.1, abs=0.08)
    assert clip.measures is not None
    assert clip.measures.loudness == pytest.approx(-20, abs=0.5)
    assert store.clips.get(clip.id) == clip


@pytest.mark.parametrize(
    "step",
    [
        {"effect": "echo"}, {}, {"effect": "denoise", "strength": 2}, {"effect": "normalise", "lufs": float("nan")},
        {"effect": "trim", "keep": 5}, {"effect": "denoise", "noise": [1]}, {"effect": "normalise", "lufs": "loud"},
    ],
)  # fmt: skip
def test_an_effect_nobody_knows_or_with_a_wrong_setting_is_refused(step):
    with pytest.raises(InvalidInputError):
        with_effects(tones((0, 1)), 16_000, [step])


def test_measures_tell_a_clean_line_from_a_noisy_a_clipped_and_a_sung_one():
    samples, rate, gaps = speech(6)
    noisy = with_noise(samples, rate, gaps, snr=12)
    time = np.arange(len(samples)) / rate
    chord = sum(np.sin(2 * np.pi * pitch * time) for pitch in (220, 277, 330, 440))
    music = (samples + 0.03 * chord).astype(np.float32)
    clean, hiss, song = (measures_of(one, rate) for one in (samples, noisy, music))

    assert clean.snr_db is not None
    assert clean.snr_db > 40
    assert hiss.snr_db == pytest.approx(12, abs=2.5)
    assert song.musical > 0.5 > 0.2 > max(clean.musical, hiss.musical)
    assert clean.voiced == pytest.approx(spoken_in(len(samples), rate, gaps).mean(), abs=0.1)
    assert clean.clipped == 0 < measures_of(np.clip(4 * samples, -1, 1), rate).clipped


def test_silence_and_nothing_at_all_have_measures():
    for samples in (np.zeros(16_000, np.float32), np.zeros(0, np.float32), np.zeros(5, np.float32)):
        measures = measures_of(samples, 16_000)

        assert (measures.loudness, measures.peak_db, measures.snr_db) == (None, -120, None)
        assert (measures.clipped, measures.voiced, measures.musical) == (0, 0, 0)
