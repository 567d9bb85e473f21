"""The labels of a play show who is in it."""

from __future__ import annotations

import pytest

from core.stages.corpus.chapters import split_passages
from core.stages.dialogues.play_cast import can_be_name, find_roster
from core.stages.dialogues.play_labels import heads


@pytest.mark.parametrize(
    "label",
    ["沈青", "路人甲", "众旅客", "穿雨衣的女人", "电话里的声音", "玛莎·韦尔", "阿May", "Mary", "OLD KEEPER", "警察2"],
)
def test_names_and_roles_can_speak(label):
    assert can_be_name(label)


@pytest.mark.parametrize("label", ["", "12", "镜头", "墙上写着", "她看了看表", "票面上", "甲、乙", "the lamp turns"])
def test_phrases_and_notes_cannot(label):
    assert not can_be_name(label)


def test_a_rare_character_is_believed_in_a_label_that_comes_again():
    assert not can_be_name("来福")
    assert can_be_name("来福", often=True)


def test_a_name_with_a_cue_is_no_new_person():
    roster = find_roster(split_passages("沈青：好。\n沈青笑道：好。\n沈青对陆远：好。\n陆远：好。", "src"), {})

    assert sorted(roster.seen) == ["沈青", "陆远"]


def test_an_alias_of_the_cast_gives_the_canonical_name():
    roster = find_roster([], {"沈青": ["青儿"]})

    voice = roster.voice(next(heads("青儿（唱）：好。")))

    assert voice is not None
    assert (voice.speaker, voice.kind.value, voice.confidence, voice.reason) == ("沈青", "recite", 0.98, "label:青儿")
