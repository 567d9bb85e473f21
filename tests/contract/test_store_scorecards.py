"""Scorecards keep every answer, page and search them, count them, and set two cards side by side; on each database."""

from __future__ import annotations

import pytest

from core.domain.evaluation import Answer, Paired, Score, Scorecard, Tally
from core.domain.identity import now
from core.errors import NotFoundError
from core.store import Store


def card(card_id: str = "card-1") -> Scorecard:
    scores = (
        Score("logic", "accuracy", "gen", "abc", "竹", 50.0),
        Score("law", "accuracy", "gen", "abc", "竹", None, "missing metrics"),
    )
    return Scorecard(card_id, "a-qing", "竹", "run-1", "0" * 64, now(), scores)


def answer(dataset: str, number: int, *, correct: bool, prompt: str = "", reply: str = "") -> Answer:
    asked = prompt or f"{dataset}第{number}问"
    return Answer(dataset, number, asked, reply or "选B。", "B", "B" if correct else "C", correct)


def test_a_card_comes_back_as_it_was_with_the_reason_of_what_is_missing(store: Store) -> None:
    store.scorecards.add(card())
    found = store.scorecards.get("card-1")
    assert found.scores == card().scores
    assert store.scorecards.tallies("card-1") == {}, "an imported summary has no answers"


def test_answers_are_counted_paged_chosen_and_searched(store: Store) -> None:
    asked = [answer("logic", n, correct=n % 3 == 0) for n in range(7)]
    asked.append(answer("law", 0, correct=True, reply="一百%是B_"))
    store.scorecards.add(card(), asked)

    assert store.scorecards.tallies("card-1") == {"logic": Tally(3, 7), "law": Tally(1, 1)}
    first = store.scorecards.answers("card-1", limit=5)
    assert (list(first.rows), first.total) == (asked[:5], 8)
    rest = store.scorecards.answers("card-1", after=first.next_cursor or 0, limit=5)
    assert (list(rest.rows), rest.next_cursor) == (asked[5:], None)
    wrong = store.scorecards.answers("card-1", dataset="logic", correct=False)
    assert ([one.number for one in wrong.rows], wrong.total) == ([1, 2, 4, 5], 4)
    assert [one.dataset for one in store.scorecards.answers("card-1", text="%是B_").rows] == ["law"]
    assert store.scorecards.answers("card-1", text="%logic%").rows == ()


def test_two_cards_are_compared_in_the_questions_put_to_both_in_the_same_words(store: Store) -> None:
    store.scorecards.add(card("card-1"), [answer("logic", n, correct=n < 3) for n in range(5)])
    other = [answer("logic", n, correct=n in (0, 3, 4)) for n in range(4)]
    store.scorecards.add(card("card-2"), [*other, answer("logic", 4, correct=True, prompt="另一问")])

    assert store.scorecards.pairs("card-1", "card-2") == {"logic": Paired(both=1, first=2, second=1, neither=0)}
    assert store.scorecards.pairs("card-2", "card-1") == {"logic": Paired(both=1, first=1, second=2, neither=0)}


def test_a_card_goes_with_its_answers_and_can_be_renamed(store: Store) -> None:
    store.scorecards.add(card(), [answer("logic", 0, correct=True)])
    store.scorecards.rename("card-1", "竹影", who="test")
    assert store.scorecards.get("card-1").name == "竹影"
    store.scorecards.remove("card-1", who="test")
    assert store.scorecards.all("a-qing") == []
    assert store.scorecards.answers("card-1").total == 0
    with pytest.raises(NotFoundError):
        store.scorecards.remove("card-1", who="test")
