"""Sets of questions are read as people write them, and refused with the line that is wrong."""

from __future__ import annotations

import pytest

from core.errors import InvalidInputError
from core.stages.evaluation.questions import MOST_BYTES, persona_file, read_questions

CHOICE = '{"question": "竹有几节？", "A": "一", "B": "二", "C": "三", "D": "四", "answer": "c"}'


def test_json_lines_with_letters_are_multiple_choice() -> None:
    found = read_questions(f"{CHOICE}\n\n{CHOICE}\n".encode(), "竹.jsonl")
    assert found.kind == "mcq"
    assert [row["answer"] for row in found.rows] == ["C", "C"]


def test_a_table_with_answers_in_words_is_asked_openly_in_any_encoding() -> None:
    table = "question,answer\n竹子什么颜色？,青\n雨从哪里来？,云里\n"
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        found = read_questions(table.encode(encoding), "竹.csv")
        assert found.kind == "qa"
        assert found.rows[1] == {"question": "雨从哪里来？", "answer": "云里"}


def test_what_was_read_can_be_written_and_read_again() -> None:
    found = read_questions(CHOICE.encode(), "竹.jsonl")
    assert read_questions(found.lines().encode(), "竹.jsonl") == found


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"question,answer\n", "no question"),
        (b"{not json}\n", "Line 1 of"),
        (f"{CHOICE}\n[1, 2]\n".encode(), "Line 2 of"),
        (b'{"question": "a", "answer": ""}\n', "lacks the column answer"),
        (CHOICE.replace('"c"', '"E"').encode(), "none of A, B, C, D"),
        (CHOICE.replace("竹有几节", "竹" * 9000).encode(), "longer than"),
        (b"\x00\x01\x02" * 50, "binary"),
        (b"x" * (MOST_BYTES + 1), "larger than"),
    ],
)
def test_a_set_that_cannot_be_asked_is_refused_with_the_reason(content: bytes, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        read_questions(content, "set")


def test_the_questions_about_her_can_be_asked_and_favour_no_letter() -> None:
    file = persona_file("daiyu")
    assert file is not None
    found = read_questions(file.read_bytes(), file.name)
    assert found.kind == "mcq"
    counts = [sum(row["answer"] == letter for row in found.rows) for letter in "ABCD"]
    assert max(counts) - min(counts) <= 1
    assert all(len({row[letter] for letter in "ABCD"}) == 4 for row in found.rows)


def test_a_name_that_leads_elsewhere_finds_no_questions() -> None:
    assert persona_file("../personas/daiyu") is None or persona_file("../personas/daiyu") == persona_file("daiyu")
    assert persona_file("nobody") is None
