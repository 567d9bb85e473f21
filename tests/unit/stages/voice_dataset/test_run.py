from __future__ import annotations

import numpy as np
import pytest
import soundfile

from core.domain.voice import Clip
from core.errors import InvalidInputError, NotFoundError
from core.jobs.context import RunContext
from core.stages.voice_dataset.clips import make_clip
from core.stages.voice_dataset.effects import with_effects
from core.stages.voice_dataset.run import run
from core.stages.voice_dataset.settings import VoiceWork
from core.store import Store
from tests.unit.stages.voice_dataset.sounds import SETTINGS, file_of, take_in, tones


@pytest.fixture
def noisy(store):
    recording = take_in(file_of(tones((1, 2), noise=0.02)), store)
    return make_clip(recording, 0, 3, text="外头冷。", speaker="沈青", settings=SETTINGS, store=store)


def noise_of(clip: Clip, store: Store) -> tuple[float, int, int]:
    samples, rate = soundfile.read(store.files.path(clip.sha256))
    return float(np.sqrt(np.mean(samples[int(0.2 * rate) : int(0.8 * rate)] ** 2))), rate, len(samples)


@pytest.mark.slow
def test_a_cleaned_clip_stands_beside_the_first_at_the_same_rate_and_length(store, noisy, context_of):
    context: RunContext = context_of("voice_dataset", {"clip_id": noisy.id})
    result = run(VoiceWork(action="denoise", clip_id=noisy.id), context=context, store=store)
    cleaned = store.voice.clip(result["clip_id"])
    (before, *shape), (after, *same_shape) = noise_of(noisy, store), noise_of(cleaned, store)

    assert same_shape == shape
    assert after < before / 2.5
    assert [effect["effect"] for effect in cleaned.effects] == ["denoise"]
    assert store.voice.clip(noisy.id) == noisy
    assert (cleaned.start, cleaned.end, cleaned.text) == (noisy.start, noisy.end, noisy.text)


def test_a_clip_that_is_gone_is_said_to_be_gone(store, context_of):
    with pytest.raises(NotFoundError):
        run(VoiceWork(action="denoise", clip_id="clip-x"), context=context_of("voice_dataset", {}), store=store)


def test_an_effect_nobody_knows_is_refused():
    with pytest.raises(InvalidInputError):
        with_effects(tones(), 16_000, [{"effect": "echo"}])


@pytest.mark.slow
def test_speech_is_found_by_a_run(store, context_of):
    recording = take_in(file_of(tones((1, 2))), store)
    work = VoiceWork(action="find_speech", recording_id=recording.id)
    result = run(work, context=context_of("voice_dataset", {}), store=store)

    assert result["recording_id"] == recording.id
    assert [round(one["start"], 1) for one in result["stretches"]] == [0.9]
