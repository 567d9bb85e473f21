from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from core.domain.text import ReviewStatus
from core.domain.voice import Reference
from core.errors import InvalidInputError, MissingArtifactError, NotFoundError
from core.stages.voice_dataset.clip_sets import choose
from core.stages.voice_dataset.freezing import ClipSetSettings, run
from core.store import Store
from core.store.clips import ClipFilter
from tests.unit.stages.runs import begun
from tests.unit.stages.voice_dataset.sets import clip, filled, measures, recording, stored_clip

Frozen = Callable[..., dict[str, Any]]
USUAL = ClipSetSettings()
RECORDINGS = {"rec-1": recording(), "rec-2": recording("第二集.wav", id="rec-2", sha256="s" * 64)}


@pytest.fixture
def frozen(store: Store) -> Frozen:
    """Freeze a set with these settings, as the next run."""
    numbers = iter(range(1, 100))

    def made(**settings: Any) -> dict[str, Any]:
        context = begun(store, "clip_set", run_id=f"run-{next(numbers):010d}")
        return run(ClipSetSettings(**settings), context=context, store=store)

    return made


def left_out(clips, **settings):
    return dict(choose(clips, RECORDINGS, ClipSetSettings(**settings)).left_out)


def test_a_set_holds_each_accepted_clip_as_it_is_now(store, frozen):
    clips = [stored_clip(store, number, utterance_id=f"src-1.0.{number}") for number in range(3)]
    filled(store, [*clips, stored_clip(store, 3, status=ReviewStatus.PENDING)])

    result = frozen(note="第一次")
    clip_set, members = store.clip_sets.get(result["clip_set_id"]), store.clip_sets.clips(result["clip_set_id"])

    assert result == {
        "clip_set_id": clip_set.id,
        "name": "c1",
        "clips": 3,
        "seconds": 12.0,
        "left_out": {"not_accepted": 1},
    }
    assert (clip_set.note, clip_set.run_id, clip_set.persona_id) == ("第一次", "run-0000000001", "a-qing")
    assert [one.ordinal for one in members] == [0, 1, 2]
    assert [(one.clip_id, one.sha256, one.text, one.utterance_id) for one in members] == [
        (one.id, one.sha256, one.text, one.utterance_id) for one in clips
    ]
    assert {one.recording_sha256 for one in members} == {"r" * 64}


def test_a_later_edit_changes_the_next_set_and_never_this_one(store, frozen):
    filled(store, [stored_clip(store)])
    first = frozen()
    before = store.clip_sets.clips(first["clip_set_id"])

    store.clips.edit("clip-0000", 0, who="me", text="窗外的雪下了一夜，也不见停。")
    second = frozen()

    assert store.clip_sets.clips(first["clip_set_id"]) == before
    prints = [store.clip_sets.get(one["clip_set_id"]).fingerprint for one in (first, second)]
    assert prints[0] != prints[1]
    assert second["name"] == "c2"


def test_the_same_clips_give_the_same_fingerprint_whenever_they_were_imported(store, frozen, tmp_path):
    filled(store, [stored_clip(store, number) for number in range(3)])
    first = frozen()
    other = Store(f"sqlite:///{tmp_path / 'other.db'}", tmp_path)
    try:
        other.personas.put(store.personas.get("a-qing"))
        again = [
            stored_clip(other, number, id=f"clip-x{9 - number}", recording_id="rec-9") for number in reversed(range(3))
        ]
        filled(other, again, recording(id="rec-9"))
        result = run(USUAL, context=begun(other, "clip_set"), store=other)
        second = other.clip_sets.get(result["clip_set_id"])
    finally:
        other.close()

    assert second.fingerprint == store.clip_sets.get(first["clip_set_id"]).fingerprint


@pytest.mark.parametrize(
    "settings", [{"speaker": "青"}, {"language": "yue"}, {"max_seconds": 4.5}], ids=["speaker", "language", "fewer"]
)
def test_whatever_a_trainer_sees_is_in_the_fingerprint(store, frozen, settings):
    filled(store, [stored_clip(store), stored_clip(store, 1, seconds=5)])

    made = [frozen(), frozen(**settings)]
    prints = {store.clip_sets.get(one["clip_set_id"]).fingerprint for one in made}

    assert len(prints) == 2


def test_names_notes_and_reference_marks_are_not_in_the_fingerprint(store, frozen):
    filled(store, [stored_clip(store)])

    made = [frozen(), frozen(name="another", note="why", references=0)]
    prints = {store.clip_sets.get(one["clip_set_id"]).fingerprint for one in made}

    assert len(prints) == 1


def test_clips_stand_by_recording_and_place_whatever_their_order():
    later = clip(1, recording_id="rec-2", start=1, end=5)
    clips = [clip(3), later, clip(2)]

    ids = [one.id for one in choose(clips, RECORDINGS, USUAL).clips]

    assert ids == ["clip-0002", "clip-0003", "clip-0001"]
    assert [one.id for one in choose(clips[::-1], RECORDINGS, USUAL).clips] == ids


@pytest.mark.parametrize(
    ("changes", "settings", "why"),
    [
        ({"status": ReviewStatus.REJECTED}, {"accepted_only": False}, "rejected"),
        ({"status": ReviewStatus.PENDING}, {}, "not_accepted"),
        ({"speaker": "陆远"}, {"speakers": ("沈青",)}, "other_speakers"),
        ({"text": "……"}, {}, "no_words"),
        ({"seconds": 0.5}, {}, "too_short"),
        ({"seconds": 60}, {}, "too_long"),
        ({"status": ReviewStatus.PENDING, "complaints": ("noisy",)}, {"accepted_only": False}, "noisy"),
        ({"sha256": f"{0:064x}"}, {}, "repeated"),
    ],
)
def test_what_is_left_out_is_counted_by_its_reason(changes, settings, why):
    assert left_out([clip(0), clip(1, **changes)], **settings) == {why: 1}


