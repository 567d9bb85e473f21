"""Lines are read beside their passage and decided about, by two people at once if need be."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from core.domain.text import ReviewStatus, Utterance
from core.store.utterances import UtteranceFilter
from tests.browser.conftest import House
from tests.browser.visitor import Visitor

OpenTab = Callable[..., Visitor]


@pytest.fixture
def line(house: House) -> Utterance:
    """A line of hers that nobody has decided about."""
    name = house.services.store.personas.get(house.persona).name
    where = UtteranceFilter(house.persona, house.source_id, speaker=name, status=ReviewStatus.PENDING)
    found = house.services.store.utterances.page(where).rows
    return next(one for one in found if one.revision == 0)


def test_a_chosen_line_stands_highlighted_in_its_passage(visitor: Visitor) -> None:
    visitor.open("dialogues")
    visitor.write("Words", "船就沉了")
    visitor.sees_row(0, "说出来船就沉了。")

    visitor.pick_row(0)

    chosen = visitor.page.locator(".reader mark.chosen")
    expect(chosen).to_have_text("“说出来船就沉了。”")
    expect(chosen).to_be_visible()
    expect(visitor.page).to_have_url(re.compile(r"line=src-"))


def test_an_accepted_line_is_kept_and_the_decision_can_be_undone(
    house: House, visitor: Visitor, line: Utterance
) -> None:
    utterances = house.services.store.utterances
    visitor.open(f"dialogues?line={line.id}")

    visitor.press("Accept")
    visitor.sees("Saved: accepted")
    visitor.settled()
    assert utterances.get(line.id).status is ReviewStatus.ACCEPTED
    visitor.unfold("Changes")
    visitor.press("Undo the last change")
    visitor.sees("Saved: to review")
    visitor.settled()

    assert utterances.get(line.id).status is ReviewStatus.PENDING
    assert [event.action for event in house.services.store.events.of("utterance", line.id)][:2] == ["undo", "edit"]


def test_a_corrected_line_keeps_its_place_in_the_book(house: House, visitor: Visitor, line: Utterance) -> None:
    visitor.open(f"dialogues?line={line.id}")

    visitor.page.locator("textarea").filter(visible=True).first.fill("改过的一句话。")
    visitor.press("Save")
    visitor.sees("Saved: to review")
    visitor.settled()

    now = house.services.store.utterances.get(line.id)
    assert (now.text, now.start, now.end, now.revision) == ("改过的一句话。", line.start, line.end, 1)


@pytest.mark.slow
def test_the_second_editor_of_a_line_sees_what_changed_and_overwrites_nothing(
    house: House, open_tab: OpenTab, line: Utterance
) -> None:
    first, second = open_tab(house.app), open_tab(house.app)
    first.open(f"dialogues?line={line.id}")
    second.open(f"dialogues?line={line.id}")

    first.page.locator("textarea").filter(visible=True).first.fill("先来的人写的。")
    first.press("Save")
    first.sees("Saved: to review")
    second.page.locator("textarea").filter(visible=True).first.fill("后来的人写的。")
    second.press("Save")

    second.sees_problem("Somebody changed this line while you were looking at it.")
    second.sees("it now reads: 先来的人写的。")
    assert house.services.store.utterances.get(line.id).text == "先来的人写的。"
    second.press("Look at it as it is now")
    expect(second.page.locator("textarea").filter(visible=True).first).to_have_value("先来的人写的。")
