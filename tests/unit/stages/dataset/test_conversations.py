"""Conversations stay within their scene, and every reply of hers is a target once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.text import Turn, TurnRole, UtteranceKind
from core.stages.dataset.conversations import (
    Cutting,
    conversations,
    normal_form,
    scenes,
    usable,
    without_duplicates,
    without_overlaps,
)
from tests.unit.stages.dataset.makers import line

CUTTING = Cutting(scene_gap=3, max_exchanges=2, max_heard_lines=2, min_reply_characters=2)
SPEAKERS = st.sampled_from(["沈青", "陆远", "苏婉", "沈青、陆远"])


def cut(*said: tuple[str, str], cutting: Cutting = CUTTING) -> list[list[tuple[str, str]]]:
    """Return the conversations of one scene as (speaker, text)."""
    scene = [line(speaker, text, n) for n, (speaker, text) in enumerate(said)]
    return [[(turn.speaker, turn.text) for turn in turns] for turns in conversations(scene, "沈青", cutting)]


def test_a_scene_ends_with_the_chapter_the_source_and_a_long_silence():
    lines = [
        line("陆远", "一", 0),
        line("沈青", "二", 3),
        line("陆远", "三", 7),
        line("沈青", "四", 8, chapter=2),
        line("沈青", "五", 9, chapter=2, source_id="src-2"),
    ]

    assert [[one.text for one in scene] for scene in scenes(lines, 3)] == [["一", "二"], ["三"], ["四"], ["五"]]


def test_neighbouring_lines_of_one_side_are_one_turn():
    said = cut(("陆远", "冷么？"), ("苏婉", "下雨了。"), ("沈青", "不冷，"), ("沈青", "我喜欢雨"), ("沈青", "真的。"))

    assert said == [[("陆远、苏婉", "冷么？\n下雨了。"), ("沈青", "不冷，我喜欢雨，真的。")]]


def test_of_a_long_talk_of_others_only_the_end_is_heard():
    assert cut(("陆远", "一。"), ("苏婉", "二。"), ("陆远", "三。"), ("沈青", "我听见了。")) == [
        [("苏婉、陆远", "二。\n三。"), ("沈青", "我听见了。")]
    ]


def test_a_reply_needs_words_before_it_and_enough_of_its_own():
    assert cut(("沈青", "谁在外头？"), ("陆远", "我。"), ("沈青", "哦。")) == []


def test_a_long_scene_becomes_several_conversations():
    said = cut(*[(("陆远", f"问{n}？"), ("沈青", f"答{n}。"))[side] for n in range(5) for side in (0, 1)])

    assert [len(turns) // 2 for turns in said] == [2, 2, 1]


def test_what_she_says_in_chorus_is_neither_side():
    assert cut(("陆远", "走么？"), ("沈青、苏婉", "走！"), ("沈青", "你先走。")) == [
        [("陆远", "走么？"), ("沈青", "你先走。")]
    ]


@settings(deadline=None)
@given(st.lists(st.tuples(SPEAKERS, st.text("甲乙。，", min_size=1, max_size=5))), st.integers(1, 4))
def test_turns_always_alternate_and_end_with_hers(said, window):
    scene = [line(speaker, text, n) for n, (speaker, text) in enumerate(said)]
    cutting = Cutting(scene_gap=3, max_exchanges=window, max_heard_lines=3, min_reply_characters=1)

    found = list(conversations(scene, "沈青", cutting))

    for turns in found:
        assert [turn.role for turn in turns] == [TurnRole.COUNTERPART, TurnRole.PERSONA] * (len(turns) // 2)
        assert 2 <= len(turns) <= 2 * window
        assert all(turn.utterance_ids for turn in turns)
    used = [one for turns in found for turn in turns for one in turn.utterance_ids]
    assert len(used) == len(set(used))


def exchange(heard: str, reply: str) -> tuple[Turn, ...]:
    """Return one exchange."""
    return Turn(TurnRole.COUNTERPART, "陆远", heard), Turn(TurnRole.PERSONA, "沈青", reply)


def test_the_same_exchange_is_kept_once_whatever_its_punctuation():
    seen: set[tuple[str, str]] = set()

    first = without_duplicates(exchange("冷么？", "不冷。"), seen)
    second = without_duplicates(exchange("冷么!", "“不冷” ") + exchange("冷么？", "冷。"), seen)

    assert first == exchange("冷么？", "不冷。")
    assert second == exchange("冷么？", "冷。")
    assert normal_form("Ａ，b。 ") == "ab"


def test_only_what_is_said_is_used_and_thoughts_on_request():
    kinds = {kind: usable(line("沈青", "好。", kind=kind), with_thoughts=False) for kind in UtteranceKind}

    assert {kind for kind, used in kinds.items() if used} == {UtteranceKind.SPEECH, UtteranceKind.RECITATION}
    assert usable(line("沈青", "好。", kind=UtteranceKind.THOUGHT), with_thoughts=True)


def test_words_that_two_extractors_found_are_used_once():
    found = [
        line("沈青", "好雨。", 0),
        line("沈青", "好雨。", 0, extractor="kor", start=1),
        line("陆远", "是。", 0, start=9, end=13),
        line("陆远", "是。", 1),
    ]

    assert [(one.extractor, one.ordinal, one.start) for one in without_overlaps(found)] == [
        ("rules", 0, 0),
        ("rules", 0, 9),
        ("rules", 1, 0),
    ]
