"""Asks a language model many questions at once, each until it is answered or given up, and pays for none twice.

Every question sent is a record in the ledger before the next thing happens; what the ledger has a good answer to
is not sent. A killed run therefore loses only the questions that were under way.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from core.backends.extraction import (
    Answer,
    ExtractionModel,
    Fields,
    NoAnswerError,
    RefusedError,
    UnreadableError,
    request_of,
)
from core.domain.identity import now
from core.domain.text import CallOutcome, ModelCall
from core.errors import StudioError, ToolFailedError
from core.jobs.context import RunContext
from core.stages.dialogues.settings import AskingSettings
from core.store import Store
from core.translation import N_

_LOOK = 0.5
"""Seconds between two looks at whether the run was stopped."""
_LAST_ANSWERS = 10.0
"""Seconds that a run which must end waits for the answers under way: they are paid for."""
_LONGEST_PAUSE = 60.0
_SILENCE = 12
"""So many questions in a row without any answer, or two rounds of all that are under way, end the run."""
_TOO_MANY_REQUESTS = 429

Rows = tuple[Fields, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask."""

    request: str
    """What identifies it in the ledger."""
    subject: str
    """The id of what it is about."""
    text: str
    expects: int = 0
    """Roughly how long the answer will be (characters)."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that was given up for this time."""

    request: str
    subject: str
    problem: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of some questions."""

    rows: Mapping[str, Rows]
    """By request."""
    retry: tuple[Unanswered, ...]
    reused: int
    """Were in the ledger already."""


Check = Callable[[Question, Rows], str]
"""Says what is wrong with a readable answer; empty when nothing is."""


def question(model: ExtractionModel, subject: str, text: str, *, expects: int) -> Question:
    """Return the question about a text as that model will be asked it."""
    return Question(request_of(model, text), subject, text, expects)


def known_answers(questions: Iterable[Question], *, model: ExtractionModel, store: Store) -> dict[str, Rows]:
    """Return the rows of the good answers in the ledger, by request; they cost nothing."""
    found: dict[str, Rows] = {}
    for request, call in store.calls.answers([one.request for one in questions]).items():
        try:
            found[request] = model.read(call.answer)
        except UnreadableError:
            continue  # was readable to an earlier version of the schema
    return found


def ask_all(
    questions: Sequence[Question],
    *,
    model: ExtractionModel,
    settings: AskingSettings,
    context: RunContext,
    store: Store,
    check: Check = lambda question, rows: "",
) -> Answers:
    """Ask what is not answered yet and return all answers; RunCancelledError soon after the run was stopped.

    Raises ToolFailedError when the server refuses every question or has fallen silent.
    """
    known = known_answers(questions, model=model, store=store)
    asker = _Asker(model, settings, context.run.id, store, check)
    waiting = list({one.request: one for one in questions if one.request not in known}.values())
    fresh, retry = asker.ask(waiting, context, reused=len(known))
    return Answers({**known, **fresh}, tuple(retry), len(known))


class _Stopped(Exception):  # noqa: N818 - no failure: the run is over
    """Ends a thread that was about to send."""


class _Asker:
    """Some threads that send questions, and what they must know of one another."""

    def __init__(
        self, model: ExtractionModel, settings: AskingSettings, run_id: str, store: Store, check: Check
    ) -> None:
        self._model = model
        self._settings = settings
        self._run_id = run_id
        self._store = store
        self._check = check
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._silent = 0

    def ask(
        self, questions: Sequence[Question], context: RunContext, *, reused: int
    ) -> tuple[dict[str, Rows], list[Unanswered]]:
        """Ask them all; return the rows by request, and what was given up."""
        rows: dict[str, Rows] = {}
        retry: list[Unanswered] = []
        pool = ThreadPoolExecutor(self._settings.concurrency, thread_name_prefix="asking")
        ended: SimpleQueue[Future[Rows | Unanswered]] = SimpleQueue()
        under_way: list[Future[Rows | Unanswered]] = []
        of: dict[Future[Rows | Unanswered], Question] = {}
        for one in questions:
            future = pool.submit(self._settle, one)
            of[future] = one
            under_way.append(future)
            future.add_done_callback(ended.put)
        try:
            looked = time.monotonic()
            for done in range(1, len(questions) + 1):
                future = _next(ended, context)
                if time.monotonic() - looked > _LOOK:
                    looked = time.monotonic()
                    context.check()
                result = future.result()
                if isinstance(result, Unanswered):
                    retry.append(result)
                    context.log(f"{result.subject}: given up for now: {result.problem}")
                else:
                    rows[of[future].request] = result
                share = (done + reused) / (len(questions) + reused)
                told = {"done": done + reused, "total": len(questions) + reused, "open": len(retry)}
                context.progress(share * 0.98, N_("Answered {done} of {total}, {open} to be asked again"), **told)
        finally:
            self._stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            wait([one for one in under_way if one.running()], timeout=_LAST_ANSWERS)
        return rows, retry

    def _settle(self, question: Question) -> Rows | Unanswered:
        """Ask one question until it is answered or given up."""
        silent = unreadable = 0
        while True:
            self._wait_for_leave()
            began = time.monotonic()
            try:
                answer = self._model.ask(question.text, afresh=unreadable > 0)
            except NoAnswerError as error:
                self._keep(question, began, _told(error))
                silent += 1
                self._note_silence(error)
                if silent >= self._settings.attempts:
                    return Unanswered(question.request, question.subject, _told(error))
                self._pause(error, silent)
                continue
            except ToolFailedError as error:
                self._keep(question, began, _told(error))
                if isinstance(error, RefusedError):
                    return Unanswered(question.request, question.subject, _told(error))
                self._stop.set()  # here already: this thread must not send another before the others are told
                raise
            self._silent = 0
            problem = answer.problem or self._check(question, answer.rows)
            self._keep(question, began, problem, answer)
            if not problem:
                return answer.rows
            unreadable += 1
            if unreadable > self._settings.reasks:
                return Unanswered(question.request, question.subject, problem)

    def _keep(self, question: Question, began: float, problem: str, answer: Answer | None = None) -> None:
        outcome = CallOutcome.UNREADABLE if problem else CallOutcome.ANSWERED
        self._store.calls.add(
            ModelCall(
                request=question.request,
                run_id=self._run_id,
                subject=question.subject,
                model=self._model.model,
                outcome=outcome if answer else CallOutcome.FAILED,
                answer=answer.text if answer else "",
                problem=problem,
                prompt_tokens=answer.prompt_tokens if answer else 0,
                completion_tokens=answer.completion_tokens if answer else 0,
                seconds=time.monotonic() - began,
                at=now(),
            )
        )

    def _note_silence(self, error: NoAnswerError) -> None:
        """Count questions in a row that got no answer; a server that says it is busy is not silent."""
        if error.wait_seconds is not None or error.values.get("status") == _TOO_MANY_REQUESTS:
            return
        with self._lock:
            self._silent += 1
            silent = self._silent
        if silent >= max(_SILENCE, 2 * self._settings.concurrency):
            self._stop.set()
            raise ToolFailedError(
                N_("{count} questions in a row got no answer. The last time: {problem}"),
                remedy=N_("See whether the server runs, then resume the run: what it answered is kept."),
                count=silent,
                problem=_told(error),
            )

    def _pause(self, error: NoAnswerError, silent: int) -> None:
        """Wait longer each time, by chance a little more or less; when the server says how long, all wait."""
        if error.wait_seconds is not None:
            with self._lock:
                self._not_before = max(self._not_before, time.monotonic() + min(error.wait_seconds, _LONGEST_PAUSE * 5))
            return
        pause = min(self._settings.backoff_seconds * 2 ** (silent - 1), _LONGEST_PAUSE)
        self._stop.wait(pause * random.uniform(0.5, 1.0))

    def _wait_for_leave(self) -> None:
        while (left := self._not_before - time.monotonic()) > 0 and not self._stop.is_set():
            self._stop.wait(left)
        if self._stop.is_set():
            raise _Stopped


def _next(ended: SimpleQueue[Future[Rows | Unanswered]], context: RunContext) -> Future[Rows | Unanswered]:
    """Return the next question that is settled, looking now and then whether the run was stopped."""
    while True:
        try:
            return ended.get(timeout=_LOOK)
        except Empty:
            context.check()


def _told(error: StudioError) -> str:
    """Return what went wrong in the server's own words where it has any."""
    return str(error.values.get("problem") or error.message.format(**error.values))
