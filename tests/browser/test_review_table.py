"""Many lines are decided about at once in a table; filters stand in the address; charts count it all."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from core.domain.text import ReviewStatus
from core.store.utterances import UtteranceFilter
from tests.browser.conftest import House
from tests.browser.visitor import Visitor


def test_many_lines_are_decided_at_once_and_taken_back_at_once(house: House, visitor: Visitor) -> None:
    utterances = house.services.store.utterances
    where = UtteranceFilter(house.persona, house.source_id, chapter=4, status=ReviewStatus.PENDING)
    waiting = [one.id for one in utterances.page(where).rows]
    visitor.open(f"dialogues?view=table&queue=doubt&speaker=*&chapter=4&book={house.source_id}")
    visitor.sees(f"page 1 of 1 · {len(waiting)} rows")
    visitor.sees("Filters · 2")

    visitor.pick_row(0)
    visitor.sees("1 line chosen")
    visitor.pick_row(1)
    visitor.sees("2 lines chosen")
    visitor.settled()
    visitor.press("Accept 2")
    visitor.sees("2 lines changed")
    visitor.settled()
    assert sum(utterances.get(one).status is ReviewStatus.ACCEPTED for one in waiting) == 2

    visitor.press(f"Choose all {len(waiting) - 2}")
    visitor.sees(re.compile("all .* lines chosen"))
    visitor.press(f"Reject {len(waiting) - 2}")
    visitor.sees(f"{len(waiting) - 2} lines changed")
    visitor.sees("Nothing waits here")
    visitor.settled()
    assert utterances.count(where) == 0

    for _step in range(2):
        visitor.page.keyboard.press("Control+z")
        visitor.page.wait_for_timeout(800)
        visitor.settled()
    visitor.sees(f"page 1 of 1 · {len(waiting)} rows")
    assert utterances.count(where) == len(waiting)


def test_a_cell_is_corrected_in_place(house: House, visitor: Visitor) -> None:
    utterances = house.services.store.utterances
    where = UtteranceFilter(house.persona, house.source_id, chapter=3)
    first = utterances.page(where).rows[0]
    visitor.open(f"dialogues?view=table&queue=all&speaker=*&chapter=3&book={house.source_id}")
    visitor.page.get_by_text("Edit cells").click()
    visitor.sees(re.compile("What you write into a cell|Saved: "))
    visitor.settled()
    visitor.sees_row(0, first.text)

    visitor.open_cell(0, first.text).fill("格子里写的。")
    visitor.page.keyboard.press("Enter")
    visitor.sees(re.compile("Saved: .*格子里写的"))
    visitor.settled()

    assert utterances.get(first.id).text == "格子里写的。"
    visitor.page.keyboard.press("Escape")
    visitor.page.locator(".st-key-review-undo button").first.click()
    visitor.sees("Undone: ")
    visitor.settled()
    assert utterances.get(first.id).text == first.text


def test_filters_survive_a_reload_and_charts_count_the_lines(house: House, visitor: Visitor) -> None:
    visitor.open("dialogues?view=table")
    visitor.choose("Speaker", "贾宝玉")
    visitor.press("All", within=visitor.page.locator(".st-key-queues"))
    visitor.page.wait_for_url(re.compile("queue=all"))
    visitor.sees_row(0, "贾宝玉")

    visitor.reload()
    visitor.sees_row(0, "贾宝玉")
    visitor.press("Clear")
    visitor.sees_row(0, "林黛玉")

    main = visitor.page.get_by_test_id("stMain")
    main.get_by_role("radio", name="Charts").click()
    for chart, title in (
        ("Review", "How far the review is, by chapter"),
        ("Speakers", "Lines by speaker"),
        ("Who to whom", "Who speaks to whom"),
    ):
        main.get_by_role("radio", name=chart).click()
        expect(main.locator(".js-plotly-plot .gtitle", has_text=title)).to_be_visible()
        visitor.settled()
