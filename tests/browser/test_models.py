"""The registry of models as a trainer uses it: a name and a note, who answers in the chat, an export, a removal."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from core.domain.identity import new_id, now
from core.domain.training import Model, ModelKind
from core.errors import StudioError
from core.stages.finetuning.registry import files_in
from core.store.model_folders import remove
from tests.browser.conftest import House
from tests.browser.visitor import PATIENCE, Visitor

pytestmark = pytest.mark.slow


@pytest.fixture
def model(house: House) -> Iterator[Model]:
    """A finished model with an adapter, which is gone again when the test is over."""
    store = house.services.store
    home = store.workspace / "models" / new_id("model")
    (home / "adapter").mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "adapter/adapter_config.json"):
        (home / name).write_text("{}")
    for name in ("model.safetensors", "adapter/adapter_model.safetensors"):
        (home / name).write_bytes(b"weights")
    trial = {
        "base": {"held_out_loss": 4.5, "answers": ["嗯。"]},
        "merged": {"held_out_loss": 2.25, "answers": ["我是竹。"], "parameters": 1234},
    }
    settings = {"method": "qlora", "base": "tiny", "questions": ["你是谁？"]}
    manifest = {"settings": settings, "trial": trial, "files": files_in(home)}
    folder = f"models/{home.name}"
    kept = Model(
        home.name, house.persona, ModelKind.TEXT, "bamboo", None, house.version_id, "tiny", folder, now(),
        manifest=manifest,
    )  # fmt: skip
    store.models.add(kept)
    yield kept
    try:
        store.models.leave(kept.id, who="test")
        remove(kept.id, store=store, who="test")
    except StudioError:
        pass  # the test has removed it


def test_a_model_is_named_used_exported_and_removed(house: House, visitor: Visitor, model: Model, tmp_path: Path):
    store, page = house.services.store, visitor.page
    visitor.open("finetuning?part=models")
    card = page.locator(f".st-key-model-{model.id}")
    visitor.sees("4.50 before the training", within=card)

    visitor.press("Name and note", within=card)
    visitor.write("Name", "autumn bamboo")
    visitor.write("Note", "laughs too much")
    visitor.press("Save")
    visitor.sees("Saved.")
    visitor.settled()
    visitor.sees("laughs too much", within=card)
    assert store.models.get(model.id).name == "autumn bamboo"

    visitor.press("Talk with this one", within=card)
    visitor.sees("answers in the chat", within=card)
    visitor.settled()
    _ask_to_remove(visitor, card)
    visitor.sees_problem("cannot be removed")
    assert (store.workspace / model.folder / "model.safetensors").exists()
    page.keyboard.press("Escape")
    visitor.press("Stop using", within=card)
    expect(card.get_by_role("button", name="Talk with this one")).to_be_visible(timeout=PATIENCE)
    visitor.settled()

    visitor.press("Export", within=card)
    page.get_by_text("The adapter alone").filter(visible=True).click()
    visitor.settled()
    visitor.press("Export it")
    visitor.sees("Exported: The adapter alone", within=card, patience=2 * PATIENCE)
    visitor.settled()
    with page.expect_download() as download:
        visitor.press("Download the zip", within=card)
    download.value.save_as(tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as packed:
        names = {Path(name).name for name in packed.namelist()}
    assert {"adapter_model.safetensors", "adapter_config.json", "README.md", "configuration.json"} <= names

    _ask_to_remove(visitor, card)
    visitor.sees("autumn bamboo is removed.")
    visitor.settled()
    expect(card).to_have_count(0)
    assert not (store.workspace / model.folder).exists()
    assert store.models.get(model.id).removed_at is not None


def _ask_to_remove(visitor: Visitor, card: Locator) -> None:
    visitor.press("More…", within=card)
    visitor.press("Remove…")
    dialog = visitor.page.get_by_role("dialog")
    expect(dialog.get_by_text("Its files go for good")).to_be_visible(timeout=PATIENCE)
    visitor.press("Remove it", within=dialog)


def test_a_model_is_removed_on_a_phone(house: House, open_tab: Callable[..., Visitor], model: Model):
    visitor = open_tab(house.app, width=390)
    visitor.open("finetuning?part=models")
    card = visitor.page.locator(f".st-key-model-{model.id}")
    visitor.sees("bamboo", within=card)
    assert visitor.overflows() <= 0
    _ask_to_remove(visitor, card)
    visitor.sees("bamboo is removed.")

    assert house.services.store.models.get(model.id).removed_at is not None
