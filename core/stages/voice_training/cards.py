"""Voices: a pair of weights with a reference and a way of drawing words, in a folder of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from core.domain.identity import fingerprint, now
from core.domain.section import Section
from core.domain.training import Model, ModelKind
from core.domain.voice_training import CardFile, Sampling, VoiceCard
from core.errors import MissingArtifactError
from core.jobs.whole import write_whole
from core.stages.voice_training.keeping import put
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.run import Run
    from core.store import Store

CARD = "card.json"


class CardChoice(Section):
    """What a voice is to be made of."""

    run_id: str = Field(min_length=1, description="The training whose weights it speaks with.")
    sovits_epoch: int = Field(ge=1, description="Epoch of the sound.")
    gpt_epoch: int = Field(ge=1, description="Epoch of the way of speaking.")
    reference: str = Field(default="", description="The reference clip, by its sha256; empty for the first.")
    reference_text: str = Field(default="", max_length=500, description="What is said in it; empty for the clip's own.")
    name: str = Field(default="", max_length=80, description="The voice's name; empty for one made of its weights.")
    sampling: Sampling = Field(default=Sampling(), description="How it draws its words.")
    scores: dict[str, float | None] = Field(default_factory=dict, description="What was measured of the pair.")


def make_card(wanted: CardChoice, *, store: Store, who: str) -> Model:
    """Make a voice of a training that is done and return it.

    The same choice gives the same voice, which a training makes of its last weights by itself: it gets the name and the
    scores of the newer choice, where that has some. MissingArtifactError when the training has no such weights or
    reference.
    """
    run = store.runs.get(wanted.run_id)
    voice = voice_from(wanted, run, run.result, store=store, who=who)
    if wanted.name and voice.name != wanted.name:
        store.models.rename(voice.id, wanted.name, who=who)
    card, home = card_of(store.models.get(voice.id), store)
    if wanted.scores and card.scores != wanted.scores:
        told = card.model_copy(update={"scores": wanted.scores}).model_dump(mode="json")
        write_whole(home / CARD, json.dumps(told, ensure_ascii=False, indent=2))
        store.models.put_card(voice.id, told, who=who)
    return store.models.get(voice.id)


def voice_from(wanted: CardChoice, run: Run, result: Mapping[str, Any], *, store: Store, who: str) -> Model:
    """Make a voice of a training's result, which its run need not have stored yet; see `make_card`."""
    sovits, gpt = (_weights(result, stage, getattr(wanted, f"{stage}_epoch")) for stage in ("sovits", "gpt"))
    reference = _reference(result, wanted.reference)
    card = VoiceCard(
        version=result["version"],
        sovits=CardFile(name=f"sovits-{sovits['sha256'][:12]}.pth", sha256=sovits["sha256"], bytes=sovits["bytes"]),
        gpt=CardFile(name=f"gpt-{gpt['sha256'][:12]}.ckpt", sha256=gpt["sha256"], bytes=gpt["bytes"]),
        sovits_epoch=wanted.sovits_epoch,
        gpt_epoch=wanted.gpt_epoch,
        reference=CardFile(
            name=f"reference-{reference['sha256'][:12]}.wav",
            sha256=reference["sha256"],
            bytes=store.files.path(reference["sha256"]).stat().st_size,
        ),
        reference_text=wanted.reference_text or reference["text"],
        language=reference["language"],
        sampling=wanted.sampling,
        scores=wanted.scores,
        origin={"run": run.id, "clip_set": str(result["clip_set"]), **{k: str(v) for k, v in run.versions.items()}},
    )
    sources = {
        card.sovits.name: store.workspace / sovits["file"],
        card.gpt.name: store.workspace / gpt["file"],
        card.reference.name: store.files.path(reference["sha256"]),
    }
    usual = f"{result['version']} e{wanted.sovits_epoch}+e{wanted.gpt_epoch}"
    name = wanted.name or usual
    return register(card, sources, name=name, persona_id=run.persona_id, run_id=run.id, store=store, who=who)


def register(
    card: VoiceCard,
    sources: Mapping[str, Path],
    *,
    name: str,
    persona_id: str,
    run_id: str | None,
    store: Store,
    who: str,
) -> Model:
    """Put a voice's files into a folder of its own, whole or not at all, and register it.

    `sources` are the files by the names the card gives them. MissingArtifactError when one is not there.
    """
    told = card.model_dump(mode="json")
    model_id = f"voice-{fingerprint([persona_id, {**told, 'scores': {}, 'origin': {}}])[:12]}"
    known = [one for one in store.models.all(persona_id, ModelKind.VOICE) if one.id.partition(".")[0] == model_id]
    if known:
        return known[0]
    model_id = _free(model_id, persona_id, store)
    home = store.workspace / "models" / model_id
    draft = home.with_name(f".{model_id}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    for file, source in sources.items():
        if not source.is_file():
            raise MissingArtifactError(
                N_("The voice needs {file}, which is not there."),
                remedy=N_("Choose another checkpoint or reference, or bring the voice in again."),
                file=file,
            )
        put(source, draft / file)
    write_whole(draft / CARD, json.dumps(told, ensure_ascii=False, indent=2))
    shutil.rmtree(home, ignore_errors=True)
    draft.rename(home)
    model = Model(
        id=model_id,
        persona_id=persona_id,
        kind=ModelKind.VOICE,
        name=name,
        run_id=run_id,
        dataset_version_id=None,
        base=f"GPT-SoVITS {card.version}",
        folder=str(home.relative_to(store.workspace)),
        created_at=now(),
        manifest={"card": told},
    )
    store.models.add(model, who=who)
    return model


def card_of(model: Model, store: Store) -> tuple[VoiceCard, Path]:
    """Return a voice's card and the folder its files lie in; MissingArtifactError when it was removed."""
    home = store.workspace / model.folder
    card = VoiceCard.model_validate(model.manifest["card"])
    if model.removed_at is not None or not (home / card.gpt.name).is_file():
        raise MissingArtifactError(
            N_("The files of {name} are not there any more."),
            remedy=N_("Choose another voice, or make it again of its training."),
            name=model.name,
        )
    return card, home


def _free(model_id: str, persona_id: str, store: Store) -> str:
    """Return the id, numbered where a removed voice bears it: its record stays what it was."""
    taken = {one.id for one in store.models.all(persona_id, ModelKind.VOICE, removed=True)}
    number, free = 1, model_id
    while free in taken:
        number += 1
        free = f"{model_id}.{number}"
    return free


def _weights(result: Mapping[str, Any], stage: str, epoch: int) -> Mapping[str, Any]:
    found = [one for one in result.get("weights", ()) if (one["stage"], one["epoch"]) == (stage, epoch)]
    if not found:
        raise MissingArtifactError(
            N_("The training saved no weights of epoch {epoch}."),
            remedy=N_("Choose one of the epochs it saved."),
            epoch=epoch,
        )
    weights: Mapping[str, Any] = found[-1]
    return weights


def _reference(result: Mapping[str, Any], sha256: str) -> Mapping[str, Any]:
    references: Sequence[Mapping[str, Any]] = result.get("references", ())
    found = [one for one in references if sha256 in ("", one["sha256"])]
    if not found:
        raise MissingArtifactError(
            N_("The training has no such reference clip."), remedy=N_("Choose one of the reference clips of its set.")
        )
    return found[0]
