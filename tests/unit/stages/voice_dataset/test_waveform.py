from __future__ import annotations

import numpy as np
import pytest

from core.stages.voice_dataset.waveform import MOST_BINS, envelope, envelope_of
from tests.unit.stages.voice_dataset.sounds import file_of, take_in, tones


@pytest.mark.parametrize("frames", [1, 7, 1999, 2000, 2001, 48_000, 600_001])
def test_the_envelope_holds_lowest_and_highest_of_every_bin(tmp_path, frames):
    samples = np.random.default_rng(frames).uniform(-1, 1, frames).astype(np.float32)
    path = tmp_path / "a.wav"
    path.write_bytes(file_of(samples, subtype="FLOAT"))
    lows, highs = envelope(path, "a")
    width = -(-frames // MOST_BINS)
    bins = [samples[start : start + width] for start in range(0, frames, width)]

    assert len(lows) == len(bins) <= MOST_BINS
    assert lows == pytest.approx([one.min() for one in bins], abs=1e-4)
    assert highs == pytest.approx([one.max() for one in bins], abs=1e-4)


def test_channels_are_drawn_together(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(file_of(np.stack([np.full(100, 0.5), np.full(100, -0.25)], axis=1).astype(np.float32)))
    lows, highs = envelope(path, "a", bins=4)

    assert lows == pytest.approx([-0.25] * 4)
    assert highs == pytest.approx([0.5] * 4, abs=1e-3)


def test_an_envelope_is_computed_once(store):
    recording = take_in(file_of(tones((0.5, 1))), store)
    first = envelope_of(recording, store=store)
    store.files.path(recording.sha256).unlink()

    assert envelope_of(recording, store=store) == first
    assert first.seconds == pytest.approx(3)
    assert max(first.highs) > 0.3 > 0.01 > max(first.highs[: len(first.highs) // 10])
