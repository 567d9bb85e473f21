from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.domain.pace import pace_of, syllables
from core.domain.text import ReviewStatus
from core.stages.voice_dataset.complaints import RULES, Complaints, all_complaints, complaints_of
from core.stages.voice_dataset.doubles import doubles
from tests.unit.stages.voice_dataset.sets import clip, measures

USUAL = Complaints()


def names(one, settings=USUAL):
    return [complaint.name for complaint in complaints_of(one, settings)]


def test_a_good_clip_has_nothing_against_it():
    assert names(clip()) == []


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("no_words", {"text": " ……！"}),
        ("too_short", {"seconds": 0.5, "text": "嗯。"}),
        ("too_long", {"seconds": 15.5, "text": "窗外的雨下了一夜，也不见停。" * 4}),
        ("clipped", {"measures": measures(clipped=9)}),
        ("noisy", {"measures": measures(snr_db=14.9)}),
        ("quiet", {"measures": measures(loudness=-45)}),
        ("quiet", {"measures": measures(loudness=None, peak_db=-50)}),
        ("music", {"measures": measures(musical=0.6)}),
        ("other_speaker", {"oddness": 3.1}),
        ("words_do_not_fit", {"text": "嗯。"}),
        ("words_do_not_fit", {"text": "窗外的雨下了一夜，也不见停。" * 4}),
        ("unsure", {"confidence": 0.59}),
    ],
)
def test_each_rule_objects_to_its_own_fault_and_no_other_does(rule, changes):
    assert names(clip(**changes)) == [rule]


@pytest.mark.parametrize(
    "changes",
    [
        {"measures": measures(clipped=8)},
        {"measures": measures(snr_db=15)},
        {"measures": measures(loudness=-38)},
        {"measures": measures(loudness=None)},
        {"measures": measures(musical=0.59)},
        {"oddness": 3.0},
        {"confidence": 0.6},
        {"seconds": 0.8, "text": "嗯，好。"},
    ],
)
def test_the_threshold_itself_is_still_good(changes):
    assert names(clip(**changes)) == []


def test_what_was_not_measured_is_not_objected_to():
    unknown = measures(snr_db=None)

    assert names(clip(measures=None, oddness=None, confidence=None)) == []
    assert names(clip(measures=unknown)) == []


def test_every_complaint_says_why_with_its_values_and_what_to_do():
    bad = clip(
        text="",
        seconds=0.1,
        measures=measures(clipped=120, snr_db=3.4, loudness=-50, musical=0.9),
        oddness=5.25,
        confidence=0.2,
    )
    told = {one.name: str(one) for one in complaints_of(bad, USUAL, double_of="clip-0009")}

    assert told["clipped"].startswith("120 samples")
    assert "3 dB above" in told["noisy"]
    assert "5.2 spreads" in told["other_speaker"]
    assert "20%" in told["unsure"]
    assert "clip-0009" in told["doubled"]
    assert list(told) == [name for name in RULES if name not in ("too_long", "words_do_not_fit")]
    assert all(one.remedy for one in complaints_of(bad, USUAL))


def test_thresholds_are_settings_and_unknown_ones_are_refused():
    assert names(clip(), Complaints(longest=3.9)) == ["too_long"]
    with pytest.raises(ValidationError):
        Complaints.model_validate({"longset": 4})


def test_pauses_do_not_count_as_slow_speech():
    slow = clip(text="你来了。", seconds=4)
    paused = clip(text="你来了。", seconds=4, measures=measures(voiced=0.2))

    assert names(slow) == ["words_do_not_fit"]
    assert names(paused) == []
    assert pace_of(paused) == pytest.approx(3 / 0.8)


@pytest.mark.parametrize(
    ("text", "count"),
    [("你来了？", 3), ("", 0), ("……", 0), ("OK，好", 2), ("banana", 3), ("おはよう", 4), ("안녕", 2), ("共12两", 4)],
)
def test_syllables_are_counted_in_the_scripts_voices_speak(text, count):
    assert syllables(text) == count


def test_of_two_clips_of_the_same_stretch_only_the_lesser_is_double():
    accepted = clip(1, start=10, end=14)
    longer = clip(2, start=9, end=15, status=ReviewStatus.PENDING)

    found = all_complaints([longer, accepted], USUAL)

    assert [one.name for one in found[longer.id]] == ["doubled"]
    assert found[longer.id][0].values == {"other": accepted.id}
    assert found[accepted.id] == ()


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"confidence": 0.2, "text": "好"}, {"text": ""}),
        ({"confidence": 0.9}, {"confidence": 0.8}),
        ({"confidence": None}, {"confidence": 0.8}),
        ({"end": 14.5}, {"end": 14.0}),
    ],
)
def test_the_clip_with_words_or_surer_or_longer_stays(better, worse):
    stays = clip(9, **{"start": 10, "end": 14, **better})
    goes = clip(1, **{"start": 10, "end": 14, **worse})

    assert doubles([goes, stays]) == {goes.id: stays.id}


def test_clips_of_other_recordings_or_beside_each_other_or_rejected_are_not_double():
    first = clip(1, start=10, end=14)
    beside = clip(2, start=12.1, end=16.1)
    elsewhere = clip(3, start=10, end=14, recording_id="rec-2")
    rejected = clip(4, start=10, end=14, status=ReviewStatus.REJECTED)

    assert doubles([first, beside, elsewhere, rejected]) == {}


def test_a_short_clip_within_a_long_one_is_double_however_many_lie_between():
    long = clip(1, start=0, end=60)
    inside = [clip(number, start=2 * number, end=2 * number + 1) for number in range(2, 29)]

    assert doubles([*inside, long]) == {one.id: long.id for one in inside}


def test_a_chain_of_overlaps_keeps_every_second_clip():
    chain = [clip(number, start=number, end=number + 2.2) for number in range(6)]

    assert doubles(chain, overlap=0.5) == {"clip-0001": "clip-0000", "clip-0003": "clip-0002", "clip-0005": "clip-0004"}
