"""Dataset versions are chosen, read, and taken along."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import House
from tests.browser.visitor import PATIENCE, Visitor


@pytest.mark.slow
def test_one_version_after_another_can_be_chosen(house: House, visitor: Visitor) -> None:
    for name in ("plain", "short"):
        house.services.execution.here("dataset", house.persona, {"name": name, "note": f"the {name} one"}, who="test")
    visitor.open("dataset")

    for name in ("plain", "short", "plain"):
        visitor.choose("Version", re.compile(name))
        visitor.sees(f"the {name} one")
        visitor.settled()

    visitor.reload()
    visitor.sees("the plain one")


@pytest.mark.slow
def test_a_version_is_taken_along_in_xtuners_own_format(house: House, visitor: Visitor) -> None:
    visitor.open(f"dataset?version={house.version_id}")

    with visitor.page.expect_download() as expected:
        visitor.press("Download for XTuner (JSON)")
    taken = json.loads(expected.value.path().read_text(encoding="utf-8"))

    version = house.services.store.datasets.get(house.version_id)
    assert len(taken) == version.train_samples
    assert taken[0]["conversation"][0].keys() >= {"input", "output"}


def test_both_sides_of_a_version_can_be_read(house: House, visitor: Visitor) -> None:
    visitor.open(f"dataset?version={house.version_id}")

    samples = visitor.page.locator("[class*='st-key-sample-']")
    expect(samples.first).to_be_visible()
    trained = samples.first.inner_text()
    visitor.page.get_by_test_id("stMain").get_by_role("radio", name="held out").click()

    expect(samples.first).not_to_have_text(trained, timeout=PATIENCE)
