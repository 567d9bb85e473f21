"""The registry of models on the fine-tuning page, and what a talk says of a model that was removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.chat import Message, Speaker
from core.domain.identity import now
from core.domain.run import RunState
from core.domain.training import Model, ModelKind

PAGES = Path(__file__).resolve().parents[3] / "pages"
TRIAL = {
    "base": {"held_out_loss": 4.5, "answers": ["嗯。"]},
    "merged": {"held_out_loss": 2.25, "answers": ["*我*是竹。"], "parameters": 1234},
}
COPY = {"bytes": {"model": 40_000, "4bit": 9_000}, "held_out_loss": {"model": 2.25, "4bit": 2.31}}


@pytest.fixture
def model(studio) -> Model:
    settings = {"method": "qlora", "questions": ["你是谁？"]}
    manifest = {"settings": settings, "trial": TRIAL, "files": {}, "copies": {"4bit": COPY}}
    kept = Model(
        "model-1", studio.settings.persona, ModelKind.TEXT, "bamboo", None, None, "tiny", "models/model-1", now(),
        manifest=manifest, note="*laughs* too much",
    )  # fmt: skip
    studio.store.models.add(kept)
    return kept


def registry(app, language="en"):
    app.query_params["lang"] = language
    app.query_params["part"] = "models"
    app.run()
    app.switch_page(str(PAGES / "trainer" / "finetuning.py")).run()
    assert not app.exception
    return app


def words(app) -> str:
    return "\n".join(one.value for one in (*app.markdown, *app.caption))


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_card_tells_what_came_of_a_training(app, model, language):
    shown = words(registry(app, language))

    for told in ("bamboo", "QLoRA", "1,234", "4.50", "**2.25**", "9 kB", "2.31", r"\*laughs\* too much"):
        assert told in shown


def test_a_training_that_helped_nothing_is_not_praised(app, studio, model):
    worse = {**TRIAL, "merged": {**TRIAL["merged"], "held_out_loss": 4.75}}
    studio.store.models.add(replace(model, id="model-2", manifest={**model.manifest, "trial": worse}))

    assert "4.75 after it; it foresees them no better" in words(registry(app))


def test_a_model_of_which_little_is_known_has_a_card_too(app, studio, model):
    studio.store.models.add(replace(model, id="model-2", name="bare", manifest={}, note=""))

    assert "bare" in words(registry(app))


def test_one_model_answers_in_the_chat_until_it_is_left(app, studio, model):
    registry(app).button(key="use.model-1").click().run()
    assert studio.store.models.get("model-1").in_use
    app.button(key="leave.model-1").click().run()

    assert not studio.store.models.get("model-1").in_use
    assert studio.store.events.of("model", "model-1")[0].action == "leave"


def test_an_export_started_on_a_card_lies_where_the_card_says(app, studio, model):
    home = studio.store.workspace / model.folder
    home.mkdir(parents=True)
    (home / "config.json").write_text("{}")
    registry(app).button(key="export.model-1").click().run()
    [run] = studio.store.runs.all(kind="model_export")
    assert studio.execution.attempt(run.id, 1) is RunState.SUCCEEDED
    app.run()

    assert not app.exception
    [place] = [Path(one.value) for one in app.code if "exports" in one.value]
    assert (place / "README.md").read_text(encoding="utf-8").count("bamboo") == 1


def test_an_export_that_failed_before_is_a_link_and_no_more(app, studio, model):
    run = studio.jobs.submit("model_export", model.persona_id, {"model_id": "model-1"}, who="anna")
    assert studio.execution.attempt(run.id, 1) is RunState.FAILED  # its files are not there
    registry(app)

    assert [one.label for one in app.get("page_link") if "failed" in one.label] == [":small[Export of a model: failed]"]
    assert not app.error


def test_a_copy_is_made_by_a_run_of_its_own(app, studio, model):
    registry(app).button(key="squeeze.model-1").click().run()

    [run] = studio.store.runs.all(kind="quantising")
    assert run.settings == {"model_id": "model-1"}


def test_a_talk_names_a_model_that_was_removed(app, studio, model):
    talk = studio.store.talks.start(model.persona_id, "rain")
    reply = Message("msg-1", talk.id, 0, Speaker.PERSONA, "竹。", now(), backend="transformers", model_id="model-1")
    studio.store.talks.say(reply)
    studio.store.models.remove("model-1", who="anna")
    app.query_params["talk"] = talk.id
    app.run()
    app.switch_page(str(PAGES / "visitor" / "chat.py")).run()

    assert not app.exception
    assert "bamboo" in [caption.value.split(" · ")[0] for caption in app.caption]
