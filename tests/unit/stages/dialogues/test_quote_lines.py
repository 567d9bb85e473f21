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
        ("1999年的雨，“很大”。", "1999年的雨，“很大”。"),
    ],
)
def test_each_line_is_hers_without_number_and_marks(line, words):
    (found,) = extract([passage(line)], {"沈青": ["青儿"], "陆远": []})

    assert (found.speaker, found.text) == ("沈青", words)
    assert words in line[found.start : found.end]


def test_an_empty_quotation_is_no_line():
    assert list(extract([passage("“”")], {"沈青": []})) == []
