"""A trained speaker embedding from an ONNX file: WeSpeaker's and 3D-Speaker's models as sherpa-onnx publishes them.

ONNX holds a graph of known operations and no code, so a file of a stranger's can at worst be wrong. Features and their
scaling follow the file's metadata as sherpa-onnx reads it (`speaker-embedding-extractor-general-impl.h`, Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soxr  # type: ignore[import-untyped]  # ships no types

from core.backends.voiceprint import Print, Samples
from core.errors import InvalidInputError, MissingToolError, ToolFailedError
from core.translation import N_

FRAMEWORKS = ("wespeaker", "3d-speaker")
_MELS = 80
_FEWEST_FRAMES = 50
_MOST_SECONDS = 30
"""More of one voice tells nothing new and only takes memory."""


class OnnxVoiceprint:
    """Embeds a voice with a model that lies on this machine."""

    name = "onnx"
    label = N_("Voice embedding of a trained model.")
    directional = True

    def __init__(self, model: Path | None) -> None:
        if model is None or not model.is_file():
            raise MissingToolError(
                N_("The voice embedding needs a model file, and there is none at {place}."),
                remedy=N_("Save a speaker model of WeSpeaker or 3D-Speaker as ONNX there, or use timbre statistics."),
                place="-" if model is None else model,
            )
        self._session = _session(model)
        told: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        if told.get("framework", "") not in FRAMEWORKS:
            raise InvalidInputError(
                N_("{name} is not a speaker model that is understood here."),
                remedy=N_("Take one that sherpa-onnx publishes; its metadata names wespeaker or 3d-speaker."),
                name=model.name,
            )
        self._rate = int(told.get("sample_rate") or 16_000)
        self._scale = 1.0 if told.get("normalize_samples", "1") == "1" else 32_768.0
        self._centred = told.get("feature_normalize_type", "") == "global-mean"
        self._model = model.name

    def of(self, samples: Samples, sample_rate: int) -> Print | None:
        """Return the embedding; None for less than half a second. ToolFailedError when the model fails."""
        features = self._features(samples[: _MOST_SECONDS * sample_rate], sample_rate)
        if len(features) < _FEWEST_FRAMES or not np.abs(samples).max():
            return None
        if self._centred:
            features -= features.mean(axis=0)
        try:
            made = self._session.run(None, {self._session.get_inputs()[0].name: features[np.newaxis]})[0]
        except Exception as error:  # noqa: BLE001 - onnxruntime raises its own kinds, none of them documented
            raise ToolFailedError(
                N_("The speaker model {name} failed: {problem}"),
                remedy=N_("Try another model, or use timbre statistics."),
                name=self._model,
                problem=str(error)[:200],
            ) from None
        return np.asarray(made, dtype=np.float64).ravel()

    def close(self) -> None:
        """Let go of the model."""
        del self._session

    def _features(self, samples: Samples, sample_rate: int) -> Samples:
        # Here because it is not always installed.
        import kaldi_native_fbank as kaldi

        options = kaldi.FbankOptions()
        options.frame_opts.samp_freq = self._rate
        options.frame_opts.dither = 0
        options.frame_opts.snip_edges = False
        options.mel_opts.num_bins = _MELS
        options.mel_opts.low_freq = 20
        options.mel_opts.high_freq = -400
        bank = kaldi.OnlineFbank(options)
        heard = samples if sample_rate == self._rate else soxr.resample(samples, sample_rate, self._rate)
        bank.accept_waveform(self._rate, (np.asarray(heard) * self._scale).tolist())
        bank.input_finished()
        frames = [bank.get_frame(number) for number in range(bank.num_frames_ready)]
        return np.stack(frames).astype(np.float32) if frames else np.zeros((0, _MELS), np.float32)


def _session(model: Path) -> Any:
    # Here because it is not always installed.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the same sums in the same order, whatever the machine
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - onnxruntime raises its own kinds, none of them documented
        raise InvalidInputError(
            N_("{name} cannot be read as an ONNX model."), remedy=N_("Fetch it again."), name=model.name
        ) from None
