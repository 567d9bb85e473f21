"""Where a program was put is one place for each tool, and who moved it stays known; on each database."""

from __future__ import annotations

from pathlib import Path

from core.store import Store

OLD, NEW = Path("/tools/GPT-SoVITS"), Path("/data/语音 工具/GPT-SoVITS")
PYTHON, OTHER = Path("/tools/env/bin/python"), Path("/data/语音 工具/env/bin/python")


def test_nobody_has_said_where_a_tool_is(store: Store) -> None:
    assert store.checkouts.get("gpt-sovits") is None


def test_what_was_said_last_holds_with_who_said_it(store: Store) -> None:
    store.checkouts.put("gpt-sovits", OLD, PYTHON, who="anna")
    said = store.checkouts.put("gpt-sovits", NEW, OTHER, who="ben")

    assert store.checkouts.get("gpt-sovits") == said
    assert (said.tool, said.folder, said.python, said.changed_by) == ("gpt-sovits", NEW, OTHER, "ben")
    assert said.changed_at.tzinfo is not None


def test_each_tool_has_a_place_of_its_own(store: Store) -> None:
    store.checkouts.put("gpt-sovits", OLD, PYTHON, who="anna")
    store.checkouts.put("another", NEW, OTHER, who="ben")

    first, second = store.checkouts.get("gpt-sovits"), store.checkouts.get("another")

    assert (first and first.folder, second and second.folder) == (OLD, NEW)


def test_every_move_is_an_event_with_the_place_before_and_after(store: Store) -> None:
    store.checkouts.put("gpt-sovits", OLD, PYTHON, who="anna")
    store.checkouts.put("gpt-sovits", NEW, OTHER, who="ben")

    first, second = store.events.history("checkout", "gpt-sovits")

    assert (first.who, first.action, first.before) == ("anna", "place", None)
    assert (second.who, second.before) == ("ben", {"folder": str(OLD), "python": str(PYTHON)})
    assert second.after == {"folder": str(NEW), "python": str(OTHER)}
