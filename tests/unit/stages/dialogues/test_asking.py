"""Questions are asked until answered or given up; each is counted, none is paid for twice."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from core.backends.extraction import NoAnswerError, RefusedError
from core.domain.text import CallOutcome
from core.errors import RunCancelledError, ToolFailedError
from core.stages.dialogues.asking import Answers, ask_all, question
from core.stages.dialogues.settings import AskingSettings
from core.store import Store
from tests.contract.extraction_double import CannedModel
from tests.unit.stages.runs import begun

TEXTS = [f"沈青道：“第{number}声。”" for number in range(6)]
AWAY = NoAnswerError("Nobody answers.", remedy="")
BUSY = NoAnswerError("Busy.", remedy="", wait=0.01, status=429)


def asked(store: Store, model: CannedModel, *texts: str, run_id: str = "run-0000000001", **changes: Any) -> Answers:
    settings = AskingSettings(**{"concurrency": 3, "backoff_seconds": 0, **changes})
    questions = [question(model, f"src.{at}", text, expects=0) for at, text in enumerate(texts or TEXTS)]
    return ask_all(questions, model=model, settings=settings, context=begun(store, "kor", run_id=run_id), store=store)


def outcomes(store: Store, run_id: str = "run-0000000001") -> list[CallOutcome]:
    return sorted(call.outcome for call in store.calls.of_run(run_id))


def test_every_question_is_asked_once_and_its_tokens_are_kept(store):
    model = CannedModel()

    answers = asked(store, model)

    assert set(model.asked.values()) == {1}
    assert len(answers.rows) == len(TEXTS)
    assert store.calls.usage("run-0000000001").prompt_tokens == sum(map(len, TEXTS))


def test_another_run_with_the_same_questions_asks_nothing(store):
    asked(store, CannedModel())
    model = CannedModel()

    answers = asked(store, model, run_id="run-0000000002")

    assert not model.asked
    assert (len(answers.rows), answers.reused) == (len(TEXTS), len(TEXTS))


def test_the_same_question_twice_is_asked_once(store):
    model = CannedModel()

    answers = asked(store, model, TEXTS[0], TEXTS[0])

    assert model.asked.total() == 1
    assert len(answers.rows) == 1


def test_no_answer_is_asked_for_again_until_one_comes(store):
    model = CannedModel(trouble=lambda text, nth: (AWAY, BUSY)[nth % 2] if nth <= 2 else None)

    answers = asked(store, model)

    assert set(model.asked.values()) == {3}
    assert answers.retry == ()
    assert outcomes(store).count(CallOutcome.FAILED) == 2 * len(TEXTS)


def test_a_question_is_given_up_after_so_many_attempts(store):
    model = CannedModel(trouble=lambda text, nth: AWAY if text == TEXTS[2] else None)

    answers = asked(store, model, attempts=4)

    assert model.asked[TEXTS[2]] == 4
    assert [(one.subject, one.problem) for one in answers.retry] == [("src.2", "Nobody answers.")]
    assert len(answers.rows) == len(TEXTS) - 1


def test_an_unreadable_answer_is_paid_for_asked_again_afresh_and_then_listed(store):
    model = CannedModel(trouble=lambda text, nth: "rubbish" if text == TEXTS[1] else None)

    answers = asked(store, model, reasks=2)

    assert (model.asked[TEXTS[1]], model.afresh) == (3, 2)
    assert [(one.subject, one.problem) for one in answers.retry] == [("src.1", "not a table")]
    usage = store.calls.usage("run-0000000001")
    assert (usage.unreadable, usage.completion_tokens >= 3 * len("rubbish")) == (3, True)


def test_only_what_was_given_up_is_asked_again_by_the_next_run(store):
    asked(store, CannedModel(trouble=lambda text, nth: "rubbish" if text == TEXTS[1] else None))
    model = CannedModel()

    answers = asked(store, model, run_id="run-0000000002")

    assert dict(model.asked) == {TEXTS[1]: 1}
    assert answers.retry == ()


def test_a_question_the_server_will_not_take_does_not_stop_the_others(store):
    refused = RefusedError("Too long.", remedy="")
    model = CannedModel(trouble=lambda text, nth: refused if text == TEXTS[0] else None)

    answers = asked(store, model)

    assert model.asked[TEXTS[0]] == 1
    assert [one.problem for one in answers.retry] == ["Too long."]


def test_a_wrong_key_stops_the_run_at_once(store):
    model = CannedModel(trouble=lambda text, nth: ToolFailedError("Wrong key.", remedy="Set the key."))

    with pytest.raises(ToolFailedError, match="Wrong key"):
        asked(store, model, *(f"“{number}。”" for number in range(100)))

    assert model.asked.total() <= 3


def test_a_server_that_has_fallen_silent_is_not_hammered(store):
    model = CannedModel(trouble=lambda text, nth: AWAY)

    with pytest.raises(ToolFailedError, match="in a row"):
        asked(store, model, *(f"“{number}。”" for number in range(100)), attempts=20)

    assert model.asked.total() < 20


def test_a_server_that_says_it_is_busy_has_not_fallen_silent(store):
    model = CannedModel(trouble=lambda text, nth: BUSY if nth < 3 else None)

    answers = asked(store, model, *(f"“{number}。”" for number in range(20)))

    assert len(answers.rows) == 20


def test_a_stopped_run_ends_keeps_what_was_answered_and_goes_on_later(store):
    hold, reached = threading.Event(), threading.Event()

    def rows(text: str) -> list[tuple[str, str]]:
        if text == TEXTS[1]:
            store.runs.request_stop("run-0000000001")
            reached.set()
            hold.wait(30)
        return [("沈青", "好。")]

    threading.Timer(1.5, hold.set).start()  # the answer under way comes while the run is ending
    with pytest.raises(RunCancelledError):
        asked(store, CannedModel(rows), concurrency=1)
    model = CannedModel()
    answers = asked(store, model, run_id="run-0000000002")

    assert reached.is_set()
    assert dict(model.asked) == dict.fromkeys(TEXTS[2:], 1)
    assert len(answers.rows) == len(TEXTS)


def test_a_run_is_stopped_in_the_middle_of_a_stream_of_answers(store):
    def rows(text: str) -> list[tuple[str, str]]:
        if text == "“20。”":
            store.runs.request_stop("run-0000000001")
        return [("沈青", "好。")]

    model = CannedModel(rows)
    with pytest.raises(RunCancelledError):
        asked(store, model, *(f"“{number}。”" for number in range(3000)))

    assert 20 < model.asked.total() < 3000


def test_a_readable_answer_may_still_be_wrong(store):
    model = CannedModel()
    settings = AskingSettings(reasks=1)
    one = question(model, "src.0", TEXTS[0], expects=0)

    answers = ask_all(
        [one],
        model=model,
        settings=settings,
        context=begun(store, "kor"),
        store=store,
        check=lambda asked, rows: "too few",
    )

    assert (model.asked[TEXTS[0]], [left.problem for left in answers.retry]) == (2, ["too few"])
