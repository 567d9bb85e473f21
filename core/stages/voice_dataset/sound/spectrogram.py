"""The picture of a sound's pitches over time, small enough to be sent to a browser."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.stages.voice_dataset.sound.sound_file import Samples

BANDS = 96
MOST_COLUMNS = 400
_LOWEST, _HIGHEST = 60.0, 16_000.0
_WINDOW = 0.04


@dataclass(frozen=True, slots=True)
class Spectrogram:
    """Loudness by pitch and time."""

    levels: npt.NDArray[np.int8]
    """Bands (low to high, spaced as ears hear, mel) by columns; decibels of full scale, -128 to 0."""
    pitches: npt.NDArray[np.float32]
    """Middle of each band in hertz."""
    seconds: float


def spectrogram_of(samples: Samples, sample_rate: int) -> Spectrogram:
    """Return the mel spectrogram of one channel; the empty sound has no columns."""
    import librosa  # here because it takes a moment to import

    top = min(_HIGHEST, sample_rate / 2)
    pitches = librosa.mel_frequencies(n_mels=BANDS + 2, fmin=_LOWEST, fmax=top)[1:-1].astype(np.float32)
    if not samples.size:
        return Spectrogram(np.zeros((BANDS, 0), np.int8), pitches, 0.0)
    size = 1 << int(np.ceil(np.log2(_WINDOW * sample_rate)))
    hop = max(-(-len(samples) // MOST_COLUMNS), size // 8)
    # Scaled so that a full-scale tone stands at 0 dB whatever the window.
    power = (
        librosa.feature.melspectrogram(
            y=samples, sr=sample_rate, n_fft=size, hop_length=hop, n_mels=BANDS, fmin=_LOWEST, fmax=top, norm=None
        )
        / float(np.hanning(size).sum() / 2) ** 2
    )
    levels = 10 * np.log10(np.maximum(power, 1e-12))
    return Spectrogram(np.clip(np.rint(levels), -128, 0).astype(np.int8), pitches, len(samples) / sample_rate)
