"""The page's base models: what is there, what was compared, what is in use, and a look before anything is fetched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.domain.training import Base
from pages.ui.markup import plain
from tests.hub_server import HubServer
from tests.little_base import INTERNLM2, base_files, write_base

SCRIPT = str(Path(__file__).resolve().parents[3] / "pages" / "trainer" / "finetuning.py")
COMPARED = {"equal": True, "logits_difference": 0.00021, "logits_scale": 12.5, "texts": 23, "unequal_texts": []}
BASE = Base(
    id="internlm2-chat-1_8b",
    name="InternLM2 *chat*",
    origin="modelscope:Shanghai_AI_Laboratory/internlm2-chat-1_8b@master",
    folder="bases/internlm2-chat-1_8b",
    prompt_template="internlm2_chat",
    created_at=now(),
    manifest={
        "architecture": "LlamaForCausalLM",
        "parameters": 1_889_110_016,
        "bytes": 3_778_220_032,
        "converted": "InternLM2ForCausalLM",
        "comparison": COMPARED,
    },
)


def opened(app):
    app.query_params["lang"] = "en"
    app.query_params["part"] = "bases"
    app.run()
    app.switch_page(SCRIPT).run()
    assert not app.exception
    return app


def words(app):
    return " ".join(one.value for one in (*app.caption, *app.markdown))


def button(app, label):
    return next(one for one in app.button if one.label == label)


@pytest.fixture
def given(studio):
    write_base(studio.settings.workspace / BASE.folder)
    studio.store.bases.put(BASE)
    return studio


def test_a_converted_base_tells_what_was_compared(app, given):
    told = words(opened(app))

    assert "1,889,110,016 parameters" in told
    assert "3.8 GB" in told
    assert "chat form internlm2_chat" in told
    assert (
        "Converted from InternLM2ForCausalLM: logits differ by at most 0.00021 of 12.5; 23 texts have equal tokens"
        in told
    )
    assert plain(BASE.origin) in told
    assert "*chat*" not in told.replace("\\*", "")


def test_one_taken_as_it_is_tells_of_no_comparison(app, studio):
    studio.store.bases.put(replace(BASE, manifest={**BASE.manifest, "comparison": {}}))

    assert "Converted from" not in words(opened(app))


def test_a_base_is_deleted_with_its_folder(app, given):
    button(opened(app), "Delete InternLM2 \\*chat\\*").click().run()

    assert not app.exception
    assert given.store.bases.all() == []
    assert not (given.settings.workspace / BASE.folder).exists()


def test_one_in_use_cannot_be_deleted(app, given):
    training = Run(
        id="run-1", kind="finetuning", persona_id=given.settings.persona, queue="gpu", state=RunState.QUEUED,
        settings={"base": BASE.id}, inputs={}, created_at=now(), created_by="test",
    )  # fmt: skip
    given.store.runs.add(training)

    told = words(opened(app))

    assert "A fine-tuning that is not over needs it: `run-1`." in told
    assert not [one for one in app.button if one.label.startswith("Delete InternLM2")]


def test_a_look_tells_what_would_come_and_starts_nothing(app, studio, monkeypatch):
    repository = "Shanghai_AI_Laboratory/internlm2-chat-1_8b"
    with HubServer({repository: base_files(INTERNLM2)}) as server:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", server.url)
        button(opened(app), "Look").click().run()

    assert not app.exception
    assert "converted to the Llama form" in words(app)
    assert {one.label: one.value for one in app.metric}["Kind"] == "InternLM2ForCausalLM"
    assert set(server.sent) == {"config.json"}
    assert studio.store.runs.all() == []


def test_a_look_at_what_is_not_there_is_told_with_a_remedy(app, studio, monkeypatch):
    with HubServer({}) as server:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", server.url)
        button(opened(app), "Look").click().run()

    assert not app.exception
    assert "ModelScope has no Shanghai" in app.error[0].value
    assert "owner/name" in app.error[0].value
