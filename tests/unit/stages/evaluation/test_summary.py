from __future__ import annotations

import random
from pathlib import Path

import pytest

from core.errors import InvalidInputError
from core.stages.evaluation.summary import parse_summary, preferred

DATA = Path(__file__).parents[3] / "data" / "evaluation"
HEADER = "dataset,version,metric,mode,m1,m2\n"


def parsed(text: str, *, encoding: str = "utf-8"):
    return parse_summary((HEADER + text).encode(encoding), "summary.csv")


@pytest.mark.parametrize(("file", "cells"), [("summary_2024.csv", 58), ("summary_current.csv", (52 + 12 + 1) * 2)])
def test_both_generations_of_summaries_are_read_whole(file, cells):
    scores = parse_summary((DATA / file).read_bytes(), file)

    assert len(scores) == cells
    assert {score.mode for score in scores} == {"gen"}


def test_every_cell_is_a_score_and_a_dash_is_missing():
    first, second = parsed("ceval-law,abc123,accuracy,gen,34.5,-\n")

    assert (first.dataset, first.version, first.metric, first.model, first.value) == (
        "ceval-law", "abc123", "accuracy", "m1", 34.5,
    )  # fmt: skip
    assert (second.model, second.value) == ("m2", None)


def test_of_a_groups_two_rows_the_naive_average_counts():
    scores = preferred(parsed("ceval,-,accuracy,gen,50,40\nceval,-,naive_average,gen,44.84,30\nx,1,accuracy,gen,7,8\n"))

    assert [(score.dataset, score.metric, score.value) for score in scores if score.model == "m1"] == [
        ("ceval", "naive_average", 44.84),
        ("x", "accuracy", 7),
    ]


def test_several_metrics_of_a_dataset_that_is_no_group_all_count():
    scores = preferred(parsed("judge,1,style,gen,7,8\njudge,1,facts,gen,5,6\n"))

    assert len(scores) == 4


def test_titles_between_sections_and_blank_lines_are_passed_over():
    scores = parsed("--------- 考试 Exam ---------,-,-,-,-,-\n\nx,1,accuracy,gen,7,8\n,,,,,\n")

    assert {score.dataset for score in scores} == {"x"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_a_spreadsheet_saved_it_in_does_not_matter(encoding):
    assert parsed("人设题,1,accuracy,gen,7,8\n", encoding=encoding)[0].dataset == "人设题"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_nor_does_the_delimiter(delimiter):
    text = (HEADER + "x,1,accuracy,gen,7,8\n").replace(",", delimiter).replace("\n", "\r\n")

    assert [score.value for score in parse_summary(text.encode(), "s.csv")] == [7, 8]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"name,score\nx,1\n", "not an OpenCompass summary"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not an OpenCompass summary"),
        (b"dataset,version,metric,mode\nx,1,accuracy,gen\n", "names no model"),
        (b"dataset,version,metric,mode,m,m\nx,1,accuracy,gen,1,2\n", "one of them twice"),
        (HEADER.encode(), "no scores"),
        ((HEADER + "x,1,accuracy,gen,7\n").encode(), "Line 2"),
        ((HEADER + "x,1,a,gen,7,8\n\nx,1,b,gen,good,8\n").encode(), "Line 4"),
        ((HEADER + "x,1,a,gen,inf,8\n").encode(), "Line 2"),
        ((HEADER + '"x,1,a,gen,7,8\n').encode(), "cells"),
    ],
)
def test_what_is_no_summary_is_refused_plainly(content, said):
    with pytest.raises(InvalidInputError, match=said) as refused:
        parse_summary(content, "summary.csv")

    assert refused.value.remedy


@pytest.mark.parametrize("seed", range(30))
def test_damaged_summaries_are_refused_or_read_but_never_crash(seed):
    dice = random.Random(seed)
    content = bytearray((DATA / "summary_current.csv").read_bytes())
    for _ in range(dice.randint(1, 20)):
        content[dice.randrange(len(content))] = dice.randrange(256)
    try:
        scores = parse_summary(bytes(content), "s.csv")
    except InvalidInputError:
        return

    assert scores


TABLE = [("ceval-logic", "f5b022", "accuracy", "gen", "25.00"), ("ceval", "-", "naive_average", "gen", "-")]


def text_form() -> str:
    head = "dataset,version,metric,mode,bamboo"
    rows = "\n".join(",".join(row) for row in TABLE)
    return (
        "20261126_170746\ntabulate format\n^^^^\ndataset  version\nceval-logic  f5b022\n$$$$\n\n---- DIVIDER ----\n\n"
        f"csv format\n^^^^\n{head}\n{rows}\n$$$$\n\nmarkdown format\n^^^^\n| dataset | version |\n$$$$\n\n"
        "raw format\n^^^^\n-----\nModel: bamboo\nceval-logic: {'accuracy': 25.0}\n"
        "ceval: {'error': 'missing metrics: [law, art_studies]'}\n$$$$\n"
    )


def test_the_text_form_of_a_summary_tells_why_something_is_missing():
    logic, whole = parse_summary(text_form().encode(), "summary.txt")

    assert (logic.dataset, logic.model, logic.value, logic.reason) == ("ceval-logic", "bamboo", 25.0, "")
    assert (whole.dataset, whole.value, whole.reason) == ("ceval", None, "missing metrics: [law, art_studies]")


def test_the_markdown_form_of_a_summary_says_the_same_as_the_table():
    head = "| dataset | version | metric | mode | bamboo |\n|----- | ----- | ----- | ----- | -----|\n"
    rows = "".join(f"| {' | '.join(row)} |\n" for row in TABLE)
    scores = parse_summary((head + rows).encode(), "summary.md")

    assert [(one.dataset, one.metric, one.model, one.value) for one in scores] == [
        ("ceval-logic", "accuracy", "bamboo", 25.0),
        ("ceval", "naive_average", "bamboo", None),
    ]


def test_a_wrong_cell_of_the_text_form_is_named_by_its_own_line():
    wrong = text_form().replace("25.00", "many", 1)
    line = 1 + next(n for n, one in enumerate(wrong.splitlines()) if "many" in one)

    with pytest.raises(InvalidInputError, match=f"Line {line} "):
        parse_summary(wrong.encode(), "summary.txt")
