"""Every reason the rules give is explained in a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.stages import dialogues
from core.stages.dialogues.reasons import explained

_GIVEN = re.compile(r"""f?"([a-z]+(?:-[a-z]+)*)(?::\{[^"]*)?"(?=[,)\]])""")


@pytest.mark.parametrize(
    ("reason", "values"),
    [
        ("cue-before:笑道", {"words": "笑道"}),
        ("turn-taking", {}),
        ("revealed", {}),
        ("of-some-other-extractor:x", {"words": "of-some-other-extractor:x"}),
    ],
)
def test_a_reason_is_a_sentence_with_the_words_it_rests_on(reason, values):
    sentence, filled = explained(reason)

    assert filled == values
    assert sentence.format(**filled).endswith(".")


def test_no_reason_the_rules_give_is_left_unexplained():
    folder = Path(next(iter(dialogues.__path__)))
    unknown, _ = explained("?")
    given = {
        found.group(1)
        for name in ("attribution.py", "scenes.py")
        for found in _GIVEN.finditer((folder / name).read_text(encoding="utf-8"))
        if "-" in found.group(1)
    }

    assert given
    assert {reason for reason in given if explained(reason)[0] == unknown} == set()
