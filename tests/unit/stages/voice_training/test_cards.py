"""A voice made of a training: its files in a folder of its own, the same choice the same voice, removed as a whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.domain.identity import now
from core.domain.run import Run, RunState
from core.domain.training import Model
from core.errors import ConflictError, MissingArtifactError
from core.stages.voice_training.cards import CARD, CardChoice, card_of, make_card
from core.store import Store
from core.store.files import sha256_of
from core.store.model_folders import remove
from tests.contract.doubles import tone

PERSONA = "a-qing"


def trained(store: Store) -> dict[str, Any]:
    """Store a training that is done, with weights of two epochs each, and return its result."""
    weights: list[dict[str, Any]] = []
    for stage, suffix in (("sovits", "pth"), ("gpt", "ckpt")):
        for epoch in (1, 2):
            sha256 = f"{len(weights):064x}"
            file = store.workspace / "weights" / f"{sha256}.{suffix}"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(f"{stage} {epoch}".encode())
            told = {"stage": stage, "epoch": epoch, "sha256": sha256_of(file), "bytes": file.stat().st_size}
            weights.append({**told, "file": str(file.relative_to(store.workspace))})
    wavs = [store.files.put(tone(4.0, 16_000, 200 + 50 * number).wav) for number in range(2)]
    references = [{"sha256": one, "text": f"第{at}句", "seconds": 4.0, "language": "zh"} for at, one in enumerate(wavs)]
    result = {"clip_set": "set-1", "version": "v2", "weights": weights, "references": references, "held_out": []}
    run = Run(
        id="run-1",
        kind="voice_training",
        persona_id=PERSONA,
        queue="gpu",
        state=RunState.RUNNING,
        settings={},
        inputs={},
        created_at=now(),
        created_by="test",
    )
    store.runs.add(run)
    store.runs.end(run.id, RunState.SUCCEEDED, result=result)
    return result


def made(store: Store, **choice: Any) -> Model:
    wanted = CardChoice.model_validate({"run_id": "run-1", "sovits_epoch": 2, "gpt_epoch": 1, **choice})
    return make_card(wanted, store=store, who="test")


def test_a_voice_has_its_files_in_a_folder_of_its_own(store: Store) -> None:
    result = trained(store)
    voice = made(store, name="竹影", scores={"cer": 0.1})

    card, home = card_of(voice, store)
    assert home == store.workspace / "models" / voice.id
    for one in (card.sovits, card.gpt, card.reference):
        assert sha256_of(home / one.name) == one.sha256
        assert (home / one.name).stat().st_size == one.bytes
    assert (card.sovits_epoch, card.gpt_epoch, card.reference_text) == (2, 1, result["references"][0]["text"])
    assert card.scores == {"cer": 0.1}
    assert (voice.name, voice.run_id, card.origin["clip_set"]) == ("竹影", "run-1", "set-1")


def test_the_same_choice_gives_the_same_voice_and_another_one_another(store: Store) -> None:
    result = trained(store)
    first = made(store)

    assert made(store).id == first.id
    others = [made(store, gpt_epoch=2), made(store, reference=result["references"][1]["sha256"])]
    assert len({first.id, *(one.id for one in others)}) == 3
    assert made(store, sampling={"temperature": 0.7}).id != first.id


def test_a_voice_that_is_there_already_takes_the_newer_name_and_scores(store: Store) -> None:
    trained(store)
    first = made(store, name="竹影")

    chosen = made(store, name="竹影，选中的", scores={"cer": 0.2})
    card, home = card_of(chosen, store)
    assert (chosen.id, chosen.name, card.scores) == (first.id, "竹影，选中的", {"cer": 0.2})
    assert json.loads((home / CARD).read_text(encoding="utf-8"))["scores"] == {"cer": 0.2}

    again = made(store)
    assert (again.name, card_of(again, store)[0].scores) == ("竹影，选中的", {"cer": 0.2}), "nothing new was said"


def test_a_voice_outlives_the_weights_it_was_made_of(store: Store) -> None:
    result = trained(store)
    voice = made(store)
    for one in result["weights"]:
        (store.workspace / one["file"]).unlink()

    card, home = card_of(voice, store)
    assert sha256_of(home / card.gpt.name) == card.gpt.sha256


def test_epochs_and_references_that_are_not_there_are_refused(store: Store) -> None:
    trained(store)

    with pytest.raises(MissingArtifactError, match="epoch"):
        made(store, sovits_epoch=9)
    with pytest.raises(MissingArtifactError, match="reference"):
        made(store, reference="f" * 64)


def test_weights_that_are_gone_leave_no_half_voice_behind(store: Store) -> None:
    result = trained(store)
    (store.workspace / result["weights"][-2]["file"]).unlink()

    with pytest.raises(MissingArtifactError):
        made(store)
    assert store.models.all(PERSONA) == []
    assert [one for one in (store.workspace / "models").glob("*") if not one.name.startswith(".")] == []


def test_a_removed_voice_loses_its_files_and_may_be_made_again(store: Store) -> None:
    trained(store)
    voice = made(store)
    remove(voice.id, store=store, who="test")

    gone = store.models.get(voice.id)
    with pytest.raises(MissingArtifactError, match="not there any more"):
        card_of(gone, store)
    assert not Path(store.workspace / voice.folder).exists()
    again = made(store)
    assert again.id != voice.id
    card_of(again, store)


def test_a_voice_that_a_server_speaks_with_is_not_removed(store: Store) -> None:
    trained(store)
    voice = made(store)
    store.runs.add(
        Run(
            id="run-2",
            kind="voice_server",
            persona_id=PERSONA,
            queue="servers",
            state=RunState.RUNNING,
            settings={"model_id": voice.id},
            inputs={},
            created_at=now(),
            created_by="test",
        )
    )

    with pytest.raises(ConflictError):
        remove(voice.id, store=store, who="test")
    card_of(store.models.get(voice.id), store)
