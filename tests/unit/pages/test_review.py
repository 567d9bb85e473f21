"""The review page without a browser: what its buttons do to the lines, and where they lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.text import ReviewStatus
from core.store.utterances import UtteranceFilter

PAGE = str(Path(__file__).resolve().parents[3] / "pages" / "curator" / "dialogues.py")


@pytest.fixture
def lines(studio, book):
    """The three lines of the little book, in its order."""
    return list(studio.store.utterances.iterate(UtteranceFilter(studio.settings.persona)))


def review(app, line=None, **address):
    app.query_params.update({"speaker": "*", "queue": "all", "lang": "en", **address})
    app.run()
    app.query_params.update({"speaker": "*", "queue": "all", **address, **({"line": line.id} if line else {})})
    return app.switch_page(PAGE).run()


def at(app):
    line = app.query_params["line"]
    return line if isinstance(line, str) else line[0]


def press(app, key):
    app.button(key=key).click().run()
    assert not app.exception
    return app


def test_an_accepted_line_gives_way_to_the_next_and_is_found_going_back(app, studio, lines):
    review(app)
    press(app, "review-accept")

    assert studio.store.utterances.get(lines[0].id).status is ReviewStatus.ACCEPTED
    assert at(app) == lines[1].id
    assert at(press(app, "review-back")) == lines[0].id


def test_after_the_last_line_comes_the_first(app, lines):
    review(app, lines[2])

    assert at(press(app, "review-reject")) == lines[0].id


def test_an_empty_queue_leads_on_to_all_lines(app, lines):
    review(app, queue="disputed")
    press(app, "to-all")

    assert at(app) == lines[0].id


def test_undo_takes_back_and_returns_to_the_line(app, studio, lines):
    review(app)
    press(app, "review-reject")
    press(app, "review-undo")

    assert studio.store.utterances.get(lines[0].id).status is ReviewStatus.PENDING
    assert at(app) == lines[0].id
    press(app, "review-redo")
    assert studio.store.utterances.get(lines[0].id).status is ReviewStatus.REJECTED


def test_two_who_decide_alike_have_no_conflict(app, studio, lines):
    review(app)
    studio.store.review.edit(lines[0].id, 0, who="anna", status=ReviewStatus.ACCEPTED)
    press(app, "review-accept")

    assert at(app) == lines[1].id
    assert studio.store.utterances.get(lines[0].id).revision == 1


@pytest.mark.parametrize(
    ("choice", "status"), [("conflict-theirs", ReviewStatus.REJECTED), ("conflict-mine", ReviewStatus.ACCEPTED)]
)
def test_of_two_decisions_the_second_curator_chooses(app, studio, lines, choice, status):
    review(app)
    studio.store.review.edit(lines[0].id, 0, who="anna", status=ReviewStatus.REJECTED)
    press(app, "review-accept")

    assert at(app) == lines[0].id
    assert any("by anna" in one.value for one in app.caption)
    press(app, choice)
    assert studio.store.utterances.get(lines[0].id).status is status
    assert at(app) == lines[1].id


def test_a_line_that_cannot_be_joined_says_so_and_stays(app, studio, lines):
    review(app, lines[2])
    press(app, "review-merge")

    assert "No line follows" in app.error[0].value
    assert at(app) == lines[2].id
    assert studio.store.utterances.get(lines[2].id).revision == 0


def test_the_button_of_a_name_gives_the_line_to_it(app, studio, lines):
    review(app, lines[0])
    name = app.button(key="review-speaker-2").label
    press(app, "review-speaker-2")

    assert studio.store.utterances.get(lines[0].id).speaker == name != lines[0].speaker


def test_all_lines_of_a_filter_are_decided_at_once(app, studio, lines):
    review(app, view="table", chapter="1")
    press(app, "bulk-every-row")
    press(app, "bulk-accept")

    statuses = [one.status for one in studio.store.utterances.iterate(UtteranceFilter(studio.settings.persona))]
    assert statuses == [ReviewStatus.ACCEPTED, ReviewStatus.ACCEPTED, ReviewStatus.PENDING]
    press(app, "review-undo")
    assert studio.store.utterances.get(lines[0].id).status is ReviewStatus.PENDING
    press(app, "review-touched")
    assert at(app) in (lines[0].id, lines[1].id)


def test_another_filter_begins_the_queue_anew(app, lines):
    review(app, lines[1])
    app.selectbox(key="filters.0.review.speaker").set_value("林黛玉").run()

    assert at(app) == lines[0].id
    assert "林黛玉" in app.query_params["speaker"]
    press(app, "filters-clear")
    assert "speaker" not in app.query_params


def test_a_chart_is_drawn_for_every_question(app, lines):
    for chart in ("review", "speakers", "talk"):
        review(app, view="charts", chart=chart)
        assert not app.exception
