"""Clips are judged side by side: rules object, strangers stand out, doubles are told; it decides nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.text import ReviewStatus
from core.stages.voice_dataset.clips import make_clip
from core.stages.voice_dataset.complaints import Complaints
from core.stages.voice_dataset.judging import judge, objections
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.store import Store
from core.store.clips import ClipFilter
from tests.unit.stages.voice_dataset.sounds import file_of, take_in, tones

RULES = VoiceDatasetSettings()


@pytest.fixture
def cut(store: Store) -> Store:
    """Nine clips of a tone, of which one is a copy of another and one has no words."""
    spoken = [(1 + 2 * place, 2.2 + 2 * place) for place in range(8)]
    recording = take_in(file_of(tones(*spoken, seconds=18, noise=0.003)), store)
    for place, (start, end) in enumerate([*spoken, spoken[3]]):
        text = "" if place == 5 else f"第{place}句话"
        make_clip(recording, start - 0.2, end + 0.2, text=text, speaker="沈青", settings=RULES, store=store)
    return store


def found(store: Store) -> list[tuple[str, ...]]:
    return [one.complaints for one in store.clips.iterate(ClipFilter("a-qing"))]


def test_rules_object_and_nothing_is_decided(cut):
    assert judge("a-qing", settings=RULES, store=cut) >= 2
    clips = list(cut.clips.iterate(ClipFilter("a-qing")))
    assert sum("no_words" in one.complaints for one in clips) == 1
    assert sum("doubled" in one.complaints for one in clips) == 1
    assert {one.revision for one in clips} == {0}
    assert all(one.oddness is not None for one in clips)


def test_judged_again_all_is_the_same(cut):
    judge("a-qing", settings=RULES, store=cut)
    before = list(cut.clips.iterate(ClipFilter("a-qing")))
    judge("a-qing", settings=RULES, store=cut)
    assert list(cut.clips.iterate(ClipFilter("a-qing"))) == before


def test_stricter_rules_object_to_more(cut):
    strict = RULES.model_copy(update={"complaints": Complaints(shortest=10)})
    assert judge("a-qing", settings=strict, store=cut) == 9
    assert all("too_short" in names for names in found(cut))


def test_a_rejected_clip_is_compared_with_none(cut):
    copies = [one for one in cut.clips.iterate(ClipFilter("a-qing")) if one.text in ("第3句话", "第8句话")]
    cut.clips.edit_these({copies[0].id: 0}, who="anna", status=ReviewStatus.REJECTED)
    judge("a-qing", settings=RULES, store=cut)
    assert not any("doubled" in names for names in found(cut))


def test_a_clip_changed_alone_is_judged_without_forgetting_that_it_is_double(cut):
    clip = next(iter(cut.clips.iterate(ClipFilter("a-qing"))))
    assert objections(replace(clip, complaints=("doubled", "no_words")), RULES) == ("doubled",)
    assert "no_words" in objections(replace(clip, text=""), RULES)
