"""The story of a voice's training: clips, features, both stages, the weights kept, a first voice made of the last."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.backends.tools import StepOutcome, VoiceStep
from core.domain.voice_training import TrainingClip, VoiceTraining
from core.errors import MissingArtifactError, StudioError, ToolFailedError
from core.jobs.whole import write_whole
from core.stages.voice_training.devices import held_gpus
from core.stages.voice_training.dividing import Divided, divided
from core.stages.voice_training.keeping import keep
from core.stages.voice_training.watching import StepWatch
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.tools import VoiceTrainer
    from core.domain.voice import ClipSet, SetClip
    from core.jobs.context import RunContext
    from core.stages.voice_training.settings import VoiceTrainingSettings
    from core.store import Store

TRIES = 2
"""How often a step is done that ends well by its own account and is refused by its files, for no known reason."""


@dataclass(frozen=True)
class _Room:
    """What every part of the story needs."""

    settings: VoiceTrainingSettings
    context: RunContext
    trainer: VoiceTrainer
    work: VoiceTraining


def run(settings: VoiceTrainingSettings, *, context: RunContext, store: Store, trainer: VoiceTrainer) -> dict[str, Any]:
    """Train, keep the weights and make a voice of the last; return what was saved and on what.

    Raises InvalidInputError when no clip can be trained on, ToolFailedError with a remedy when a step fails,
    RunCancelledError when stopped; what is whole is gone on from then.
    """
    clip_set = store.clip_sets.get(context.run.inputs["clip_set"])
    context.versions(context.step("versions", trainer.versions))
    parts = divided(store.clip_sets.clips(clip_set.id), held_out=settings.held_out)
    context.progress(0.01, N_("Putting the clips in place"))
    work = VoiceTraining(
        folder=context.folder,
        clips=_clips(parts, context, store),
        recipe=settings.recipe(),
        gpus=held_gpus(settings.device, settings.gpus, context),
    )
    room = _Room(settings, context, trainer, work)
    since = context.step("begun", time.time)
    try:
        lost = _train(room)
    finally:
        trainer.sweep(since)
    context.progress(0.96, N_("Keeping the weights"))
    kept = context.step("weights", lambda: [asdict(keep(one, store.workspace)) for one in trainer.weights(work)])
    result = _result(room, clip_set, parts, kept, lost)
    context.progress(0.98, N_("Making a voice of the last weights"))
    result["model"] = context.step("voice", lambda: _voice(room, result, store))
    context.progress(1.0, N_("The voice is ready"))
    return result


def inputs(settings: VoiceTrainingSettings, store: Store, persona_id: str) -> dict[str, Any]:
    """Return the clip set that a run with those settings reads; one frozen while it waits changes nothing.

    Raises MissingArtifactError when there is none yet.
    """
    clip_set = set_of(settings, store, persona_id)
    return {"clip_set": clip_set.id, "fingerprint": clip_set.fingerprint}


def set_of(settings: VoiceTrainingSettings, store: Store, persona_id: str) -> ClipSet:
    """Return the set those settings name, else the persona's newest; MissingArtifactError when there is none."""
    if settings.clip_set_id:
        return store.clip_sets.get(settings.clip_set_id)
    sets = store.clip_sets.sets(persona_id)
    if not sets:
        raise MissingArtifactError(
            N_("There is no set of clips to train on."), remedy=N_("Freeze one on the voice dataset's page first.")
        )
    return sets[0]


def training_clips(clips: tuple[SetClip, ...], folder: Path) -> tuple[TrainingClip, ...]:
    """Return the clips as a trainer gets them; their files lie in that folder, named by their content."""
    return tuple(
        TrainingClip(wav=folder / f"{one.sha256[:16]}.wav", speaker=one.speaker, language=one.language, text=one.text)
        for one in clips
    )


def _clips(parts: Divided, context: RunContext, store: Store) -> tuple[TrainingClip, ...]:
    folder = context.folder / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    clips = training_clips(parts.trained, folder)
    for one, clip in zip(parts.trained, clips, strict=True):
        if not clip.wav.exists():
            context.check()
            write_whole(clip.wav, store.files.read(one.sha256))
    return clips


