"""Voiceprints: what a voice sounds like as a row of numbers, so that a stranger's can be told among many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.backends.rows import Row
from core.translation import N_

Samples = npt.NDArray[np.float32]
"""Mono, -1 to 1."""
Print = npt.NDArray[np.float64]
"""One row of numbers; all prints of a backend have the same length."""


@dataclass(frozen=True, slots=True)
class VoiceprintSource:
    """What a backend is built from; each takes what is its own."""

    model: Path | None = None
    """A file of weights that lies on this machine."""


class Voiceprint(Protocol):
    """Turns sound into a print of the voice in it."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    @property
    def label(self) -> str:
        """What people read beside the numbers: what they are and how far to trust them, marked for translation."""
        ...

    @property
    def directional(self) -> bool:
        """Whether only the direction of a print tells voices apart (trained embeddings), not each number by itself."""
        ...

    def of(self, samples: Samples, sample_rate: int) -> Print | None:
        """Return the print, the same for the same sound; None where too little is heard to tell."""
        ...

    def close(self) -> None:
        """Give back what it holds; it is not used afterwards."""
        ...


def _mfcc(source: VoiceprintSource) -> Voiceprint:
    from core.backends.voiceprint.mfcc import MfccVoiceprint

    return MfccVoiceprint()


def _onnx(source: VoiceprintSource) -> Voiceprint:
    from core.backends.voiceprint.onnx_embedding import OnnxVoiceprint

    return OnnxVoiceprint(source.model)


VOICEPRINTS: Mapping[str, Row[VoiceprintSource, Voiceprint]] = {
    row.name: row
    for row in (
        Row("mfcc", N_("Statistics of the timbre (MFCC): always there; tells different voices apart, roughly."), _mfcc),
        Row(
            "onnx",
            N_("A trained voice embedding (WeSpeaker or 3D-Speaker as an ONNX file of yours)."),
            _onnx,
            modules=("onnxruntime", "kaldi_native_fbank"),
            install="pip install onnxruntime kaldi-native-fbank",
        ),
    )
}
