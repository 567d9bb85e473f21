"""What was decided about words holds for the same words wherever they stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.domain.cleaning import DuplicateMember, content_of, decisions_for, dropped_lines


def member(line_id: str, text: str) -> DuplicateMember:
    return DuplicateMember(line_id, content_of(text), text, 1.0, "same", proposed=False)


def test_the_same_words_have_one_content_however_they_are_written():
    assert content_of("我聽見了！") == content_of("“我听见了。”")
    assert content_of("我听见了。") != content_of("我没听见。")
    assert content_of("？！") != content_of("……")


def test_words_go_only_while_something_stands_in_their_place():
    decisions = decisions_for([member("a", "长些的话。"), member("b", "长些的")], {"a"})
    lines = {"a": content_of("长些的话。"), "b": content_of("长些的")}

    assert dropped_lines(lines.items(), decisions) == {"b"}
    assert dropped_lines([("b", lines["b"])], decisions) == frozenset()


def test_of_the_same_words_that_come_again_one_stays():
    decisions = decisions_for([member("a", "一样。"), member("b", "一样")], {"b"})
    content = content_of("一样。")

    assert dropped_lines([("a", content), ("b", content), ("c", content)], decisions) == {"a", "c"}
    assert dropped_lines([("c", content), ("d", content)], decisions) == {"d"}


@given(st.lists(st.sampled_from("甲乙丙"), min_size=1, max_size=8), st.data())
def test_a_decision_leaves_out_exactly_what_was_not_kept(texts, data):
    members = [member(str(number), text) for number, text in enumerate(texts)]
    keep = data.draw(st.sets(st.sampled_from([one.utterance_id for one in members])))

    dropped = dropped_lines([(one.utterance_id, one.content) for one in members], decisions_for(members, keep))

    assert dropped == {one.utterance_id for one in members} - keep
