"""The lists people page through are read from an index in its order: nothing is scanned, nothing is sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from core.domain.chat import Message, Speaker
from core.domain.identity import now
from core.domain.text import ReviewStatus
from core.store import Store
from core.store.charts import Charts
from core.store.database import connect
from core.store.ratings import Ratings
from core.store.talks import Talks
from core.store.undoing import LineUndoing
from core.store.utterances import Cursor, Order, UtteranceFilter, Utterances

BOOK = UtteranceFilter("a-qing", "source-1")
QUEUES: dict[str, tuple[UtteranceFilter, Order]] = {
    "all of a book": (BOOK, Order.READING),
    "uncertain first": (replace(BOOK, status=ReviewStatus.PENDING), Order.DOUBT),
    "very uncertain": (replace(BOOK, status=ReviewStatus.PENDING, confidence_below=0.5), Order.DOUBT),
    "disputed": (replace(BOOK, disputed=True), Order.READING),
    "mine": (replace(BOOK, reviewed_by="anna"), Order.READING),
    "a speaker": (replace(BOOK, speaker="沈青"), Order.READING),
    "a chapter": (replace(BOOK, chapter=3), Order.READING),
    "an extractor": (replace(BOOK, extractor="kor"), Order.READING),
    "waiting": (replace(BOOK, status=ReviewStatus.PENDING), Order.READING),
}


@pytest.fixture
def engine(store: Store) -> Iterator[sa.Engine]:
    """The database of a store, for its rooms alone."""
    opened = connect(f"sqlite:///{store.workspace / 'store.db'}")
    yield opened
    opened.dispose()


def plan(engine: sa.Engine, ask: Callable[[], object]) -> str:
    """Return how SQLite goes about what is asked."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        asked.append((statement, values))

    sa.event.listen(engine, "before_cursor_execute", note)
    ask()
    sa.event.remove(engine, "before_cursor_execute", note)
    steps = []
    with engine.connect() as db:
        for statement, values in asked:
            if statement.lstrip().startswith("SELECT"):
                rows = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                steps += [row.detail for row in rows]
    return "\n".join(steps)


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("begun", [False, True], ids=["first page", "later page"])
@pytest.mark.parametrize("book", ["source-1", None], ids=["one book", "all books"])
def test_a_page_of_a_queue_is_a_seek(engine: sa.Engine, queue: str, begun: bool, book: str | None) -> None:
    where, order = QUEUES[queue]
    where = where if where.chapter else replace(where, source_id=book)
    start: Cursor = ("source-1", 5, 0, "source-1.5.0") if order is Order.READING else (0.3, "source-1.5.0")

    steps = plan(engine, lambda: Utterances(engine).page(where, order=order, after=start if begun else None))

    assert "SEARCH utterance USING INDEX" in steps
    assert "TEMP B-TREE" not in steps
    assert "SCAN utterance" not in steps


def test_the_change_to_undo_is_found_by_an_index(engine: sa.Engine) -> None:
    steps = plan(engine, lambda: LineUndoing(engine).undoable("anna", "a-qing"))

    assert "ix_event_who_persona_id" in steps
    assert "TEMP B-TREE" not in steps


def test_who_speaks_to_whom_is_read_in_order(engine: sa.Engine) -> None:
    steps = plan(engine, lambda: Charts(engine).who_speaks_to_whom("a-qing", "source-1"))

    assert "TEMP B-TREE" not in steps


@pytest.mark.parametrize("owner", [None, "anna"])
def test_conversations_are_read_newest_first_from_an_index(engine: sa.Engine, owner: str | None) -> None:
    steps = plan(engine, lambda: Talks(engine).conversations("a-qing", owner=owner))

    assert "SEARCH conversation USING INDEX" in steps
    assert "TEMP B-TREE" not in steps


def test_a_path_is_followed_by_ids(store: Store, engine: sa.Engine) -> None:
    talk = store.talks.start("a-qing", "雨天")
    said = store.talks.say(Message("m", talk.id, 0, Speaker.VISITOR, "冷么？", now()))

    steps = plan(engine, lambda: Talks(engine).messages(talk.id)) + plan(engine, lambda: Talks(engine).show(said.id))

    assert "SCAN message" not in steps


def test_the_curators_replies_are_read_newest_first_from_an_index(engine: sa.Engine) -> None:
    steps = plan(engine, lambda: Ratings(engine).for_curator("a-qing"))

    assert "SEARCH rating USING INDEX ix_rating_waiting" in steps
    assert "TEMP B-TREE" not in steps
