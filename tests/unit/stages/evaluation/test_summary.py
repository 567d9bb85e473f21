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
