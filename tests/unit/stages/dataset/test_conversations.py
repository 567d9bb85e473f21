"""Conversations stay within their scene, and every reply of hers is learnt once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.text import Turn, TurnRole, UtteranceKind
from core.stages.dataset.conversations import (
    Cutting,
    conversations,
    normal_form,
    scenes,
    usable,
    without_overlaps,
    without_repetitions,
)
from tests.unit.stages.dataset.makers import line

CUTTING = Cutting(scene_gap=3, max_exchanges=2, max_heard_lines=2, min_reply_characters=2)
SPEAKERS = st.sampled_from(["沈青", "陆远", "苏婉", "沈青、陆远"])


def windows(
    *said: tuple[str, str], cutting: Cutting = CUTTING, dropped: Collection[str] = ()
) -> list[tuple[Turn, ...]]:
    """Return the conversations of one scene."""
    scene = [line(speaker, text, n) for n, (speaker, text) in enumerate(said)]
    return list(conversations(scene, "沈青", cutting, dropped))


def cut(*said: tuple[str, str], cutting: Cutting = CUTTING) -> list[list[tuple[str, str]]]:
    """Return the conversations of one scene as (speaker, text)."""
    return [[(turn.speaker, turn.text) for turn in turns] for turns in windows(*said, cutting=cutting)]


def talk(exchanges: int) -> list[tuple[str, str]]:
    """Return a scene of so many questions and answers."""
    return [(("陆远", f"问{n}？"), ("沈青", f"答{n}。"))[side] for n in range(exchanges) for side in (0, 1)]


def read(turns: tuple[Turn, ...]) -> list[str]:
    """Return the replies of a conversation, those that are only context in brackets."""
    replies = turns[1::2]
    return [f"({turn.text})" if turn.context else turn.text for turn in replies]


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
    assert [len(turns) // 2 for turns in cut(*talk(5))] == [2, 2, 1]


def test_a_long_scene_goes_on_with_what_was_said_last_as_context():
    cutting = replace(CUTTING, max_exchanges=3, overlap=1)

    found = [read(turns) for turns in windows(*talk(6), cutting=cutting)]

    assert found == [["答0。", "答1。", "答2。"], ["(答2。)", "答3。", "答4。"], ["(答4。)", "答5。"]]


def test_the_overlap_is_always_less_than_the_window():
    cutting = replace(CUTTING, max_exchanges=2, overlap=9)

    assert [read(turns) for turns in windows(*talk(3), cutting=cutting)] == [["答0。", "答1。"], ["(答1。)", "答2。"]]


def test_short_and_dropped_replies_are_context_for_what_follows_and_end_nothing():
    said = (("陆远", "走么？"), ("沈青", "嗯。"), *talk(2), ("陆远", "真的？"), ("沈青", "哦。"))
    cutting = replace(CUTTING, max_exchanges=4)

    assert [read(turns) for turns in windows(*said, cutting=cutting)] == [["(嗯。)", "答0。", "答1。"]]
    assert [read(turns) for turns in windows(*talk(3), cutting=cutting, dropped={"src-1.3.0"})] == [
        ["答0。", "(答1。)", "答2。"]
    ]
    assert windows(*talk(1), dropped={"src-1.1.0"}) == []


def test_a_dropped_line_goes_from_the_reply_it_is_part_of():
    said = (("陆远", "冷么？"), ("沈青", "不冷。"), ("沈青", "我说不冷。"))

    (found,) = windows(*said, dropped={"src-1.1.0"})

    assert (found[1].text, found[1].utterance_ids, found[1].context) == ("我说不冷。", ("src-1.2.0",), False)


def test_what_she_says_in_chorus_is_neither_side():
    assert cut(("陆远", "走么？"), ("沈青、苏婉", "走！"), ("沈青", "你先走。")) == [
        [("陆远", "走么？"), ("沈青", "你先走。")]
    ]


@settings(deadline=None)
@given(
    st.lists(st.tuples(SPEAKERS, st.text("甲乙。，", min_size=1, max_size=5), st.integers(0, 9)), max_size=40),
    st.integers(1, 4),
    st.integers(0, 5),
)
def test_turns_alternate_within_a_scene_and_no_reply_is_learnt_twice(said, window, overlap):
    ordinals = accumulate(gap for _, _, gap in said)
    lines = [
        line(speaker, text, n, start=start, chapter=n // 30 + 1)
        for start, ((speaker, text, _), n) in enumerate(zip(said, ordinals, strict=True))
    ]
    cutting = Cutting(scene_gap=3, max_exchanges=window, max_heard_lines=3, min_reply_characters=1, overlap=overlap)
    dropped = {one.id for one in lines if one.text.startswith("乙")}

    found = [
        (scene, turns)
        for scene in scenes(lines, cutting.scene_gap)
        for turns in conversations(scene, "沈青", cutting, dropped)
    ]

    learnt = [one for _, turns in found for turn in turns[1::2] if not turn.context for one in turn.utterance_ids]
    assert len(learnt) == len(set(learnt))
    assert not dropped & set(learnt)
    for scene, turns in found:
        assert [turn.role for turn in turns] == [TurnRole.COUNTERPART, TurnRole.PERSONA] * (len(turns) // 2)
        assert 2 <= len(turns) <= 2 * window
        assert not turns[-1].context
        assert {one for turn in turns for one in turn.utterance_ids} <= {one.id for one in scene}
        assert all(turn.utterance_ids for turn in turns)


@given(st.integers(0, 30), st.integers(1, 6), st.integers(0, 6))
def test_every_reply_of_a_scene_is_learnt_once_however_it_is_cut(count, window, overlap):
    cutting = replace(CUTTING, max_exchanges=window, overlap=overlap)

    found = windows(*talk(count), cutting=cutting)

    assert [turn.text for turns in found for turn in turns[1::2] if not turn.context] == [
        f"答{n}。" for n in range(count)
    ]
    assert all(len([turn for turn in turns if turn.context]) <= overlap for turns in found)


def exchange(heard: str, reply: str) -> tuple[Turn, ...]:
    """Return one exchange."""
    return Turn(TurnRole.COUNTERPART, "陆远", heard), Turn(TurnRole.PERSONA, "沈青", reply)


def test_the_same_exchange_is_learnt_once_whatever_its_punctuation():
    seen: set[tuple[str, str]] = set()

    first = without_repetitions(exchange("冷么？", "不冷。"), seen)
    second = without_repetitions(exchange("冷么!", "“不冷” ") + exchange("冷么？", "冷。"), seen)
    third = without_repetitions(exchange("冷么？", "冷。") + exchange("冷么？", "不冷"), seen)

    assert read(first) == ["不冷。"]
    assert read(second) == ["(“不冷” )", "冷。"]
    assert third == ()
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
