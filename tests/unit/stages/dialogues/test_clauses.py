"""The subject of a clause of modern narration."""

from __future__ import annotations

import pytest

from core.stages.dialogues.clauses import sentences, subjects
from core.stages.dialogues.names import Names

NAMES = Names.of({"苏晚": [], "程立": ["老程"]})


@pytest.mark.parametrize(
    ("sentence", "people"),
    [
        ("苏晚放下杯子，看了看窗外。", ["苏晚"]),
        ("过了好一会儿，程立问。", ["程立"]),
        ("这时苏晚站起来，程立跟在后面。", ["苏晚", "程立"]),
        ("她笑了笑，苏晚也笑了。", ["她", "苏晚"]),
        ("门口站着一个穿雨衣的老程。", ["程立"]),
        ("保安老程打着手电。", ["程立"]),
        ("程立的手机响了。", []),
        ("程立的声音很轻。", ["程立"]),
        ("她旁边的程立撇撇嘴。", ["程立"]),
        ("苏晚和程立都没有说话。", ["苏晚、程立"]),
        ("雨停了。", []),
    ],
)
def test_each_clause_says_who_acts_in_it(sentence, people):
    assert list(subjects(sentence, NAMES)) == people


def test_a_stretch_of_narration_falls_into_sentences():
    assert sentences("雨停了。苏晚站起来") == ["雨停了。", "苏晚站起来"]
