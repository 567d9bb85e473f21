"""What every style classifier promises."""

from __future__ import annotations

import pytest

from core.backends.rows import build
from core.backends.style import STYLE_CLASSIFIERS, StyleClassifier, StyleSource

OWN = tuple(f"竹子底下凉，{word}，你且进来坐罢。" for word in "风雨灯茶书画琴棋花月山水云雪")
OTHERS = tuple(f"回太太的话，{word}已经备下了，请太太示下。" for word in "车马轿船银米布帛桌椅门窗酒饭")


@pytest.fixture(params=STYLE_CLASSIFIERS)
def classifier(request: pytest.FixtureRequest) -> StyleClassifier:
    return build(STYLE_CLASSIFIERS, request.param, StyleSource(OWN, OTHERS))


def test_what_is_written_like_hers_scores_higher(classifier: StyleClassifier) -> None:
    hers, others = classifier.scores(["竹子底下风大，你且坐罢。", "回太太，饭已经备下了。"])
    assert hers > others


def test_the_same_lines_make_the_same_classifier(classifier: StyleClassifier) -> None:
    again = build(STYLE_CLASSIFIERS, classifier.name, StyleSource(OWN, OTHERS))
    assert again.scores(OWN[:3]) == classifier.scores(OWN[:3])


@pytest.mark.parametrize("text", ["", "。", "plain English", "竹" * 5000, "\x00"])
def test_any_text_gets_a_number(classifier: StyleClassifier, text: str) -> None:
    (score,) = classifier.scores([text])
    assert score == score


def test_nothing_scores_nothing(classifier: StyleClassifier) -> None:
    assert classifier.scores([]) == []
