"""Scores that OpenCompass measured come in as a file and are read as charts."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import House
from tests.browser.visitor import PATIENCE, Visitor

SUMMARY = """dataset,version,metric,mode,bamboo-1b
ceval,-,naive_average,gen,41.50
ceval-stem,-,naive_average,gen,38.25
ceval-social-science,-,naive_average,gen,47.00
ceval-humanities,-,naive_average,gen,44.75
ceval-other,-,naive_average,gen,39.10
ceval-hard,-,naive_average,gen,28.40
ceval-computer_network,7716e7,accuracy,gen,42.11
ceval-art_studies,5f1ac0,accuracy,gen,48.48
"""


@pytest.mark.slow
def test_an_imported_summary_is_drawn_as_charts(house: House, visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "summary_bamboo.csv"
    file.write_text(SUMMARY, encoding="utf-8")
    visitor.open("evaluation")
    visitor.unfold("Import a scorecard")

    visitor.give(file)
    visitor.press("Import")
    visitor.sees("summary_bamboo is imported.")
    visitor.settled()

    drawn = visitor.page.locator(".js-plotly-plot").filter(visible=True)
    expect(drawn.first.locator(".bars path").first).to_be_visible(timeout=PATIENCE)
    assert "summary_bamboo" in [card.name for card in house.services.store.scorecards.all(house.persona)]
    visitor.page.get_by_role("tab", name="Subjects").click()
    expect(drawn.first.locator(".bars path").first).to_be_visible(timeout=PATIENCE)


def test_a_file_that_is_no_summary_is_refused_with_a_remedy(house: House, visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "shopping.csv"
    file.write_text("what,how many\ntea,3\n", encoding="utf-8")
    kept = house.services.store.scorecards.all(house.persona)
    visitor.open("evaluation")
    visitor.unfold("Import a scorecard")

    visitor.give(file)
    visitor.press("Import")

    problem = visitor.sees_problem("shopping.csv")
    assert len(problem.locator("p").all()) == 2, "what happened, and what to do"
    assert house.services.store.scorecards.all(house.persona) == kept
