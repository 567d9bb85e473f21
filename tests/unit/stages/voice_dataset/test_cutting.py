"""A recording becomes clips: on silences, at subtitles, or where her lines are spoken; what is shown is what is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from core.domain.text import ReviewStatus, Utterance
from core.domain.voice import Recording, TextOrigin
from core.errors import MissingArtifactError
from core.stages.voice_dataset.clips import make_clip, rendered
from core.stages.voice_dataset.cutting import run
from core.stages.voice_dataset.planning import CuttingSettings, Plan, PlannedClip, planned
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.store import Store
from core.store.clips import ClipFilter
from tests.contract.stores import line, passages, source
from tests.unit.stages.runs import BrokenOffError, Memory, begun, remembering
from tests.unit.stages.voice_dataset.sounds import file_of, take_in, tones

RULES = VoiceDatasetSettings()
WORDS = (
    "竹子夜里喝饱了水，今天高了一寸。",
    "你又来数它，它倒嫌你烦呢。",
    "我不数它，谁知道它长没长？",
    "窗纸破了半边，风替你读了一夜。",
    "书是我的，风不过借去看看。",
    "借了也该还，哪有借一整夜的？",
)
"""Lines of a small book; those of even number are hers."""
SPOKEN = tuple((1.0 + 3 * place, 3.0 + 3 * place) for place in range(len(WORDS)))
"""Where the tones that stand for them sound, in seconds."""


@pytest.fixture
def recording(store: Store) -> Recording:
    """Nineteen seconds in which six lines are spoken."""
    return take_in(file_of(tones(*SPOKEN, seconds=19, noise=0.001)), store)


def subtitled(recording: Recording, store: Store, cues: Sequence[tuple[float, float, str]]) -> Recording:
    """Give the recording subtitles."""
    text = "\n\n".join(
        f"{number}\n{_clock(start)} --> {_clock(end)}\n{words}" for number, (start, end, words) in enumerate(cues, 1)
    )
    return replace(recording, subtitles_name="a.srt", subtitles_sha256=store.files.put(text.encode()))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"00:{int(minutes):02d}:{rest:06.3f}".replace(".", ",")


def a_book(store: Store) -> list[Utterance]:
    """Put the lines into the store, hers and another's by turns."""
    store.corpus.add(source(), passages(len(WORDS)))
    rows = [
        replace(line(place + 1, speaker="沈青" if place % 2 == 0 else "柳伯"), text=words)
        for place, words in enumerate(WORDS)
    ]
    store.utterances.replace("source-1", "rules", rows, None)
    return rows


def plan(recording: Recording, store: Store, **more: object) -> Plan:
    settings = CuttingSettings.model_validate({"recording_id": recording.id, **more})
    return planned(settings, recording, store.personas.get("a-qing"), rules=RULES, store=store)


def assert_near(clips: Sequence[PlannedClip], wanted: Sequence[tuple[float, float]], room: float = 0.25) -> None:
    assert len(clips) == len(wanted)
    for one, (start, end) in zip(clips, wanted, strict=True):
        assert start - room <= one.start <= start + 0.02, one
        assert end - 0.02 <= one.end <= end + room, one


def test_on_silences_each_stretch_of_speech_is_a_piece(recording, store):
    assert_near(plan(recording, store).clips, SPOKEN)


def test_no_piece_is_longer_than_the_maximum_and_none_overlap(recording, store):
    clips = plan(recording, store, silence={"longest": 1.0}).clips
    assert len(clips) > len(SPOKEN)
    assert max(one.end - one.start for one in clips) <= 1.0 + 1e-6
    assert all(one.end <= other.start + 1e-6 for one, other in pairwise(clips))


def test_only_the_stretch_asked_for_is_cut(recording, store):
    assert_near(plan(recording, store, start=3.5, end=9.5).clips, SPOKEN[1:3])


def test_pieces_take_the_words_of_the_subtitles_heard_in_them(recording, store):
    cues = [(start, end, words) for (start, end), words in zip(SPOKEN, WORDS, strict=True)]
    clips = plan(subtitled(recording, store, cues), store).clips
    assert [one.text for one in clips] == list(WORDS)
    assert {one.text_origin for one in clips} == {TextOrigin.SUBTITLES}


def test_only_her_lines_are_found_with_their_words_and_their_place_in_the_book(recording, store):
    rows = a_book(store)
    cues = [(start, end, words[:-3]) for (start, end), words in zip(SPOKEN, WORDS, strict=True)]
    clips = plan(subtitled(recording, store, cues), store, by="lines").clips
    assert [one.utterance_id for one in clips] == [one.id for one in rows if one.speaker == "沈青"]
    assert [one.text for one in clips] == [WORDS[place][:-3] for place in (0, 2, 4)]
    assert_near(clips, SPOKEN[::2])


