"""What every voiceprint promises, asked of each backend; the trained one with a model written on the spot."""

from __future__ import annotations

import numpy as np
import pytest

from core.backends.rows import build
from core.backends.voiceprint import VOICEPRINTS, VoiceprintSource
from core.errors import InvalidInputError, MissingToolError
from tests.contract.tiny_speaker_model import METADATA, tiny_speaker_model

RATE = 32_000
TRAINED = VOICEPRINTS["onnx"]
with_trained = pytest.mark.skipif(bool(TRAINED.missing), reason=f"not installed: {', '.join(TRAINED.missing)}")


@pytest.fixture(params=["mfcc", pytest.param("onnx", marks=with_trained)])
def voiceprint(request, tmp_path):
    made = build(VOICEPRINTS, request.param, VoiceprintSource(tiny_speaker_model(tmp_path / "tiny.onnx")))
    yield made
    made.close()


def buzz(pitch: float, seconds: float = 1.5, rate: int = RATE) -> np.ndarray:
    """A voice of a kind: harmonics that fall off."""
    time = np.arange(int(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * pitch * number * time) / number for number in range(1, 12))
    return (0.1 * np.asarray(tone)).astype(np.float32)


def test_the_same_sound_has_the_same_print_and_another_sound_another(voiceprint):
    first, again, other = (voiceprint.of(buzz(pitch), RATE) for pitch in (110, 110, 300))

    assert first.ndim == 1
    assert first.shape == other.shape
    assert np.isfinite(first).all()
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_the_length_of_a_print_does_not_hang_on_the_length_of_the_sound(voiceprint):
    assert voiceprint.of(buzz(110, 1), RATE).shape == voiceprint.of(buzz(110, 3), RATE).shape


@pytest.mark.parametrize("seconds", [0, 0.01, 0.2])
def test_too_little_sound_has_no_print(voiceprint, seconds):
    assert voiceprint.of(buzz(110, seconds), RATE) is None


def test_silence_has_no_print(voiceprint):
    assert voiceprint.of(np.zeros(RATE * 2, np.float32), RATE) is None


def test_a_backend_says_what_it_is(voiceprint):
    assert voiceprint.name in VOICEPRINTS
    assert voiceprint.label
    assert voiceprint.directional in (True, False)


@with_trained
def test_a_trained_print_is_what_the_model_makes_of_kaldis_features(tmp_path):
    noise = (0.1 * np.random.default_rng(0).standard_normal(64_000)).astype(np.float32)[:RATE]
    made = build(VOICEPRINTS, "onnx", VoiceprintSource(tiny_speaker_model(tmp_path / "tiny.onnx")))

    found = made.of(noise, 16_000)

    # As sherpa-onnx 2.0.1 computes it from the same model and the same two seconds of noise.
    assert found is not None
    assert found[:5] == pytest.approx([13.44820213, 14.22766495, 14.3989563, 14.68807507, 15.00057888], abs=1e-4)


@with_trained
@pytest.mark.parametrize("content", [b"", b"not a model" * 100, None], ids=["empty", "something else", "no metadata"])
def test_what_is_no_speaker_model_is_refused_and_stops_nothing(tmp_path, content):
    file = tiny_speaker_model(tmp_path / "a.onnx", {**METADATA, "framework": "nemo"})
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InvalidInputError):
        build(VOICEPRINTS, "onnx", VoiceprintSource(file))


@with_trained
def test_a_model_that_is_not_there_is_said_to_be_missing(tmp_path):
    for model in (None, tmp_path / "none.onnx"):
        with pytest.raises(MissingToolError):
            build(VOICEPRINTS, "onnx", VoiceprintSource(model))