def _train(room: _Room) -> list[str]:
    """Do every step that is not done; return the names of the clips that were lost on the way."""
    lost = list(room.trainer.prepare(room.work).lost)
    for step in room.trainer.steps(room.work.recipe):
        outcome = _do(room, step)
        if outcome.lost:
            room.context.log(f"{step}: {len(outcome.lost)} clips were left out: {', '.join(outcome.lost)}")
        lost += [name for name in outcome.lost if name not in lost]
    return lost


def _do(room: _Room, step: VoiceStep) -> StepOutcome:
    """Do a step unless it ended before and its files say that it is done; a refused one is tried again where nobody
    knows why."""
    context = room.context
    tries = _tries(room, step)
    if tries and not any(map(context.alive, _names(room, step, tries))):
        done = _refused_or_done(room, step)
        if isinstance(done, StepOutcome):
            _execute(room, step, _names(room, step, tries - 1))  # starts nothing: hears what nobody was there to hear
            return done
    for left in reversed(range(TRIES)):
        _execute(room, step, _programs(room, step))
        outcome = _refused_or_done(room, step, context.last_output())
        if isinstance(outcome, StepOutcome):
            return outcome
        if not left or room.trainer.explain(context.last_output()):
            raise outcome
        context.log(f"{step}: {outcome}; trying once more")
    raise AssertionError("every try returns or raises")


def _refused_or_done(room: _Room, step: VoiceStep, log_end: str = "") -> StepOutcome | StudioError:
    try:
        return room.trainer.confirm(room.work, step, log_end)
    except ToolFailedError as refusal:
        return refusal


def _execute(room: _Room, step: VoiceStep, programs: list[str]) -> None:
    """Run the step's programs side by side to their end; a known trouble is raised with its remedy."""
    recipe = room.work.recipe
    epochs = {VoiceStep.SOVITS: recipe.sovits.epochs, VoiceStep.GPT: recipe.gpt.epochs}.get(step, 0)
    watch = StepWatch(room.context, room.trainer, room.work, step, epochs)
    watch.begins()
    commands = {
        name: (lambda part=part: room.trainer.start(room.work, step, part)) for part, name in enumerate(programs)
    }
    try:
        room.context.execute_together(commands, on_line=watch.on_line, on_poll=watch.on_poll)
    except ToolFailedError as failure:
        raise (room.trainer.explain(room.context.last_output()) or failure) from failure
    finally:
        watch.on_poll()


def _programs(room: _Room, step: VoiceStep) -> list[str]:
    """Return the names of the programs that do a step, one for each part; what ended with 0 has the next try's name.

    A program that ended with 0 is never started again under its name, and a step may be refused by its files.
    """
    return _names(room, step, _tries(room, step))


def _tries(room: _Room, step: VoiceStep) -> int:
    """Return how often all programs of a step have ended with 0."""
    tries = 0
    while all(end is not None and end.returncode == 0 for end in map(room.context.ended, _names(room, step, tries))):
        tries += 1
    return tries


def _names(room: _Room, step: VoiceStep, tries: int) -> list[str]:
    again = f"-again{tries}" if tries else ""
    return [f"{step}-{part}{again}" for part in range(room.trainer.parts(room.work, step))]


def _result(
    room: _Room, clip_set: ClipSet, parts: Divided, kept: list[dict[str, Any]], lost: list[str]
) -> dict[str, Any]:
    return {
        "clip_set": clip_set.id,
        "version": room.work.recipe.version,
        "weights": kept,
        "held_out": [_told(one) for one in parts.held_out],
        "references": [_told(one) for one in parts.references],
        "lost": lost,
    }


def _told(clip: SetClip) -> dict[str, Any]:
    return {"sha256": clip.sha256, "text": clip.text, "seconds": clip.seconds, "language": clip.language}


def _voice(room: _Room, result: Mapping[str, Any], store: Store) -> str | None:
    from core.stages.voice_training.cards import CardChoice, voice_from

    last = {one["stage"]: one["epoch"] for one in sorted(result["weights"], key=lambda one: int(one["epoch"]))}
    if not result["references"] or set(last) != {"sovits", "gpt"}:
        return None
    wanted = CardChoice(
        run_id=room.context.run.id,
        sovits_epoch=last["sovits"],
        gpt_epoch=last["gpt"],
        name=room.settings.name,
    )
    return voice_from(wanted, room.context.run, result, store=store, who=room.context.run.created_by).id
