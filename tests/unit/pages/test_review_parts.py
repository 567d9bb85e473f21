"""The parts of the review page that need no browser."""

from __future__ import annotations

from core.domain.text import Reading, Utterance, UtteranceKind
from pages.ui.cut_places import cut_places, cut_shown
from pages.ui.likely_speakers import MOST, likely_speakers


def line(ordinal=5, start=3, speaker=None):
    return Utterance("src", ordinal, 1, 0, start, start + 4, "…", UtteranceKind.SPEECH, speaker, "rules", 0.5, "cue")


def reading(speaker, confidence):
    return Reading("src.5.3", "kor", 7, 0, "…", UtteranceKind.SPEECH, speaker, confidence, "answer")


def test_a_line_may_be_cut_after_its_stops():
    text = "竹子醒了。雨停了！走罢。"

    assert [text[at:] for at in cut_places(text)] == ["雨停了！走罢。", "走罢。"]


def test_a_line_of_one_sentence_may_be_cut_at_its_pauses():
    text = "竹子醒了，雨停了"

    assert [text[at:] for at in cut_places(text)] == ["雨停了"]


def test_a_stop_takes_its_closing_marks_along():
    text = "‘来了！’他说。好"

    assert [text[:at] for at in cut_places(text)] == ["‘来了！’", "‘来了！’他说。"]


def test_a_line_is_never_cut_into_nothing():
    assert cut_places("好。") == []
    assert cut_places("……") == []
    assert cut_places("") == []


def test_of_many_places_those_near_the_middle_are_offered():
    text = "甲。" * 30
    places = cut_places(text, most=4)

    assert len(places) == 4
    assert all(24 <= at <= 36 for at in places)


def test_a_cut_is_shown_with_the_words_on_both_sides():
    assert cut_shown("一二三四五六七八九十。甲乙丙丁戊己庚辛壬癸", 11) == "…三四五六七八九十。 ┃ 甲乙丙丁戊己庚辛壬…"


def test_the_likeliest_speaker_is_the_line_s_own_then_the_surest_reading_s_then_the_nearest():
    around = [line(ordinal=3, speaker="远"), line(ordinal=5, start=9, speaker="近")]
    found = likely_speakers(line(speaker="己"), [reading("疑", 0.4), reading("信", 0.9)], around, persona="她")

    assert found == ["己", "信", "疑", "近", "远", "她"]


def test_everybody_is_offered_once_and_no_more_than_there_are_keys():
    around = [line(ordinal=number, speaker=f"人{number % 12}") for number in range(40)]
    found = likely_speakers(line(), [], around, persona="她")

    assert len(found) == len(set(found)) == MOST
    assert found[-1] == "她"
