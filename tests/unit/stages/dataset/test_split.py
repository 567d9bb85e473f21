"""What is kept out for evaluation is never trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.text import Sample, Split, Turn, TurnRole
from core.stages.dataset import split as parts

CONTENTS = {"src-1": "a" * 64, "src-2": "b" * 64}


def sample(source_id: str, chapter: int, reply: str = "我知道了。") -> Sample:
    """Return a sample of one exchange."""
    turns = (Turn(TurnRole.COUNTERPART, "陆远", "问。"), Turn(TurnRole.PERSONA, "沈青", reply))
    return Sample(0, source_id, chapter, Split.TRAIN, turns)


def with_split(samples: list[Sample], share: float, contents: Mapping[str, str]) -> list[Sample]:
    """Return the samples on their sides."""
    return parts.with_split(samples, share, contents)[0]


def held_out(samples: list[Sample]) -> set[tuple[str, int]]:
    """Return the chapters kept out."""
    return {(one.source_id, one.chapter) for one in samples if one.split is Split.HELD_OUT}


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=2), st.floats(0.02, 0.5))
def test_whole_chapters_are_kept_out_and_some_always_stay(chapters, share):
    split = with_split([sample("src-1", chapter, f"第{chapter}天的话。") for chapter in chapters], share, CONTENTS)

    out = held_out(split)
    trained = {(one.source_id, one.chapter) for one in split if one.split is Split.TRAIN}
    assert not out & trained
    if len(set(chapters)) > 1:
        assert out
        assert trained


def test_about_the_wanted_share_is_kept_out():
    split = with_split([sample("src-1", chapter, f"第{chapter}天的话。") for chapter in range(1, 101)], 0.1, CONTENTS)

    assert 10 <= len(held_out(split)) <= 15


def test_the_same_book_imported_again_keeps_out_the_same_chapters():
    first = with_split([sample("src-1", chapter) for chapter in range(40)], 0.2, CONTENTS)
    again = with_split([sample("src-9", chapter) for chapter in range(40)], 0.2, {"src-9": CONTENTS["src-1"]})

    assert {chapter for _, chapter in held_out(first)} == {chapter for _, chapter in held_out(again)}


def test_nothing_is_kept_out_when_nothing_is_wanted_or_there_is_one_chapter():
    assert not held_out(with_split([sample("src-1", chapter) for chapter in range(9)], 0, CONTENTS))
    assert not held_out(with_split([sample("src-1", 1)], 0.5, CONTENTS))


def test_what_has_no_chapter_is_trained_unless_it_gives_a_kept_out_line_away():
    scenes = [sample("src-1", chapter, f"这是第{chapter}句话。") for chapter in range(10)]
    secret = next(iter(held_out(with_split(scenes, 0.1, CONTENTS))))[1]
    quotes = [sample("quotes", 0, f"“这是第{secret}句话”"), sample("quotes", 0, "这是别的话。")]

    split = with_split(scenes + quotes, 0.1, CONTENTS)

    assert [one.turns[1].text for one in split if one.source_id == "quotes"] == ["这是别的话。"]
    assert len(split) == 11


def talk(chapter: int, *replies: str) -> Sample:
    """Return a sample with these replies."""
    turns = [
        turn
        for reply in replies
        for turn in (Turn(TurnRole.COUNTERPART, "陆远", "问。"), Turn(TurnRole.PERSONA, "沈青", reply))
    ]
    return Sample(0, "src-1", chapter, Split.TRAIN, tuple(turns))


def test_an_exchange_that_tells_a_kept_out_reply_is_cut_out_of_its_conversation():
    scenes = [sample("src-1", chapter, f"这是第{chapter}句话。") for chapter in range(10)]
    secret = next(iter(held_out(with_split(scenes, 0.1, CONTENTS))))[1]
    told = replace(talk(0, "先说一句别的。", f"这是第{secret}句话！", "再说一句别的。"), source_id="other")

    split, left_out = parts.with_split([*scenes, told], 0.1, CONTENTS)

    pieces = [[turn.text for turn in one.turns[1::2]] for one in split if one.source_id == "other"]
    assert (pieces, left_out) == ([["先说一句别的。"], ["再说一句别的。"]], 1)


REPLIES = st.lists(st.text("甲乙丙", min_size=4, max_size=5), min_size=1, max_size=4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 8), REPLIES), min_size=2, max_size=20), st.floats(0.05, 0.5))
def test_nothing_that_is_alike_straddles_the_sides(scenes, share):
    split, left_out = parts.with_split([talk(chapter, *replies) for chapter, replies in scenes], share, CONTENTS)

    said: dict[Split, list[str]] = {Split.TRAIN: [], Split.HELD_OUT: []}
    for one in split:
        said[one.split] += [turn.text for turn in one.turns[1::2]]
        assert [turn.role for turn in one.turns] == [TurnRole.COUNTERPART, TurnRole.PERSONA] * (len(one.turns) // 2)
    assert not set(said[Split.TRAIN]) & set(said[Split.HELD_OUT])
    assert sum(map(len, said.values())) + left_out == sum(len(replies) for _, replies in scenes)
