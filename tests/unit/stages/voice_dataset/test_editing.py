"""One clip is changed by hand: its ends, sound, words; in two, or with its neighbour; and all is taken back."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import soundfile

from core.domain.text import ReviewStatus
from core.domain.voice import Clip, TextOrigin
from core.errors import ConflictError, InvalidInputError
from core.stages.voice_dataset import editing
from core.stages.voice_dataset.clips import make_clip
from core.stages.voice_dataset.processing import ProcessingSettings
from core.stages.voice_dataset.processing import run as process_all
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound.effect_chain import EffectChain
from core.store import Store
from core.store.clips import ClipFilter
from tests.unit.stages.runs import BrokenOffError, Memory, begun, remembering
from tests.unit.stages.voice_dataset.sounds import file_of, take_in, tones

RULES = VoiceDatasetSettings()
HERE: dict[str, Any] = {"who": "anna", "settings": RULES}


@pytest.fixture
def clip(store: Store) -> Clip:
    """Two seconds of a recording of eight, in which somebody speaks three times."""
    recording = take_in(file_of(tones((1, 3), (4, 5), (6, 7.5), seconds=8, noise=0.01), 48_000 // 3), store)
    return make_clip(recording, 0.9, 3.1, text="竹子喝饱了。", speaker="沈青", settings=RULES, store=store, who="anna")


def another(clip: Clip, store: Store, start: float = 3.9, end: float = 5.1) -> Clip:
    recording = store.voice.recording(clip.recording_id)
    return make_clip(recording, start, end, text="它倒嫌你。", speaker="沈青", settings=RULES, store=store, who="anna")


def length(clip: Clip, store: Store) -> float:
    return float(soundfile.info(store.files.path(clip.sha256)).duration)


def test_moved_ends_are_rendered_anew_from_the_recording(clip, store):
    moved = editing.move_ends(clip, 0.5, 3.5, store=store, **HERE)
    assert (moved.start, moved.end, moved.seconds) == (0.5, 3.5, 3.0)
    assert length(moved, store) == pytest.approx(3.0)
    assert moved.text == clip.text

    store.clips.undo("anna", "a-qing")
    back = store.clips.get(clip.id)
    assert (back.start, back.end, back.sha256, back.seconds) == (clip.start, clip.end, clip.sha256, clip.seconds)


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (0, 99), (1, 1.01)])
def test_ends_outside_the_recording_or_too_close_are_refused(clip, store, start, end):
    with pytest.raises(InvalidInputError):
        editing.move_ends(clip, start, end, store=store, **HERE)
    assert store.clips.get(clip.id) == clip


def test_effects_start_from_the_recording_each_time(clip, store):
    chain = EffectChain(denoise=True, normalise=True, lufs=-20)
    once = editing.process(clip, chain.steps(), store=store, **HERE)
    twice = editing.process(once, EffectChain(denoise=True, normalise=True, lufs=-20, strength=0.95).steps(),
                            store=store, **HERE)  # fmt: skip
    assert once.sha256 == twice.sha256 != clip.sha256
    assert once.measures is not None
    assert once.measures.loudness == pytest.approx(-20, abs=0.5)
    plain = editing.process(twice, (), store=store, **HERE)
    assert (plain.sha256, plain.effects) == (clip.sha256, ())


def test_words_written_by_hand_are_sure_and_may_decide(clip, store):
    heard = store.clips.edit(clip.id, clip.revision, who="asr", text="竹子和抱了", text_origin=TextOrigin.ASR,
                             confidence=0.3, status=ReviewStatus.PENDING)  # fmt: skip
    written = editing.write_words(heard, " 竹子喝饱了。 ", status=ReviewStatus.ACCEPTED, store=store, **HERE)
    assert (written.text, written.text_origin, written.confidence) == ("竹子喝饱了。", TextOrigin.HAND, None)
    assert written.status is ReviewStatus.ACCEPTED
    assert "unsure" not in written.complaints


def test_words_that_only_were_looked_at_keep_their_origin(clip, store):
    heard = store.clips.edit(clip.id, clip.revision, who="asr", text_origin=TextOrigin.ASR, confidence=0.3)
    kept = editing.write_words(heard, heard.text, store=store, **HERE)
    assert (kept.text_origin, kept.confidence) == (TextOrigin.ASR, 0.3)


@pytest.mark.parametrize("words", ["a|b", "a\nb"])
def test_words_that_no_list_file_can_hold_are_refused(clip, store, words):
    with pytest.raises(InvalidInputError):
        editing.write_words(clip, words, store=store, **HERE)


def test_of_two_who_change_a_clip_the_second_is_told(clip, store):
    editing.move_ends(clip, 0.5, 3.5, store=store, **HERE)
    with pytest.raises(ConflictError):
        editing.process(clip, EffectChain(normalise=True).steps(), who="bert", settings=RULES, store=store)


def test_a_clip_is_cut_in_two_without_a_sample_lost_or_doubled(clip, store):
    first, second = editing.split(clip, 2.0, ("竹子", "喝饱了。"), store=store, **HERE)
    assert (first.start, first.end, second.start, second.end) == (0.9, 2.0, 2.0, 3.1)
    assert (first.text, second.text) == ("竹子", "喝饱了。")
    assert {first.status, second.status} == {ReviewStatus.PENDING}
    assert first.seconds + second.seconds == pytest.approx(clip.seconds, abs=1e-4)
    assert length(first, store) + length(second, store) == pytest.approx(length(clip, store), abs=1e-4)

    store.clips.undo("anna", "a-qing")
    assert [one.id for one in store.clips.iterate(ClipFilter("a-qing"))] == [clip.id]
    assert store.clips.get(clip.id).text == clip.text


def test_neighbours_are_joined_with_what_lies_between(clip, store):
    other = another(clip, store)
    joined = editing.join(clip, other, store=store, **HERE)
    assert (joined.id, joined.start, joined.end) == (clip.id, 0.9, 5.1)
    assert joined.text == "竹子喝饱了。它倒嫌你。"
    assert length(joined, store) == pytest.approx(4.2)
    assert store.clips.count(ClipFilter("a-qing")) == 1

    store.clips.undo("anna", "a-qing")
    assert {one.id for one in store.clips.iterate(ClipFilter("a-qing"))} == {clip.id, other.id}


def test_joined_the_other_way_round_the_words_stand_as_they_are_spoken(clip, store):
    assert editing.join(another(clip, store), clip, store=store, **HERE).text == "竹子喝饱了。它倒嫌你。"


def test_clips_far_from_each_other_are_not_joined(clip, store):
    with pytest.raises(InvalidInputError, match="no neighbours"):
        editing.join(clip, another(clip, store, 5.9, 7.6), store=store, **HERE)


def test_many_clips_get_another_sound_as_one_change(clip, store):
    other = another(clip, store)
    rejected = another(clip, store, 5.9, 7.6)
    rejected = store.clips.edit(rejected.id, 0, who="anna", status=ReviewStatus.REJECTED)
    settings = ProcessingSettings(effects=EffectChain(denoise=True, normalise=True))
    result = process_all(settings, context=begun(store, "sound_effects"), store=store)

    assert (result["changed"], result["refused"]) == (2, [])
    measured = [store.clips.get(one.id).measures for one in (clip, other)]
    loud = [one.loudness for one in measured if one]
    assert loud == [pytest.approx(-23, abs=0.5)] * 2
    untouched = store.clips.get(rejected.id)
    assert (untouched.sha256, untouched.revision) == (rejected.sha256, rejected.revision)
    again = process_all(settings, context=begun(store, "sound_effects", run_id="run-0000000002"), store=store)
    assert again["changed"] == 0

    assert store.clips.undo("test", "a-qing").records == 2
    assert store.clips.get(clip.id).sha256 == clip.sha256


def test_a_clip_moved_between_a_crash_and_going_on_keeps_its_own_sound(clip, store):
    other = another(clip, store)
    settings = ProcessingSettings(effects=EffectChain(normalise=True))
    memory = Memory(break_at="render-0", after=True)
    with pytest.raises(BrokenOffError):
        process_all(settings, context=remembering(store, "sound_effects", memory), store=store)
    moved = editing.move_ends(clip, 0.5, 3.5, store=store, **HERE)
    memory.break_at = ""
    result = process_all(settings, context=remembering(store, "sound_effects", memory), store=store)

    assert result["changed"] == 1
    assert store.clips.get(clip.id).sha256 == moved.sha256
    assert store.clips.get(other.id).effects == EffectChain(normalise=True).steps()


def test_an_original_is_the_same_after_all_that_was_done_to_its_clips(clip, store):
    before = store.files.read(store.voice.recording(clip.recording_id).sha256)
    chain = EffectChain(denoise=True, trim=True, normalise=True).steps()
    editing.split(editing.process(clip, chain, store=store, **HERE), 2.0, ("一", "二"), store=store, **HERE)
    assert store.files.read(store.voice.recording(clip.recording_id).sha256) == before
    samples, _rate = soundfile.read(io.BytesIO(before))
    assert np.abs(samples).max() > 0.1


def test_trimming_takes_the_silence_off_and_the_length_follows(clip, store):
    wide = editing.move_ends(clip, 0.2, 3.6, store=store, **HERE)
    trimmed = editing.process(wide, EffectChain(trim=True, keep_ms=50).steps(), store=store, **HERE)
    assert trimmed.seconds == pytest.approx(2.1, abs=0.1)
    assert (trimmed.start, trimmed.end) == (0.2, 3.6)
    assert replace(trimmed, seconds=0) != replace(wide, seconds=0)