def test_subtitles_that_come_too_early_are_moved_to_fit_the_sound(store):
    rng = np.random.default_rng(3)
    starts = np.cumsum(rng.uniform(1.5, 4, 20)).round(2)
    spoken = [(float(at), float(at) + 1.0) for at in starts]
    recording = take_in(file_of(tones(*spoken, seconds=90, noise=0.001)), store)
    with_words = subtitled(recording, store, [(a - 1.2, b - 1.2, f"第{n}句话") for n, (a, b) in enumerate(spoken)])
    found = plan(with_words, store, by="subtitles")
    assert found.shift is not None
    assert found.shift.sure
    assert found.shift.seconds == pytest.approx(1.2, abs=0.1)
    assert_near(found.clips, spoken)

    by_hand = plan(with_words, store, by="subtitles", clock_shift=0.0)
    assert by_hand.shift is not None
    assert by_hand.shift.seconds == 0


def test_without_subtitles_her_lines_cannot_be_looked_for(recording, store):
    a_book(store)
    with pytest.raises(MissingArtifactError, match="has no subtitles"):
        plan(recording, store, by="lines")


def test_without_lines_of_hers_there_is_nothing_to_look_for(recording, store):
    with pytest.raises(MissingArtifactError, match="no lines of 沈青"):
        plan(subtitled(recording, store, [(1, 3, WORDS[0])]), store, by="lines")


def test_a_run_cuts_what_was_planned_and_measures_it(recording, store):
    settings = CuttingSettings.model_validate({"recording_id": recording.id, "effects": {"normalise": True}})
    result = run(settings, context=begun(store, "voice_dataset"), store=store)
    clips = list(store.clips.iterate(ClipFilter("a-qing")))

    assert result["clips"] == len(clips) == len(SPOKEN)
    assert [(one.start, one.end) for one in clips] == [(one.start, one.end) for one in plan(recording, store).clips]
    for one in clips:
        assert one.status is ReviewStatus.PENDING
        assert one.measures is not None
        assert one.measures.loudness == pytest.approx(-23, abs=0.5)
        assert "no_words" in one.complaints
        sound = soundfile.info(store.files.path(one.sha256))
        assert (sound.samplerate, sound.channels, sound.subtype) == (32_000, 1, "PCM_16")
        assert sound.duration == pytest.approx(one.seconds, abs=1e-4)


def test_cutting_again_makes_nothing_twice_and_is_taken_back_as_one(recording, store):
    settings = CuttingSettings(recording_id=recording.id)
    run(settings, context=begun(store, "voice_dataset"), store=store)
    again = run(settings, context=begun(store, "voice_dataset", run_id="run-0000000002"), store=store)
    assert (again["clips"], again["there_already"]) == (0, len(SPOKEN))

    store.clips.undo("test", "a-qing")
    assert store.clips.count(ClipFilter("a-qing")) == 0


def test_a_run_that_is_gone_on_with_makes_the_same_clips_once(recording, store):
    settings = CuttingSettings(recording_id=recording.id)
    run(settings, context=begun(store, "voice_dataset"), store=store)
    first = list(store.clips.iterate(ClipFilter("a-qing")))
    run(settings, context=begun(store, "voice_dataset"), store=store)
    assert list(store.clips.iterate(ClipFilter("a-qing"))) == first


def test_what_happens_between_a_crash_and_going_on_puts_no_sound_under_the_wrong_words(recording, store):
    settings = CuttingSettings.model_validate({"recording_id": recording.id, "silence": {"longest": 1.0}})
    wanted = plan(recording, store, silence={"longest": 1.0}).clips
    memory = Memory(break_at="render-0")
    with pytest.raises(BrokenOffError):
        run(settings, context=remembering(store, "voice_dataset", memory), store=store)
    first = wanted[0]
    make_clip(recording, first.start, first.end, text="手剪的", speaker="沈青", settings=RULES, store=store)
    memory.break_at = ""
    result = run(settings, context=remembering(store, "voice_dataset", memory), store=store)

    cut = [one for one in store.clips.iterate(ClipFilter("a-qing")) if one.run_id]
    assert result["clips"] == len(cut) == len(wanted)
    for one in cut:
        again = rendered(recording, one.start, one.end, effects=(), settings=RULES, store=store)
        assert store.files.read(one.sha256) == again.wav


def test_a_run_over_silence_cuts_nothing_and_succeeds(store):
    recording = take_in(file_of(np.zeros(32_000, np.float32)), store)
    result = run(CuttingSettings(recording_id=recording.id), context=begun(store, "voice_dataset"), store=store)
    assert result["clips"] == 0
