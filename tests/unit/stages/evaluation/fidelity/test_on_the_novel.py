"""On the real novel: style tells her held-out lines from everybody else's, and nothing is left of that by shuffling."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.backends.rows import build
from core.backends.style import STYLE_CLASSIFIERS, StyleSource
from core.domain.persona_file import read_persona
from core.domain.text import Utterance, UtteranceKind
from core.settings import CONFIGS
from core.stages.corpus.chapters import split_passages
from core.stages.dialogues.rules import extract
from core.stages.evaluation.fidelity.measures import RUN, Book, bundled, separation
from core.stages.evaluation.fidelity.scenes import letters, masked, masking

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("name", STYLE_CLASSIFIERS)]
PERSONA = read_persona(CONFIGS / "personas" / "daiyu.yaml")
HELD = range(5, 121, 5)
"""Every fifth chapter."""


@pytest.fixture(scope="module")
def said(novel: Path) -> list[Utterance]:
    """Return every line of a named speaker."""
    passages = split_passages(novel.read_text(encoding="utf-8"), "book")
    lines = extract(passages, PERSONA.alias_table())
    return [one for one in lines if one.kind is UtteranceKind.SPEECH and one.speaker and len(letters(one.text)) >= 4]


def areas(name: str, said: Sequence[Utterance], speakers: Sequence[str | None]) -> tuple[float, float]:
    """Return how well a classifier that learnt from those speakers tells her held-out lines; single, and ten of one."""
    words = masked((one.text for one in said), masking(PERSONA))
    rows = [
        (one.chapter in HELD, speaker == PERSONA.name, text)
        for one, speaker, text in zip(said, speakers, words, strict=True)
    ]
    own, others = (tuple(text for held, hers, text in rows if not held and hers is side) for side in (True, False))
    classifier = build(STYLE_CLASSIFIERS, name, StyleSource(own, others))
    found: dict[str | None, list[str]] = {}
    for one, text in zip(said, words, strict=True):
        if one.chapter in HELD:
            found.setdefault(one.speaker, []).append(text)
    scores = {speaker: classifier.scores(texts) for speaker, texts in found.items()}
    hers = scores.pop(PERSONA.name)
    single = separation(hers, [one for each in scores.values() for one in each])
    ten = separation(bundled(hers, 10), [one for each in scores.values() for one in bundled(each, 10)])
    assert single is not None
    assert ten is not None
    return single, ten


def test_her_held_out_lines_are_told_from_all_others(name: str, said: list[Utterance]) -> None:
    single, ten = areas(name, said, [one.speaker for one in said])
    assert single > 0.62
    assert ten >= 0.80


def test_shuffling_who_said_what_leaves_nothing_of_it(name: str, said: list[Utterance]) -> None:
    speakers = [one.speaker for one in said]
    random.Random(7).shuffle(speakers)
    single, ten = areas(name, said, speakers)
    assert 0.42 < single < 0.58
    assert 0.35 < ten < 0.65


def test_a_parrot_is_told_from_her_by_what_it_copies(name: str, said: list[Utterance], novel: Path) -> None:
    passages = split_passages(novel.read_text(encoding="utf-8"), "book")
    hers = [one.text for one in said if one.speaker == PERSONA.name and one.chapter in HELD]
    hers = [text for text in hers if len(letters(text)) >= RUN]
    trained = Book(one.text for one in passages if one.chapter not in HELD)
    whole = Book(one.text for one in passages)
    assert all(whole.copying(text).copied for text in hers)
    assert sum(trained.copying(text).copied for text in hers) <= 0.02 * len(hers)
