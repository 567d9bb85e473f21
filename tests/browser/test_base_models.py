"""A base model is looked at, brought in, offered for training, and deleted, all from the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.running_app import RunningApp
from tests.browser.visitor import PATIENCE, Visitor
from tests.hub_server import COMMIT, HubServer
from tests.little_base import base_files

REPOSITORY = "bamboo/little-base"


def name_the_model(visitor: Visitor, repository: str) -> None:
    """Type the id of a model; again where the box was just being replaced by that of another hub."""
    box = visitor.page.get_by_test_id("stSelectbox").filter(has_text="Model").first.locator("input")
    for _attempt in range(5):
        box.fill(repository)
        box.press("Enter")
        visitor.settled()
        visitor.page.wait_for_timeout(300)
        if box.input_value() == repository:
            return
    raise AssertionError(f"the box holds {box.input_value()}")


@pytest.mark.slow
def test_a_base_model_of_a_hub_is_looked_at_brought_in_offered_and_deleted(
    browser: object, start_app: Callable[..., RunningApp], open_tab: Callable[..., Visitor]
) -> None:
    with HubServer({REPOSITORY: {**base_files(shards=2), "modeling.py": b"print()"}}) as server:
        app = start_app(HF_ENDPOINT=server.url)
        visitor = open_tab(app)
        visitor.open("finetuning?part=bases")
        visitor.page.get_by_role("radio", name="Hugging Face").click()
        visitor.settled()
        name_the_model(visitor, "bamboo/nothing")
        visitor.press("Look")
        visitor.sees_problem("Hugging Face has no bamboo/nothing")
        name_the_model(visitor, REPOSITORY)
        visitor.press("Look")
        visitor.sees("Nothing was fetched yet.")
        visitor.sees("LlamaForCausalLM")
        assert set(server.sent) == {"config.json"}

        visitor.press("Bring it in")
        card = visitor.page.locator(".st-key-base-little-base")
        visitor.sees(f"huggingface:{REPOSITORY}@{COMMIT}", within=card, patience=4 * PATIENCE)
        visitor.settled()
    services = app.services()
    [base] = services.store.bases.all()
    home = services.settings.workspace / base.folder

    assert not (home / "modeling.py").exists()
    visitor.press("Delete", within=card)
    visitor.press("Delete little-base")
    visitor.sees("little-base is deleted.")
    expect(card).to_have_count(0, timeout=PATIENCE)
    assert not home.exists()
    assert visitor.strangers == []
    services.close()
