from __future__ import annotations

import json

import numpy as np
import pytest

from core.stages.voice_dataset.clips import make_clip
from core.stages.voice_dataset.sound.waveform import MOST_BINS, cached_waveform, envelope_of, window_of
from tests.unit.stages.voice_dataset.sounds import SETTINGS, file_of, take_in, tones

RATE = 8_000


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(0).uniform(-1, 1, 300 * RATE + 77).astype(np.float32)


@pytest.fixture
def recording(store, samples):
    return take_in(file_of(samples, RATE, kind="FLAC"), store)


@pytest.mark.parametrize(
    ("start", "end", "bins"),
    [(0, 300, 2_000), (0, 400, 700), (12.3, 200, 100), (299.5, 300.1, 500), (10, 10.05, 1_000), (5, 5 + 1 / RATE, 9)],
)
def test_every_peak_of_a_window_is_in_its_envelope(store, recording, samples, start, end, bins):
    envelope = window_of(recording, start, end, bins=bins, store=store)
    part = samples[round(start * RATE) : round(end * RATE)]

    assert 0 < len(envelope.lows) == len(envelope.highs) <= bins
    assert min(envelope.lows) <= part.min() + 1e-3
    assert max(envelope.highs) >= part.max() - 1e-3
    assert envelope.start == start
    assert envelope.seconds == pytest.approx(min(end, recording.seconds) - start)


def test_a_bin_holds_lowest_and_highest_of_its_own_time(store):
    recording = take_in(file_of(tones((100, 101), rate=RATE, seconds=200), RATE), store)
    envelope = window_of(recording, 0, 200, bins=400, store=store)
    loud = np.flatnonzero(np.array(envelope.highs) > 0.1) / len(envelope.highs) * 200

    assert loud.min() == pytest.approx(100, abs=0.6)
    assert loud.max() == pytest.approx(101, abs=0.6)


def test_zoomed_in_the_samples_themselves_are_seen(store, recording, samples):
    envelope = window_of(recording, 10, 10 + 100 / RATE, bins=100, store=store)

    assert envelope.highs == pytest.approx(samples[10 * RATE : 10 * RATE + 100].tolist(), abs=1e-3)


def test_a_window_outside_is_empty(store, recording):
    assert window_of(recording, 400, 500, store=store).lows == ()
    assert window_of(recording, 5, 5, store=store).highs == ()


def test_channels_are_drawn_as_their_mean(store):
    recording = take_in(
        file_of(np.stack([np.full(9_000, 0.5), np.full(9_000, -0.25)], axis=1).astype(np.float32)), store
    )
    envelope = envelope_of(recording, store=store, bins=4)

    assert envelope.lows == pytest.approx([0.125] * 4, abs=1e-3)


def test_the_import_has_drawn_it_and_nothing_reads_the_sound_again(store, recording):
    store.files.path(recording.sound).unlink()

    assert len(envelope_of(recording, store=store).highs) == MOST_BINS


def test_a_picture_that_is_lost_or_broken_is_drawn_again(store, recording):
    first = envelope_of(recording, store=store)
    cached = cached_waveform(store, recording.sound)
    for damage in (cached.unlink, lambda: cached.write_bytes(b"nonsense"), lambda: cached.write_bytes(b"")):
        damage()
        assert envelope_of(recording, store=store) == first


def test_what_a_page_is_sent_is_small(store, recording):
    envelope = envelope_of(recording, store=store)

    assert len(json.dumps([envelope.lows, envelope.highs])) < 100_000


def test_a_clip_has_an_envelope_too(store):
    recording = take_in(file_of(tones((1, 2))), store)
    clip = make_clip(recording, 0.5, 2.5, text="", speaker="沈青", settings=SETTINGS, store=store)
    envelope = envelope_of(clip, store=store, bins=100)

    assert envelope.seconds == 2
    assert max(envelope.highs[:20]) < 0.02 < 0.3 < max(envelope.highs[40:60])