def test_a_person_who_accepted_a_clip_overrules_the_rules():
    assert left_out([clip(complaints=("noisy", "other_speaker"))]) == {}


def test_the_rules_that_count_are_a_setting_and_unknown_ones_are_refused():
    doubtful = clip(complaints=("noisy",), status=ReviewStatus.PENDING)

    assert left_out([doubtful], accepted_only=False, without=("music",)) == {}
    with pytest.raises(ValidationError):
        ClipSetSettings(without=("nosy",))


def test_one_sound_with_two_texts_is_refused_by_name():
    with pytest.raises(InvalidInputError, match=r"clip-0000.*clip-0001"):
        choose([clip(0), clip(1, sha256=f"{0:064x}", text="雨停了。")], RECORDINGS, USUAL)


def test_an_empty_set_is_refused_with_what_was_left_out_and_a_remedy(store, frozen):
    filled(store, [stored_clip(store, status=ReviewStatus.PENDING)])

    with pytest.raises(MissingArtifactError) as refused:
        frozen()

    assert "not_accepted 1" in str(refused.value)
    assert "Accept clips first" in str(refused.value)
    assert store.clip_sets.sets("a-qing") == []


@pytest.mark.parametrize("text", ["好|不好", "一行\n两行", "一行\u2028两行", "一行\r两行", "一\t二"])
def test_words_no_list_can_hold_are_refused_with_the_clip_named(store, frozen, text):
    filled(store, [stored_clip(store), stored_clip(store, 1, text=text)])

    with pytest.raises(InvalidInputError, match="clip-0001"):
        frozen()

    assert store.clip_sets.sets("a-qing") == []


@pytest.mark.parametrize("speaker", ["沈|青", "沈\n青"])
def test_a_speaker_no_list_can_hold_is_refused(speaker):
    with pytest.raises(ValidationError):
        ClipSetSettings(speaker=speaker)


def test_a_speaker_written_for_all_mends_a_name_no_list_can_hold(store, frozen):
    filled(store, [stored_clip(store, speaker="沈|青")])

    result = frozen(speaker="沈青")

    assert store.clip_sets.clips(result["clip_set_id"])[0].speaker == "沈青"


def test_a_clip_without_its_sound_is_refused_by_name(store, frozen):
    filled(store, [clip(7)])

    with pytest.raises(NotFoundError, match="clip-0007"):
        frozen()


def test_only_the_recordings_asked_for_are_used(store, frozen):
    clips = [stored_clip(store), stored_clip(store, 1, recording_id="rec-2")]
    filled(store, clips, *RECORDINGS.values())

    result = frozen(recording_ids=("rec-2",))

    assert [one.clip_id for one in store.clip_sets.clips(result["clip_set_id"])] == ["clip-0001"]
    with pytest.raises(NotFoundError):
        frozen(recording_ids=("rec-x",))


def test_the_best_clips_are_marked_as_references_and_all_a_curator_chose(store, frozen):
    chosen = [stored_clip(store, number, reference=Reference.CHOSEN) for number in (0, 1)]
    noisier = stored_clip(store, 2, measures=measures(snr_db=22))
    filled(store, [*chosen, noisier, stored_clip(store, 3)])

    def marked(count):
        members = store.clip_sets.clips(frozen(references=count)["clip_set_id"])
        return [one.clip_id for one in members if one.reference]

    assert marked(3) == ["clip-0000", "clip-0001", "clip-0003"]
    assert marked(0) == ["clip-0000", "clip-0001"]


def test_the_statistics_tell_what_is_in_the_set(store, frozen):
    clips = [stored_clip(store), stored_clip(store, 1, seconds=5.5, recording_id="rec-2", text="雨停了，雨停了。")]
    filled(store, clips, *RECORDINGS.values())

    told = store.clip_sets.get(frozen()["clip_set_id"]).statistics

    assert told["by_recording"] == [
        {"id": "rec-1", "name": "第一集.wav", "clips": 1, "seconds": 4.0},
        {"id": "rec-2", "name": "第二集.wav", "clips": 1, "seconds": 5.5},
    ]
    assert told["lengths"] == {"4": 1, "5": 1}
    assert told["snr"] == {"measured": 2, "least": 32, "median": 32, "most": 32}
    assert told["characters"] == {"total": 18, "distinct": 12}
    assert told["accepted"] == 2
    assert [one["reasons"][0]["values"]["seconds"] for one in told["references"]] == [5.5, 4.0]


def test_a_run_that_was_interrupted_after_it_had_stored_the_set_stores_no_second_one(store):
    filled(store, [stored_clip(store)])
    context = begun(store, "clip_set")
    known: dict[str, Any] = {}
    context._durable = lambda name, step: known.setdefault(name, step())  # as the queue remembers steps

    first, second = (run(USUAL, context=context, store=store) for _ in range(2))

    assert first == second
    assert len(store.clip_sets.sets("a-qing")) == 1


def test_a_thousand_clips_are_read_page_by_page_and_frozen_whole(store, frozen):
    sound = store.files.put(b"RIFF")
    clips = [clip(number, sha256=sound, start=number, end=number + 4) for number in range(1100)]
    filled(store, clips)

    result = frozen()

    assert (result["clips"], result["left_out"]) == (1, {"repeated": 1099})
    assert store.clips.count(ClipFilter("a-qing")) == 1100
