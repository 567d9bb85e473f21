"""A gate holds or falls by its rules; a missing score falls, noise is forgiven where the questions are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.evaluation import Paired, Score, Scorecard
from core.domain.identity import now
from core.errors import InvalidInputError, SettingsError
from core.stages.evaluation.gate import Gate, judge, read_gate


def card(**values: float | None) -> Scorecard:
    scores = [Score(name, "accuracy", "gen", "1", "m", value) for name, value in values.items()]
    return Scorecard("card-1", "a-qing", "竹", "import", "0" * 64, now(), tuple(scores))


def holds(
    gate: Gate, card: Scorecard, older: Scorecard | None = None, *, pairs: dict[str, Paired] | None = None
) -> list[bool]:
    return [one.holds for one in judge(gate, card, older, pairs)]


def gate(**rule: object) -> Gate:
    return Gate.model_validate({"rules": [{"dataset": "ceval", **rule}]})


def test_a_minimum_is_reached_or_not() -> None:
    assert holds(gate(minimum=40), card(ceval=40.0)) == [True]
    assert holds(gate(minimum=40), card(ceval=39.99)) == [False]


def test_a_maximum_is_kept_or_not() -> None:
    assert holds(gate(maximum=40), card(ceval=40.0)) == [True]
    assert holds(gate(maximum=40), card(ceval=40.01)) == [False]
    assert holds(gate(minimum=10, maximum=40), card(ceval=9.0)) == [False]


@pytest.mark.parametrize("without", [card(law=90.0), card(ceval=None)])
def test_what_has_no_score_does_not_hold(without: Scorecard) -> None:
    assert holds(gate(minimum=0), without) == [False]


def test_it_may_be_worse_than_before_by_as_much_as_is_said() -> None:
    assert holds(gate(most_worse=2), card(ceval=48.0), card(ceval=50.0)) == [True]
    assert holds(gate(most_worse=2), card(ceval=47.5), card(ceval=50.0)) == [False]
    assert holds(gate(most_worse=2), card(ceval=47.5)) == [True], "nothing to compare with"


def test_noise_is_forgiven_where_the_questions_are_known_and_a_loss_is_not() -> None:
    now_, before = card(ceval=40.0), card(ceval=50.0)
    assert holds(gate(most_worse=2), now_, before, pairs={"ceval": Paired(6, 4, 2, 8)}) == [True]
    assert holds(gate(most_worse=2), now_, before, pairs={"ceval": Paired(400, 120, 20, 460)}) == [False]


def test_the_gate_we_ship_can_be_read() -> None:
    assert read_gate(Path("configs/evaluation/gate.yaml")).rules


@pytest.mark.parametrize(
    "content", ["rules: []", "rules: [{dataset: ceval}]", "rulez: 3", "rules: [{dataset: x, min: 3}]"]
)
def test_a_gate_that_says_nothing_or_what_nobody_knows_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError):
        read_gate(file)


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text("rules: [", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"gate\.yaml"):
        read_gate(file)
    with pytest.raises(InvalidInputError):
        read_gate(tmp_path / "none.yaml")
