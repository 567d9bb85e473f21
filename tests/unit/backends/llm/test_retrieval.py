from __future__ import annotations

import threading

import pytest

from core.backends.llm import ChatRole, ChatTurn, Generation, Line
from core.backends.llm.retrieval import RetrievalModel
from core.errors import MissingArtifactError

LINES = (
    Line("s.1.0", "我这病是胎里带来的，药不过是样子。", before="你吃的什么药？可好些了？"),
    Line("s.2.0", "这诗也罢了，只是末句太露。", before="你看我这首海棠诗作得如何？"),
    Line("s.3.0", "谁同你恼了？我不过是乏了。", before="妹妹又恼我了不成？"),
    Line("s.4.0", "潇湘馆的竹子，夜里听着最清。"),
)
SEEDED = Generation(seed=7)


def said(*texts: str) -> list[ChatTurn]:
    """Turns that alternate and end with the visitor's."""
    roles = (ChatRole.VISITOR, ChatRole.PERSONA)
    return [ChatTurn(roles[place % 2], text) for place, text in enumerate(texts)]


def test_words_like_those_said_before_a_line_call_for_that_line():
    chosen = RetrievalModel(LINES).choose(said("妹妹可是又恼我了？"), SEEDED)

    assert chosen.utterance_id == "s.3.0"


def test_words_like_the_line_itself_call_for_it_too():
    chosen = RetrievalModel(LINES).choose(said("听说潇湘馆的竹子好"), SEEDED)

    assert chosen.utterance_id == "s.4.0"


def test_every_piece_names_the_line_it_is_from():
    stream = RetrievalModel(LINES).stream(said("你吃什么药？"), settings=SEEDED, cancel=threading.Event())
    deltas = list(stream)

    assert "".join(delta.text for delta in deltas) == LINES[0].text
    assert {delta.utterance_id for delta in deltas} == {"s.1.0"}


def test_a_line_already_said_is_not_said_again():
    talk = said("妹妹又恼我了？", LINES[2].text, "妹妹又恼我了？")

    assert RetrievalModel(LINES).choose(talk, SEEDED) != LINES[2]


def test_when_every_line_was_said_one_is_said_again_rather_than_none():
    talk = said(*(text for line in LINES for text in ("妹妹又恼我了？", line.text)), "妹妹又恼我了？")

    assert RetrievalModel(LINES).choose(talk, SEEDED) in LINES


def test_words_that_fit_nothing_still_get_an_answer_of_hers():
    assert RetrievalModel(LINES).choose(said("xyzzy"), SEEDED) in LINES
    assert RetrievalModel(LINES).choose(said("？！"), SEEDED) in LINES


def test_the_same_seed_gives_the_same_answer():
    chosen = {RetrievalModel(LINES).choose(said("xyzzy"), SEEDED) for _ in range(5)}

    assert len(chosen) == 1


def test_another_seed_may_give_another_answer():
    chosen = {RetrievalModel(LINES).choose(said("xyzzy"), Generation(seed=seed)) for seed in range(30)}

    assert len(chosen) > 1


def test_two_models_over_the_same_lines_share_one_index():
    assert RetrievalModel(LINES)._index is RetrievalModel(tuple(LINES))._index


def test_a_line_she_says_twice_is_indexed_once():
    twice = (Line("a", "嗯，知道了。", before="早些睡。"), Line("b", "嗯，知道了。", before="多穿些。"))

    assert len(RetrievalModel(twice)._index.lines) == 1


def test_without_lines_the_remedy_is_to_extract_some():
    with pytest.raises(MissingArtifactError, match="Extract"):
        RetrievalModel(())
