from __future__ import annotations

import pytest

from core.domain.text import ReviewStatus
from core.domain.voice import Reference, TextOrigin
from core.stages.voice_dataset.references import ReferenceSettings, reference_candidates
from tests.unit.stages.voice_dataset.sets import clip, measures

USUAL = ReferenceSettings()


def ids(clips):
    return [one.clip.id for one in reference_candidates(clips, USUAL)]


def test_a_good_clip_is_a_candidate_with_its_reasons_in_words():
    (found,) = reference_candidates([clip()], USUAL)

    assert 0.8 < found.score <= 1
    assert [str(reason) for reason in found.reasons] == [
        "4.0 s long",
        "the voice is 32 dB above the noise",
        "-20.0 LUFS loud, where -20.0 is usual",
        "3.3 syllables a second, where 3.3 are usual",
        "the voice is 0.5 spreads away from her others",
        "the words were checked by a person",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": 2.9},
        {"seconds": 10.1},
        {"text": "……"},
        {"confidence": 0.7, "status": ReviewStatus.PENDING},
        {"measures": None},
        {"measures": measures(snr_db=19)},
        {"measures": measures(snr_db=None)},
        {"measures": measures(clipped=1)},
        {"measures": measures(musical=0.5)},
        {"oddness": 2.5},
        {"status": ReviewStatus.REJECTED},
        {"reference": Reference.EXCLUDED},
    ],
)
def test_what_is_not_clean_sure_and_usual_is_no_candidate(changes):
    assert ids([clip(0), clip(1, **changes)]) == ["clip-0000"]


@pytest.mark.parametrize(
    "changes",
    [
        {"measures": measures(snr_db=24)},
        {"measures": measures(loudness=-12)},
        {"measures": measures(voiced=0.5)},
        {"oddness": 1.8},
        {"seconds": 9.9, "text": "窗外的雨下了一夜，也不见停。" * 2 + "窗外的雨下了一"},
        {"status": ReviewStatus.PENDING, "confidence": 0.8},
    ],
    ids=["noisier", "louder", "faster", "odder", "longer", "less sure"],
)
def test_the_middle_of_the_speaker_comes_first(changes):
    assert ids([clip(1, **changes), clip(2), clip(3)]) == ["clip-0002", "clip-0003", "clip-0001"]


def test_the_middle_is_each_speakers_own():
    loud = [clip(number, speaker="陆远", measures=measures(loudness=-10)) for number in (5, 6)]

    scores = {one.clip.id: one.score for one in reference_candidates([*loud, clip(1), clip(2)], USUAL)}

    assert len(set(scores.values())) == 1


def test_what_a_curator_chose_comes_first_even_where_no_rule_would():
    chosen = clip(9, reference=Reference.CHOSEN, seconds=12, measures=None, oddness=None, confidence=None)

    found = reference_candidates([clip(1), chosen], USUAL)

    assert [one.clip.id for one in found] == ["clip-0009", "clip-0001"]
    assert "3 to 10 s only" in str(found[0].reasons[1])
    assert found[0].score < found[1].score


def test_words_a_person_wrote_are_told_from_words_nobody_checked():
    told = {
        one.clip.id: str(one.reasons[-1])
        for one in reference_candidates(
            [
                clip(1, status=ReviewStatus.PENDING, text_origin=TextOrigin.HAND, confidence=None),
                clip(2, status=ReviewStatus.PENDING, confidence=None),
                clip(3, status=ReviewStatus.PENDING),
            ],
            USUAL,
        )
    }

    assert told == {
        "clip-0001": "the words were checked by a person",
        "clip-0002": "nobody has checked the words yet",
        "clip-0003": "the words are 95% sure",
    }
