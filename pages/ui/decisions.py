"""What the buttons of the review page do: decide about a line and go on to the next, undo, redo.

They are callbacks, so that one drawing of the page shows what came of it. Each carries the line as its author saw it:
a line somebody changed meanwhile is not overwritten, but becomes a choice between both versions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import streamlit as st

from core.domain.text import Reading, ReviewStatus, Utterance, UtteranceKind
from core.errors import ConflictError, StudioError
from pages.ui.errors import show_failure
from pages.ui.frame import Visit
from pages.ui.i18n import _
from pages.ui.queues import Queue
from pages.ui.state import CONFLICT, LINE_SEEN, PROBLEM, SAID, TASK, TYPED, UNDONE, UTTERANCE, WAY

P = ParamSpec("P")


def careful(verb: Callable[Concatenate[Visit, P], None]) -> Callable[Concatenate[Visit, P], None]:
    """Make a callback keep an expected failure for the next drawing, where `tell` shows it."""

    @wraps(verb)
    def kept(visit: Visit, /, *args: P.args, **kwargs: P.kwargs) -> None:
        UNDONE.clear()
        try:
            verb(visit, *args, **kwargs)
        except StudioError as error:
            PROBLEM.set(json.dumps([error.message, error.remedy, error.values], default=str))

    return kept


def tell() -> None:
    """Show what the last callback had to say, once."""
    if said := SAID.get():
        st.toast(said, icon=":material/check:")
        SAID.clear()
    if problem := PROBLEM.get():
        show_failure(*json.loads(problem))
        PROBLEM.clear()


@careful
def decide(visit: Visit, queue: Queue, line: Utterance, changes: dict[str, Any]) -> None:
    """Write the changes and go on to the next line of the queue."""
    if write(visit, line.id, line.revision, changes):
        go_on(visit, queue, line)


def accept(visit: Visit, queue: Queue, line: Utterance) -> None:
    """Accept the line as it is and go on."""
    decide(visit, queue, line, {"status": ReviewStatus.ACCEPTED})


def reject(visit: Visit, queue: Queue, line: Utterance) -> None:
    """Reject the line and go on."""
    decide(visit, queue, line, {"status": ReviewStatus.REJECTED})


def give_to(visit: Visit, queue: Queue, line: Utterance, speaker: str | None) -> None:
    """Say who speaks, accept the line with that, and go on."""
    decide(visit, queue, line, {"speaker": speaker, "status": ReviewStatus.ACCEPTED})


def take(visit: Visit, queue: Queue, line: Utterance, reading: Reading) -> None:
    """Accept the line as that extractor reads it and go on."""
    words = {"speaker": reading.speaker, "kind": reading.kind, "text": reading.text}
    decide(visit, queue, line, {**words, "status": ReviewStatus.ACCEPTED})


def write(visit: Visit, line_id: str, revision: int, changes: dict[str, Any]) -> bool:
    """Write the changes; False when somebody was faster, and then they wait to be chosen from."""
    try:
        now = visit.studio.store.review.edit(line_id, revision, who=visit.who, **changes)
    except ConflictError:
        now = visit.studio.store.utterances.get(line_id)
        if all(getattr(now, name) == value for name, value in changes.items()):
            return True  # a key was pressed twice, or two people agree
        UTTERANCE.set(line_id)
        CONFLICT.set(json.dumps({"line": line_id, "revision": revision, "changes": changes}))
        return False
    CONFLICT.clear()
    LINE_SEEN.look(now.id, now.revision)
    return True


def waiting_changes(line_id: str) -> dict[str, Any] | None:
    """Return what somebody wanted to write on that line when another was faster, None when nothing waits."""
    kept = json.loads(CONFLICT.get() or "{}")
    if kept.get("line") != line_id:
        return None
    kinds: dict[str, Callable[[str], Any]] = {"kind": UtteranceKind, "status": ReviewStatus}
    return {name: kinds[name](value) if name in kinds else value for name, value in kept["changes"].items()}


def go_on(visit: Visit, queue: Queue, line: Utterance) -> None:
    """Leave the line for the next one of the queue."""
    WAY.leave(line.id)
    following = queue.after(visit, line)
    UTTERANCE.set(following.id if following else "")
    leave_task()


@careful
def skip(visit: Visit, queue: Queue, line: Utterance) -> None:
    """Go on without a decision."""
    go_on(visit, queue, line)


@careful
def back(visit: Visit) -> None:
    """Go back to the line before, decided or not."""
    UTTERANCE.set(WAY.back())
    leave_task()


@careful
def split(visit: Visit, line: Utterance, at: int, speakers: tuple[str | None, str | None]) -> None:
    """Cut the line in two and look at the first part."""
    first, _second = visit.studio.store.review.split(line.id, line.revision, at, who=visit.who, speakers=speakers)
    _stay_at(first)
    SAID.set(_("Cut in two. This is the first part."))


@careful
def merge(visit: Visit, line: Utterance) -> None:
    """Join the line with the next one of the book."""
    _stay_at(visit.studio.store.review.merge(line.id, line.revision, who=visit.who))
    SAID.set(_("Joined with the line after it."))


@careful
def restore(visit: Visit, line: Utterance) -> None:
    """Make the line again what its extractor read."""
    _stay_at(visit.studio.store.review.restore(line.id, line.revision, who=visit.who))
    SAID.set(_("The line is again as it was found."))


def begin_task(name: str, line: Utterance) -> None:
    """Open the form that edits or splits the line; it will write on the revision that is on the screen now."""
    TASK.set("" if TASK.get() == name else name)
    LINE_SEEN.look(line.id, line.revision)


def leave_task() -> None:
    """Close the form and write nothing."""
    for slot in (TASK, CONFLICT, TYPED):
        slot.clear()


def _stay_at(line: Utterance) -> None:
    UTTERANCE.set(line.id)
    leave_task()
