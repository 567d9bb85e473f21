"""Collected quotes are the persona's own."""

from __future__ import annotations

import pytest

from core.domain.text import Passage, PassageKind
from core.stages.dialogues.quote_lines import extract


def passage(text: str) -> Passage:
    """Return a text as a passage."""
    return Passage("src", 0, 0, 0, PassageKind.PARAGRAPH, 0, len(text), text)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("我不怕雨。", "我不怕雨。"),
        ("“我不怕雨。”", "我不怕雨。"),
        ("3. 我不怕雨。", "我不怕雨。"),
        ("12、「我不怕雨。」", "我不怕雨。"),
        ("- 我不怕雨。", "我不怕雨。"),
        ("【4】我不怕雨。", "我不怕雨。"),
        ("五、我不怕雨。", "我不怕雨。"),
        ("⑥我不怕雨。", "我不怕雨。"),
        ("1999年的雨，“很大”。", "1999年的雨，“很大”。"),
        ("3.5寸的雨。", "3.5寸的雨。"),
        ("“雨”是雨，“伞”是“伞”", "“雨”是雨，“伞”是“伞”"),
        ("记住：我不怕雨。", "记住：我不怕雨。"),
        ("“我不怕雨。”——沈青，第三回", "我不怕雨。"),
        ("我不怕雨。（《雨记》第三回）", "我不怕雨。"),
        ("我不怕雨。（其实怕。）", "我不怕雨。（其实怕。）"),
        ("我不怕——雨。", "我不怕——雨。"),
        ("青儿：我不怕雨。", "我不怕雨。"),
        ("青儿笑道：“我不怕雨。”", "我不怕雨。"),
    ],
)
def test_each_line_is_hers_without_number_and_marks(line, words):
    (found,) = extract([passage(line)], {"沈青": ["青儿"], "陆远": []})

    assert (found.speaker, found.text) == ("沈青", words)
    assert words in line[found.start : found.end]


def test_a_label_that_names_somebody_else_counts():
    (found,) = extract([passage("陆远：我怕雨。")], {"沈青": ["青儿"], "陆远": []})

    assert (found.speaker, found.text, found.reason) == ("陆远", "我怕雨。", "label:陆远")


@pytest.mark.parametrize("line", ["“”", "# 第一组", "// 摘自网上", "------", "……"])
def test_empty_lines_and_remarks_are_no_quotes(line):
    assert list(extract([passage(line)], {"沈青": []})) == []
