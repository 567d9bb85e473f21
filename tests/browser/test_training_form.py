"""Before a training starts its page says what it needs and what stands in its way, as one changes the settings."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import House
from tests.browser.visitor import PATIENCE, Visitor


@pytest.mark.slow
def test_the_form_says_what_the_settings_come_to_and_starts_nothing_hopeless(house: House, visitor: Visitor) -> None:
    visitor.open("finetuning")
    visitor.unfold("Fine-tune a model")
    visitor.sees("Memory: about", patience=4 * PATIENCE)
    start = visitor.page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_enabled()

    visitor.write("Max length", "16")
    visitor.sees_problem("none has a reply within the longest sequence of 16 tokens")
    expect(start).to_be_disabled()

    visitor.write("Max length", "256")
    expect(start).to_be_enabled()
    visitor.write("Max steps", "40")
    visitor.sees("About 40 steps")

    visitor.settled()
    visitor.page.locator("summary", has_text="Show the configuration").click()
    visitor.sees("max_iters = 40")

    visitor.choose("Preset", "lora")
    visitor.sees("internlm2-chat-1_8b is not here yet.")
    visitor.press("Bring it in")
    expect(visitor.page).to_have_url(re.compile("part=bases"), timeout=PATIENCE)
    visitor.sees("Where it is")
    assert visitor.overflows() <= 0
