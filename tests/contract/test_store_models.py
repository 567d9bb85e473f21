"""The registry of models, on every database: named, chosen, removed, and never lost to what names them."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from core.domain.chat import Message, Speaker
from core.domain.identity import now
from core.domain.run import Run, RunState
from core.domain.training import Model, ModelKind
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.lifecycle import Artifact
from core.store import Store


def model(number: int = 1, **changes: Any) -> Model:
    whole = Model(
        f"model-{number}", "a-qing", ModelKind.TEXT, f"bamboo {number}", None, None, "tiny", f"models/model-{number}",
        now(), manifest={"seed": 42},
    )  # fmt: skip
    return replace(whole, **changes)


def run(kind: str, settings: dict[str, Any], state: RunState = RunState.QUEUED) -> Run:
    return Run(f"run-{kind}", kind, "a-qing", "cpu", state, settings, {}, now(), "anna")


@pytest.fixture
def kept(store: Store) -> Store:
    """A store with two text models and a voice."""
    for one in (model(1), model(2), model(3, kind=ModelKind.VOICE)):
        store.models.add(one)
    return store


def in_use(store: Store) -> str | None:
    chosen = store.models.in_use("a-qing", ModelKind.TEXT)
    return chosen.id if chosen else None


def told(store: Store, model_id: str) -> tuple[str, str, Any, Any]:
    last = store.events.of("model", model_id)[0]
    return last.action, last.who, last.before, last.after


def test_a_model_is_renamed_and_the_history_says_by_whom(kept: Store):
    kept.models.rename("model-1", "  autumn \n bamboo ", who="anna")

    assert kept.models.get("model-1").name == "autumn bamboo"
    assert told(kept, "model-1") == ("rename", "anna", {"name": "bamboo 1"}, {"name": "autumn bamboo"})


@pytest.mark.parametrize("name", ["", " \n ", "竹" * 81])
def test_a_name_that_is_none_is_refused(kept: Store, name: str):
    with pytest.raises(InvalidInputError):
        kept.models.rename("model-1", name, who="anna")

    assert kept.models.get("model-1").name == "bamboo 1"


def test_a_note_is_written_and_taken_away(kept: Store):
    kept.models.annotate("model-1", "  laughs too much\nsecond line ", who="anna")
    assert kept.models.get("model-1").note == "laughs too much\nsecond line"
    kept.models.annotate("model-1", "", who="bert")

    assert told(kept, "model-1") == ("annotate", "bert", {"note": "laughs too much\nsecond line"}, {"note": ""})
    with pytest.raises(InvalidInputError):
        kept.models.annotate("model-1", "竹" * 2001, who="anna")


def test_what_changes_nothing_is_no_event(kept: Store):
    kept.models.use("model-1", who="anna")
    before = len(kept.events.of("model", "model-1"))
    kept.models.use("model-1", who="anna")
    kept.models.rename("model-1", "bamboo 1", who="anna")
    kept.models.annotate("model-1", "", who="anna")
    kept.models.leave("model-2", who="anna")

    assert len(kept.events.of("model", "model-1")) == before
    assert told(kept, "model-2")[0] == "register"


def test_the_chat_leaves_a_model_and_nothing_answers_in_its_place(kept: Store):
    kept.models.use("model-3", who="anna")
    kept.models.use("model-1", who="anna")
    kept.models.use("model-2", who="anna")
    assert told(kept, "model-2") == ("use", "anna", {"in_use": "model-1"}, {"in_use": "model-2"})
    kept.models.leave("model-2", who="anna")

    assert in_use(kept) is None
    assert told(kept, "model-2") == ("leave", "anna", {"in_use": "model-2"}, {"in_use": None})
    assert kept.models.in_use("a-qing", ModelKind.VOICE) == kept.models.get("model-3")


def test_many_who_choose_at_once_leave_one_chosen(kept: Store):
    def choose(number: int) -> None:
        for _turn in range(5):
            kept.models.use(f"model-{number}", who="anna")

    threads = [threading.Thread(target=choose, args=(number,)) for number in (1, 2, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(one.in_use for one in kept.models.all("a-qing", ModelKind.TEXT)) == 1


def test_a_removed_model_is_out_of_the_lists_and_stays_on_record(kept: Store):
    kept.models.remove("model-1", who="anna")

    assert [one.id for one in kept.models.all("a-qing", ModelKind.TEXT)] == ["model-2"]
    assert {one.id for one in kept.models.all("a-qing", removed=True)} == {"model-1", "model-2", "model-3"}
    assert kept.models.get("model-1").removed_at is not None
    assert kept.custody.holdings("a-qing")[Artifact.TEXT_MODELS] == 1
    assert kept.custody.holdings("a-qing")[Artifact.VOICE_MODELS] == 1
    action, who, before, after = told(kept, "model-1")
    assert (action, who, before["removed_at"], after["name"]) == ("remove", "anna", None, "bamboo 1")
    assert after["removed_at"] is not None


def test_a_reply_still_names_a_model_that_was_removed(kept: Store):
    kept.models.remove("model-1", who="anna")
    reply = Message("msg-1", "talk-1", 1, Speaker.PERSONA, "竹。", now(), backend="transformers", model_id="model-1")

    chain = kept.custody.of_message(reply)
    assert chain.model is not None
    assert chain.model.name == "bamboo 1"


@pytest.mark.parametrize("verb", ["use", "leave", "remove", "rename", "annotate"])
def test_nothing_more_is_done_with_a_removed_model_or_an_unknown_one(kept: Store, verb: str):
    kept.models.remove("model-1", who="anna")
    words = {"rename": ("other",), "annotate": ("other",)}.get(verb, ())
    for model_id, refusal in (("model-1", ConflictError), ("model-9", NotFoundError)):
        with pytest.raises(refusal):
            getattr(kept.models, verb)(model_id, *words, who="anna")

    assert told(kept, "model-1")[0] == "remove"


def test_the_model_the_chat_uses_is_not_removed(kept: Store):
    kept.models.use("model-1", who="anna")
    with pytest.raises(ConflictError) as refusal:
        kept.models.remove("model-1", who="anna")

    assert "Stop using it" in refusal.value.remedy
    assert kept.models.get("model-1").removed_at is None


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("model_export", {"model_id": "model-1"}),
        ("finetuning", {"base": "models/model-1"}),
        ("finetuning", {"base": "/data/studio/models/model-1/"}),
        ("finetuning", {"base": "model-1"}),
    ],
)
def test_a_model_that_a_run_needs_is_not_removed_until_it_is_over(kept: Store, kind: str, settings: dict[str, Any]):
    kept.runs.add(run(kind, settings))
    with pytest.raises(ConflictError) as refusal:
        kept.models.remove("model-1", who="anna")
    kept.models.remove("model-2", who="anna")
    kept.runs.end(f"run-{kind}", RunState.FAILED)
    kept.models.remove("model-1", who="anna")

    assert refusal.value.values["runs"] == f"run-{kind}"


def test_a_model_that_another_was_trained_from_is_not_removed_before_it(kept: Store):
    kept.models.add(model(4, base="model-1", manifest={"settings": {"base": "models/model-1"}}))
    with pytest.raises(ConflictError) as refusal:
        kept.models.remove("model-1", who="anna")
    kept.models.remove("model-4", who="anna")
    kept.models.remove("model-1", who="anna")

    assert refusal.value.values["models"] == "bamboo 4"


def test_a_copy_is_noted_in_the_manifest_and_nothing_else_of_it_changes(kept: Store):
    noted = kept.models.put_copy("model-1", "4bit", {"bytes": 7}, who="anna")

    assert noted == kept.models.get("model-1")
    assert noted.manifest == {"seed": 42, "copies": {"4bit": {"bytes": 7}}}
