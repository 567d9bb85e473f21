"""Lines are decided about one by one, by keyboard, and every decision can be taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import TimeoutError as TooSlow
from playwright.sync_api import expect

from core.domain.text import ReviewStatus, Utterance
from core.store.utterances import UtteranceFilter
from tests.browser.conftest import House
from tests.browser.visitor import PATIENCE, Visitor

OpenTab = Callable[..., Visitor]


@pytest.fixture
def line(house: House) -> Utterance:
    """A line of hers of two sentences or more that nobody has touched."""
    name = house.services.store.personas.get(house.persona).name
    where = UtteranceFilter(house.persona, house.source_id, speaker=name, status=ReviewStatus.PENDING)
    found = house.services.store.utterances.page(where).rows
    return next(one for one in found if one.revision == 0 and "。" in one.text[:-1])


def at(visitor: Visitor) -> str:
    """The id of the line on the screen."""
    visitor.page.wait_for_url(re.compile("line="))
    return parse_qs(urlparse(visitor.page.url).query)["line"][0]


def look(visitor: Visitor, address: str) -> None:
    """Open the review at an address and wait until its keys work."""
    visitor.open(address)
    expect(visitor.page.get_by_role("button", name="Accept").first).to_be_visible()
    expect(visitor.page.locator(".reader mark.chosen").first).to_be_visible()
    visitor.settled()


def go_on_by(visitor: Visitor, key: str) -> str:
    """Press a key that leads to another line, wait until that is there, and return which line was left."""
    left = at(visitor)
    visitor.page.keyboard.press(key)
    visitor.page.wait_for_function("left => new URLSearchParams(location.search).get('line') !== left", arg=left)
    visitor.settled()
    return left


def write_by_key(visitor: Visitor) -> None:
    """Press E until the line can be written: the first press is lost where the page listens a moment later."""
    field = visitor.page.locator("textarea").filter(visible=True).first
    for _attempt in range(5):
        visitor.page.keyboard.press("e")
        with suppress(TooSlow):
            field.wait_for(timeout=PATIENCE / 5)
            break
    expect(field).to_be_focused()


def test_a_curator_decides_by_keyboard_and_takes_it_back(house: House, visitor: Visitor) -> None:
    utterances = house.services.store.utterances
    look(visitor, "dialogues?speaker=*")

    accepted = go_on_by(visitor, "a")
    rejected = go_on_by(visitor, "x")
    name = visitor.page.locator(".st-key-review-speaker-2 button").first.inner_text().split("\n")[0].strip()
    given = go_on_by(visitor, "2")
    skipped = go_on_by(visitor, "ArrowRight")
    assert utterances.get(accepted).status is ReviewStatus.ACCEPTED
    assert utterances.get(rejected).status is ReviewStatus.REJECTED
    assert (utterances.get(given).speaker, utterances.get(given).status) == (name, ReviewStatus.ACCEPTED)
    assert utterances.get(skipped).revision == 0

    go_on_by(visitor, "k")
    assert at(visitor) == skipped
    go_on_by(visitor, "Control+z")
    visitor.sees("Undone: ")
    assert at(visitor) == given
    assert utterances.get(given).status is ReviewStatus.PENDING
    visitor.page.keyboard.press("Control+Shift+Z")
    visitor.sees("Redone: ")
    visitor.settled()
    assert utterances.get(given).speaker == name

    visitor.page.get_by_label("Words", exact=True).first.focus()
    visitor.page.keyboard.type("xa1")
    visitor.page.keyboard.press("Control+z")
    visitor.page.wait_for_timeout(500)
    visitor.settled()
    assert utterances.get(given).speaker == name
    assert at(visitor) == given


def test_a_line_is_edited_restored_cut_and_joined(house: House, visitor: Visitor, line: Utterance) -> None:
    utterances = house.services.store.utterances
    look(visitor, f"dialogues?line={line.id}")
    expect(visitor.page.locator(".reader mark.chosen").first).to_contain_text(line.text)

    write_by_key(visitor)
    field = visitor.page.locator("textarea").filter(visible=True).first
    field.fill("改过的一句话。")
    go_on_by(visitor, "Control+Enter")
    edited = utterances.get(line.id)
    assert (edited.text, edited.status) == ("改过的一句话。", ReviewStatus.ACCEPTED)
    assert (edited.start, edited.end, edited.revision) == (line.start, line.end, 1)

    go_on_by(visitor, "k")
    visitor.unfold("What happened to it")
    visitor.sees(re.compile("改过的一句话"))
    visitor.press("Restore")
    visitor.sees("The line is again as it was found.")
    visitor.settled()
    assert (utterances.get(line.id).text, utterances.get(line.id).status) == (line.text, ReviewStatus.PENDING)

    visitor.page.keyboard.press("s")
    visitor.sees("Cut where?")
    visitor.settled()
    visitor.press("Split here")
    visitor.sees("Cut in two.")
    visitor.settled()
    passage = utterances.of_passage(line.passage_id)
    parts = [one for one in passage if line.start <= one.start < line.end]
    assert "".join(one.text for one in parts) == line.text
    assert len(parts) == 2

    visitor.page.keyboard.press("m")
    visitor.sees("Joined with the line after it.")
    visitor.settled()
    assert utterances.get(line.id).text == line.text


def test_where_extractors_disagree_one_takes_a_reading(house: House, visitor: Visitor, line: Utterance) -> None:
    store = house.services.store
    other = replace(line, extractor="kor", speaker="薛宝钗", confidence=0.85, reason="answer")
    store.utterances.add_readings(line.source_id, "kor", [other], None, places=[line.id])

    look(visitor, "dialogues?queue=disputed&speaker=*")
    assert at(visitor) == line.id
    visitor.sees("The extractors disagree:")
    visitor.page.locator(".st-key-review-take-kor button").first.click()
    visitor.sees("Nothing waits here")
    visitor.settled()

    assert (store.utterances.get(line.id).speaker, store.utterances.get(line.id).disputed) == ("薛宝钗", False)


@pytest.mark.slow
def test_of_two_versions_of_a_line_the_second_editor_chooses(house: House, open_tab: OpenTab, line: Utterance) -> None:
    utterances = house.services.store.utterances
    first, second = open_tab(house.app), open_tab(house.app)
    for visitor in (first, second):
        look(visitor, f"dialogues?line={line.id}")
        write_by_key(visitor)

    first.page.locator("textarea").filter(visible=True).first.fill("先来的人写的。")
    go_on_by(first, "Control+Enter")
    second.page.locator("textarea").filter(visible=True).first.fill("后来的人写的。")
    second.page.keyboard.press("Control+Enter")
    second.sees("Somebody changed this line while you were looking at it.")
    second.sees("先来的人写的。")
    second.sees("后来的人写的。")
    second.settled()
    assert utterances.get(line.id).text == "先来的人写的。"

    second.press("Edit theirs")
    field = second.page.locator("textarea").filter(visible=True).first
    expect(field).to_have_value("先来的人写的。")
    second.sees("What you had written:")
    second.sees("后来的人写的。")
    look(first, f"dialogues?line={line.id}")
    go_on_by(first, "x")
    field.fill("两人都写的。")
    second.press("Save and accept")
    second.press("Write mine over it")
    second.page.wait_for_function("id => !location.search.includes(id)", arg=line.id)
    second.settled()

    now = utterances.get(line.id)
    assert (now.text, now.status) == ("两人都写的。", ReviewStatus.ACCEPTED)
