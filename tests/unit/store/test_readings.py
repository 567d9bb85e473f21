"""Which of several readings stands, and when they contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.text import UtteranceKind
from core.store.readings import MOST_CERTAIN, disputed, standing


def opinion(extractor: str, speaker: str | None, sure: float, kind: UtteranceKind = UtteranceKind.SPEECH) -> Any:
    return {
        "extractor": extractor,
        "speaker": speaker,
        "confidence": sure,
        "kind": kind,
        "end": 9,
        "runs_on": 0,
        "text": extractor,
        "reason": "cue",
        "run_id": None,
    }


def test_the_surest_stands_and_a_tie_goes_by_name():
    assert standing([opinion("rules", "沈青", 0.6), opinion("kor", "陆远", 0.7)])["speaker"] == "陆远"
    assert standing([opinion("rules", "沈青", 0.7), opinion("kor", "陆远", 0.7)])["text"] == "kor"


def test_agreement_raises_confidence_but_never_to_certainty():
    agreed = standing([opinion("rules", "沈青", 0.5), opinion("kor", "沈青", 0.6)])
    sure = standing([opinion("rules", "沈青", 0.95), opinion("kor", "沈青", 0.95)])
    surer = standing([opinion("rules", "沈青", 0.995), opinion("kor", "沈青", 0.2)])

    assert agreed["confidence"] == pytest.approx(0.8)
    assert sure["confidence"] == MOST_CERTAIN
    assert surer["confidence"] == 0.995


def test_only_those_who_agree_in_speaker_and_kind_make_it_surer():
    mixed = [opinion("a", "沈青", 0.9), opinion("b", "陆远", 0.8), opinion("c", "沈青", 0.5, UtteranceKind.THOUGHT)]

    assert standing(mixed)["confidence"] == 0.9


def test_other_speakers_and_what_is_not_said_are_disputes():
    assert disputed([opinion("a", "沈青", 0.9), opinion("b", "陆远", 0.8)])
    assert disputed([opinion("a", None, 0.9, UtteranceKind.NONSPEECH), opinion("b", "陆远", 0.8)])


def test_naming_nobody_contradicts_no_one_and_neither_do_kinds_of_speech():
    assert not disputed([opinion("a", None, 0.9), opinion("b", "陆远", 0.8)])
    assert not disputed([opinion("a", "陆远", 0.9, UtteranceKind.FRAGMENT), opinion("b", "陆远", 0.8)])
