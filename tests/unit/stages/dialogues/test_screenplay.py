"""Screenplay lines begin with who says them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.text import Passage, PassageKind, UtteranceKind
from core.stages.dialogues.screenplay import extract

CAST = {"沈青": ["青儿"], "陆远": []}


def passage(text: str) -> Passage:
    """Return a text as a passage."""
    return Passage("src", 0, 1, 0, PassageKind.PARAGRAPH, 0, len(text), text)


@pytest.mark.parametrize(
    ("line", "speaker", "words", "kind"),
    [
        ("沈青：好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("青儿: 好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青（笑）：好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青 (笑) ：好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青；好雨。", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("路人甲：让一让。", "路人甲", "让一让。", UtteranceKind.SPEECH),
        ("沈青：（起身）好雨。（坐下）", "沈青", "好雨。", UtteranceKind.SPEECH),
        ("沈青（独白）：他不来了。", "沈青", "他不来了。", UtteranceKind.THOUGHT),
        ("沈青（念信）：见字如面。", "沈青", "见字如面。", UtteranceKind.RECITATION),
        ("沈青：“好雨。”", "沈青", "好雨。", UtteranceKind.SPEECH),
    ],
)
def test_a_label_names_the_speaker(line, speaker, words, kind):
    (found,) = extract([passage(line)], CAST)

    assert (found.speaker, found.text, found.kind) == (speaker, words, kind)
    assert words[:2] in line[found.start : found.end]


@pytest.mark.parametrize("line", ["（雨声渐大。）", "旁白：三年后。", "时间：夜", "沈青：（点头）", "雨一直下。", "："])
def test_directions_and_narration_are_nobodys_lines(line):
    assert list(extract([passage(line)], CAST)) == []


@settings(deadline=None)
@given(st.text(st.sampled_from("青：；:;（）()“” 好雨。\n"), min_size=1))
def test_the_words_stand_within_their_passage(text):
    for found in extract([passage(text)], CAST):
        assert 0 <= found.start < found.end <= len(text)
        assert found.text
