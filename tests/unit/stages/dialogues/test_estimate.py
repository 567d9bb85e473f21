"""What asking will come to is said before anything is sent."""

from __future__ import annotations

from core.stages.dialogues.asking import question
from core.stages.dialogues.estimate import Estimate, Price, Prices, estimate
from core.stages.dialogues.settings import AskingSettings
from core.store.calls import Rate
from tests.contract.extraction_double import CannedModel

MODEL = CannedModel()
QUESTIONS = [question(MODEL, f"src.{at}", "竹" * 100 + str(at), expects=50) for at in range(10)]
PRICES = Prices(currency="CNY", models={"canned-1": Price(prompt=2, completion=8)})


def estimated(
    *, answered: int = 0, prices: Prices = PRICES, rate: Rate | None = None, whole: int | None = None
) -> Estimate:
    known = {one.request for one in QUESTIONS[:answered]}
    settings = AskingSettings(concurrency=4)
    return estimate(QUESTIONS, known, model=MODEL, settings=settings, prices=prices, rate=rate, whole=whole)


def test_calls_tokens_and_cost_are_counted():
    found = estimated()

    assert (found.calls, found.completion_tokens) == (10, 500)
    assert 1000 <= found.prompt_tokens <= 1100
    assert found.cost == (found.prompt_tokens * 2 + 500 * 8) / 1_000_000
    assert found.currency == "CNY"
    assert not found.measured


def test_what_is_answered_already_is_free():
    found = estimated(answered=9)

    assert (found.calls, found.answered) == (1, 9)
    assert found.prompt_tokens < 120
    assert estimated(answered=10).cost == 0


def test_the_cost_of_an_unknown_model_is_unknown_not_nothing():
    assert estimated(prices=Prices()).cost is None


def test_earlier_answers_of_the_model_decide_time_and_tokens():
    rate = Rate(calls=20, prompt_tokens=100, completion_tokens=30, seconds=6, tokens_per_character=0.5)

    found = estimated(rate=rate)

    assert found.measured
    assert found.completion_tokens == 250
    assert found.minutes == 3 * 6 / 60  # ten questions, four at a time


def test_it_says_how_many_calls_asking_only_about_doubts_saves():
    assert estimated(whole=60).saved == 50
    assert estimated(whole=3).saved == 0
    assert estimated().saved is None
