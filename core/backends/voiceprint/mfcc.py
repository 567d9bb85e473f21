"""Timbre as statistics of mel-frequency cepstral coefficients: no model, no training, and only as good as that.

Source: Davis and Mermelstein, "Comparison of parametric representations for monosyllabic word recognition", 1980.
"""

from __future__ import annotations

import math

import numpy as np

from core.backends.voiceprint import Print, Samples
from core.translation import N_

COEFFICIENTS = 20
_MELS = 40
_HIGHEST = 7_600
"""Hz; what lies above depends on the recording more than on the voice."""
_WINDOW_SECONDS = 0.032
_HOP_SECONDS = 0.010
_QUIET_DB = 30
"""Frames so far below the loudest ones are pauses."""
_FEWEST_FRAMES = 25
_DELTA_WIDTH = 9


class MfccVoiceprint:
    """Mean and spread of MFCCs over the frames that are heard, and the spread of their changes."""

    name = "mfcc"
    label = N_("Timbre statistics (MFCC), not a trained voice embedding: a hint, not a proof.")
    directional = False

    def of(self, samples: Samples, sample_rate: int) -> Print | None:
        """Return 57 numbers; None for less than a quarter of a second of sound.

        The first call in a new installation waits for librosa to compile.
        """
        hop, window = max(round(_HOP_SECONDS * sample_rate), 1), _window(sample_rate)
        if len(samples) < window + hop * max(_FEWEST_FRAMES, _DELTA_WIDTH) or not np.abs(samples).max():
            return None
        import librosa  # here because its first call compiles for seconds

        mel = librosa.feature.melspectrogram(
            y=np.asarray(samples, dtype=np.float32),
            sr=sample_rate,
            n_fft=window,
            hop_length=hop,
            n_mels=_MELS,
            fmax=min(_HIGHEST, sample_rate / 2),
        )
        heard = _heard(mel.sum(axis=0))
        if heard.sum() < _FEWEST_FRAMES:
            return None
        # The first coefficient is loudness, which is not the voice's.
        cepstrum = librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=60), n_mfcc=COEFFICIENTS)[1:]
        change = librosa.feature.delta(cepstrum, width=_DELTA_WIDTH)[:, heard]
        cepstrum = cepstrum[:, heard]
        return np.concatenate([cepstrum.mean(axis=1), cepstrum.std(axis=1), change.std(axis=1)]).astype(np.float64)

    def close(self) -> None:
        """Nothing is held."""


def _window(sample_rate: int) -> int:
    """Return the nearest power of two, which is fastest."""
    return 1 << max(round(math.log2(_WINDOW_SECONDS * sample_rate)), 1)


def _heard(power: Samples) -> np.ndarray:
    loud = np.percentile(power, 95)
    heard: np.ndarray = power > loud * 10 ** (-_QUIET_DB / 10)
    return heard
