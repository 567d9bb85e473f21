"""What models were asked and what they wrote is kept and found again; on each database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.domain.text import CallOutcome, Expansion, ModelCall, ReviewStatus
from core.errors import ConflictError
from core.store import Store
from core.store.calls import Rate, Usage


def run(store: Store, name: str) -> str:
    store.runs.add(Run(name, "dialogues", "a-qing", "llm", RunState.RUNNING, {}, {}, now(), "test"))
    return name


def call(request: str, run_id: str, outcome: CallOutcome = CallOutcome.ANSWERED, answer: str = "青儿") -> ModelCall:
    return ModelCall(request, run_id, "source-1.0", "tiny", outcome, answer, "", 100, 3, 0.5, now())


def test_a_good_answer_is_found_again_whichever_run_asked(store: Store) -> None:
    first, second = run(store, "run-1"), run(store, "run-2")
    for one in (call("a", first, CallOutcome.FAILED, ""), call("a", second), call("b", first, CallOutcome.UNREADABLE)):
        store.calls.add(one)

    found = store.calls.answers(["a", "b", "c"])

    assert {request: one.run_id for request, one in found.items()} == {"a": "run-2"}


def test_thousands_of_requests_are_looked_up_at_once(store: Store) -> None:
    store.calls.add(call("1999", run(store, "run-1")))

    assert list(store.calls.answers(str(number) for number in range(2000))) == ["1999"]


def test_the_usage_of_a_run_adds_up(store: Store) -> None:
    name = run(store, "run-1")
    for outcome in CallOutcome:
        store.calls.add(call("a", name, outcome))

    assert store.calls.usage(name) == Usage(3, 1, 1, 300, 9, 1.5)
    assert store.calls.usage("run-2") == Usage(0, 0, 0, 0, 0, 0)
    assert [one.outcome for one in store.calls.of_run(name)] == list(CallOutcome)


def test_the_rate_of_a_model_rests_on_its_answers(store: Store) -> None:
    name = run(store, "run-1")
    store.calls.add(call("a", name, answer="六个字的答案"))
    store.calls.add(replace(call("b", name, CallOutcome.FAILED), seconds=60))

    assert store.calls.rate("tiny") == Rate(1, 100, 3, 0.5, 0.5)
    assert store.calls.rate("unheard of") is None


def expansion(quote: str, ordinal: int, text: str = "可好些了？") -> Expansion:
    return Expansion(f"{quote}+{ordinal}", "a-qing", quote, ordinal, "陆远", text, "tiny", now())


def test_synthetic_lines_are_replaced_unless_somebody_reviewed_them(store: Store) -> None:
    store.expansions.put([expansion("q-1", 0), expansion("q-1", 1)])
    store.expansions.edit("q-1+0", 0, who="anna", status=ReviewStatus.ACCEPTED)

    written = store.expansions.put([expansion("q-1", 0, "新"), expansion("q-1", 1, "新")])

    assert written == 1
    assert [one.text for one in store.expansions.of_quotes(["q-1"])["q-1"]] == ["可好些了？", "新"]
    assert store.events.of("expansion", "q-1+0")[0].who == "anna"


def test_synthetic_lines_are_paged_quote_by_quote(store: Store) -> None:
    given = [expansion(quote, number) for quote in ("q-1", "q-2") for number in range(3)]
    store.expansions.put(reversed(given))

    first = store.expansions.page("a-qing", limit=4)
    rest = store.expansions.page("a-qing", after=first.next_cursor, limit=4)

    assert [one.id for one in (*first.rows, *rest.rows)] == [one.id for one in given]
    assert rest.next_cursor is None
    assert store.expansions.count("a-qing", status=ReviewStatus.PENDING) == 6
    assert store.expansions.page("a-qing", status=ReviewStatus.ACCEPTED).rows == ()


def test_the_second_editor_of_a_synthetic_line_learns_of_the_first(store: Store) -> None:
    store.expansions.put([expansion("q-1", 0)])
    store.expansions.edit("q-1+0", 0, who="anna", text="改过")

    with pytest.raises(ConflictError):
        store.expansions.edit("q-1+0", 0, who="bert", text="也改")
