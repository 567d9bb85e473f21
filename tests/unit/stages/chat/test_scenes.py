from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.stages.chat.scenes import around

TEXT = "天亮了。她问：“你来了？”他答：“来了。”风停了。雨也停了！\n又过一日。"


def test_the_sentences_around_a_line_are_whole_and_the_line_is_in_the_middle():
    start = TEXT.index("“来了")

    assert around(TEXT, start, start + 5, 22) == "她问：“你来了？”他答：“来了。”风停了。"
    assert around(TEXT, start, start + 5, 11) == "他答：“来了。”"
    assert around(TEXT, start, start + 5, 1000) == TEXT


def test_a_sentence_that_is_longer_is_cut_and_a_long_speech_keeps_its_beginning():
    assert around("长" * 50, 10, 20, 30) == "长" * 30
    assert around("“一句。二句。三句。”", 0, 11, 7) == "“一句。二句。"


def test_a_stop_inside_a_number_or_a_name_ends_no_sentence():
    assert around("He paid 3.5 coins. Then he left. Rain.", 20, 24, 20) == "Then he left. Rain."


@given(
    st.lists(st.sampled_from(["天亮了", "。", "”", "“", "！", "\n", "a.b ", "…"]), min_size=1, max_size=40).map(
        "".join
    ),
    st.data(),
    st.integers(20, 80),
)
def test_a_scene_is_words_of_the_passage_never_more_than_asked(text, data, most):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, len(text)))
    scene = around(text, start, end, most)

    assert len(scene) <= most
    assert scene in text
