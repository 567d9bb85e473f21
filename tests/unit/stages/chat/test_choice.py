from __future__ import annotations

import threading

import pytest

from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.training import Model, ModelKind
from core.errors import MissingArtifactError, NotFoundError
from core.settings import stage_defaults
from core.stages.chat.choice import Choice, choice_of, choices, model_for, prepare, usual_choice
from core.stages.chat.settings import ChatSettings
from core.store import Store

SETTINGS = ChatSettings()


def trained(store: Store, persona: Persona, model_id: str) -> None:
    name = f"name of {model_id}"
    store.models.add(Model(model_id, persona.id, ModelKind.TEXT, name, None, None, "tiny", "models/x", now()))


def test_her_own_lines_answer_while_nothing_is_trained(store, persona):
    assert [choice.id for choice in choices(persona.id, settings=SETTINGS, store=store)] == ["retrieval"]
    assert usual_choice(persona.id, store=store).backend == "retrieval"


def test_the_model_in_use_answers_when_nobody_chose(store, persona):
    for model_id in ("m1", "m2"):
        trained(store, persona, model_id)
    store.models.use("m1")

    assert choice_of(None, persona.id, settings=SETTINGS, store=store).model_id == "m1"


def test_trained_models_and_the_server_can_be_chosen(store, persona):
    trained(store, persona, "m1")
    served = SETTINGS.model_copy(update={"endpoint_url": "http://127.0.0.1:1/v1", "endpoint_model": "big"})
    ids = [choice.id for choice in choices(persona.id, settings=served, store=store)]

    assert ids == ["retrieval", "m1", "openai"]
    assert choice_of("m1", persona.id, settings=served, store=store).title == "name of m1"


def test_a_removed_model_is_not_offered(store, persona):
    for model_id in ("m1", "m2"):
        trained(store, persona, model_id)
    store.models.remove("m1", who="anna")

    assert [choice.id for choice in choices(persona.id, settings=SETTINGS, store=store)] == ["retrieval", "m2"]
    with pytest.raises(NotFoundError):
        choice_of("m1", persona.id, settings=SETTINGS, store=store)


def test_a_choice_that_is_gone_is_refused(store, persona):
    with pytest.raises(NotFoundError):
        choice_of("m9", persona.id, settings=SETTINGS, store=store)


def test_a_model_whose_folder_is_gone_says_what_to_do(store, persona):
    trained(store, persona, "m1")

    with pytest.raises(MissingArtifactError):
        model_for(Choice("transformers", "x", "m1"), persona, settings=SETTINGS, store=store)


def test_her_lines_need_an_extraction_first(store, persona):
    with pytest.raises(MissingArtifactError):
        model_for(Choice("retrieval", "x"), persona, settings=SETTINGS, store=store)


def test_preparing_returns_at_once_and_says_nothing_of_what_went_wrong(store, persona):
    prepare(Choice("retrieval", "x"), persona, settings=SETTINGS, store=store)
    prepare(Choice("retrieval", "x"), persona, settings=SETTINGS, store=store)
    for thread in threading.enumerate():
        if thread.name.startswith("prepare"):
            thread.join(10)

    with pytest.raises(MissingArtifactError):
        model_for(Choice("retrieval", "x"), persona, settings=SETTINGS, store=store)


def test_the_shipped_configuration_is_valid():
    assert stage_defaults("chat", ChatSettings).voice == "auto"
