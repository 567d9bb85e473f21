"""The story of a fine-tuning: data, base model, training, conversion, merge, trial, registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.backends.rows import build
from core.backends.tools import BOOK, CONVERSATIONS, FINE_TUNERS, FineTuner
from core.domain.conversations import xtuner_conversations
from core.domain.identity import now
from core.domain.recipe import TINY, FineTuning
from core.domain.text import DatasetVersion, Split
from core.domain.training import Model, ModelKind
from core.errors import MissingArtifactError
from core.jobs.whole import write_whole
from core.stages.finetuning.bases.inspecting import needs_conversion
from core.stages.finetuning.reading import book_of, foreseen_by_counting
from core.stages.finetuning.registry import bring_home, files_in, model_id_of, put_beside
from core.stages.finetuning.settings import FinetuneSettings
from core.stages.finetuning.watching import BaseWatch, TrainingWatch, execute
from core.store.files import sha256_of
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.run import Command
    from core.jobs.context import RunContext
    from core.store import Store

HELD_OUT_SAMPLES = 64
"""Most held-out samples that the trial measures; enough for a tiny model's loss to be steady."""


@dataclass(frozen=True)
class _Room:
    """What every part of the story needs."""

    settings: FinetuneSettings
    context: RunContext
    tuner: FineTuner
    version: DatasetVersion
    work: FineTuning
    home: Path
    """Where the model will live: `workspace/models/<id>`."""
    begin: float
    """Share of the run's progress that building the trainer's environment took."""

    @property
    def reads_book(self) -> bool:
        """Whether a base is built that reads the persona's book, too."""
        return self.builds_base and self.settings.tiny.reads == "book"

    def at(self, fraction: float) -> float:
        """Return the run's progress when that fraction of what follows is done."""
        return self.begin + (1 - self.begin) * fraction

    def span(self, begin: float, end: float) -> tuple[float, float]:
        """Return the two ends of a part as the run's progress."""
        return self.at(begin), self.at(end)

    @property
    def builds_base(self) -> bool:
        return self.settings.base == TINY

    def execute(self, name: str, command: Callable[[], Command], **watch: Callable[..., None]) -> None:
        """Run one of the trainer's programs; a known trouble at the end of its log is raised with its remedy."""
        execute(self.context, self.tuner, name, command, **watch)


def run(
    settings: FinetuneSettings, *, context: RunContext, store: Store, environment: Callable[[str], Path]
) -> dict[str, Any]:
    """Train, merge and register a model; return its id and the figures.

    `environment` returns the interpreter of a tool's environment by the tool's name, and builds it first
    where it is missing. Raises MissingArtifactError without samples or base model, ToolFailedError with a
    remedy when the trainer fails, RunCancelledError when stopped; the last checkpoint is kept then.
    """
    version = store.datasets.get(context.run.inputs["dataset_version"])
    base = _base_folder(settings, store)
    context.progress(0.0, N_("Preparing the training program"))
    tuner = build(FINE_TUNERS, settings.trainer, environment(settings.trainer))
    context.versions(context.step("versions", tuner.versions))
    work = FineTuning(
        folder=context.folder,
        base=base,
        recipe=settings.recipe(),
        system=version.system_prompt,
        questions=settings.questions,
    )
    home = store.workspace / "models" / model_id_of(context.run.id)
    room = _Room(settings, context, tuner, version, work, home, begin=_progress_of(context, store))
    context.progress(room.at(0.02), N_("Writing the conversations"))
    held_out = _write_data(room, store)
    _take_gpus(room)
    _make_base(room)
    final = _train(room)
    _finish(room, held_out)
    context.progress(room.at(0.97), N_("Comparing with models that only count characters"))
    references = context.step("references", lambda: _references(room, held_out))
    context.progress(room.at(0.98), N_("Registering the model"))
    context.step("register", lambda: _register(room, store, final, references))
    context.progress(1.0, N_("The model is ready"))
    return _result(room, final, references)


def inputs(settings: FinetuneSettings, store: Store, persona_id: str) -> dict[str, Any]:
    """Return the version that a run with those settings reads; a newer one built while it waits changes nothing.

    Raises MissingArtifactError when there is none yet.
    """
    version = _version(settings, store, persona_id)
    return {"dataset_version": version.id, "fingerprint": version.fingerprint}


def _progress_of(context: RunContext, store: Store) -> float:
    """Return how far the run is already; building an environment counts."""
    return min(store.runs.get(context.run.id).progress.fraction or 0.0, 0.5)


def _version(settings: FinetuneSettings, store: Store, persona_id: str) -> DatasetVersion:
    if settings.dataset_version_id:
        return store.datasets.get(settings.dataset_version_id)
    versions = store.datasets.versions(persona_id)
    if not versions:
        raise MissingArtifactError(
            N_("There is no dataset version to train on."), remedy=N_("Build one on the dataset page first.")
        )
    return versions[0]


def _base_folder(settings: FinetuneSettings, store: Store) -> Path:
    """Return the base model's folder; what would run code of its own is refused."""
    if settings.base == TINY:
        return Path("base")
    folder = store.workspace / store.bases.folder_of(settings.base)
    config = folder / "config.json"
    if not config.is_file() or not any(folder.glob("*.safetensors")):
        raise MissingArtifactError(
            N_("The base model {base} is not there, or its folder holds no config.json and safetensors."),
            remedy=N_("Bring it in on the fine-tuning page, under Base models; or choose “tiny”."),
            base=settings.base,
        )
    told = json.loads(config.read_text(encoding="utf-8"))
    if needs_conversion(told) or "auto_map" in told:
        raise MissingArtifactError(
            N_("The base model {base} wants to run program code of its own, which is never done here."),
            remedy=N_("Bring it in on the fine-tuning page, under Base models: that converts it to the Llama form.")
            if needs_conversion(told)
            else N_("Use a copy converted to the Llama form, or another base model."),
            base=settings.base,
        )
    return folder


def _write_data(room: _Room, store: Store) -> list[dict[str, Any]]:
    """Write the training file; return the held-out conversations the trial measures."""
    train = xtuner_conversations(room.version, store.datasets.samples(room.version.id, split=Split.TRAIN))
    if not any(turn.get("output_with_loss", True) for one in train for turn in one["conversation"]):
        raise MissingArtifactError(
            N_("The dataset version {version} has no sample to train on."),
            remedy=N_("Build a version with more lines of the persona on the dataset page."),
            version=room.version.name,
        )
    _write_once(room.context.folder / CONVERSATIONS, json.dumps(train, ensure_ascii=False, indent=1))
    if room.reads_book:
        _write_once(room.context.folder / BOOK, "\n".join(book_of(room.version, store)))
    held_out = store.datasets.samples(room.version.id, split=Split.HELD_OUT, limit=HELD_OUT_SAMPLES)
    return xtuner_conversations(room.version, held_out)


def _take_gpus(room: _Room) -> None:
    """Wait for this machine's GPUs; under Slurm the scheduler gives them out."""
    recipe = room.work.recipe
    if recipe.device == "gpu" and recipe.launcher.scheduler != "slurm":
        room.context.gpus(recipe.launcher.devices)


def _write_once(file: Path, text: str) -> None:
    """Write the file whole, unless an earlier attempt of the run has."""
    if not file.exists():
        write_whole(file, text)


def _make_base(room: _Room) -> None:
    if room.builds_base:
        watch = BaseWatch(room.context, room.tuner, span=room.span(0.03, 0.3))
        room.execute("base", lambda: room.tuner.build_base(room.work, room.settings.tiny), on_line=watch.on_line)


def _train(room: _Room) -> dict[str, Any]:
    """Train and return `steps`, `first_loss` and `final_loss`."""
    watch = TrainingWatch(room.context, room.tuner, room.work, span=room.span(0.3 if room.builds_base else 0.03, 0.75))
    room.tuner.prepare(room.work)
    elsewhere = room.tuner.on_other_machines(room.work)
    if elsewhere:
        room.context.log(f"waiting for the other machines; start on each, with its number at the end: {elsewhere}")
    try:
        room.execute("train", lambda: room.tuner.train(room.work), on_line=watch.on_line, on_poll=watch.on_poll)
    finally:
        watch.on_poll()
    reached = room.tuner.last_checkpoint(room.work)
    measured = room.tuner.measurements(room.work, 0)
    losses = [values["loss"] for _, values in measured if "loss" in values]
    return {
        "steps": reached.step if reached else 0,
        "first_loss": losses[0] if losses else None,
        "final_loss": losses[-1] if losses else None,
    }


def _finish(room: _Room, held_out: list[dict[str, Any]]) -> None:
    """Turn the checkpoint into a model that the app loads, and see that it does."""
    if room.home.exists():
        return
    room.context.progress(room.at(0.76), N_("Converting the checkpoint"))
    room.execute("convert", lambda: room.tuner.convert(room.work))
    if room.work.recipe.makes_adapter:
        room.context.progress(room.at(0.84), N_("Merging adapter and base model"))
        room.execute("merge", lambda: room.tuner.merge(room.work))
    room.context.progress(room.at(0.92), N_("Trying the model out"))
    models = {"base": room.work.base, "merged": room.tuner.merged(room.work)}
    room.execute("trial", lambda: room.tuner.try_out(room.work, models, held_out))


def _references(room: _Room, held_out: list[dict[str, Any]]) -> dict[str, float]:
    """Return how well models that only count characters foresee the held-out replies, from what was read here."""
    train = json.loads((room.context.folder / CONVERSATIONS).read_text(encoding="utf-8"))
    book = (room.context.folder / BOOK).read_text(encoding="utf-8") if room.reads_book else ""
    return foreseen_by_counting(train, [passage for passage in book.split("\n") if passage], held_out)


def _register(room: _Room, store: Store, final: Mapping[str, Any], references: Mapping[str, float]) -> None:
    merged = room.tuner.merged(room.work)
    if room.work.recipe.makes_adapter and merged.exists():
        put_beside(room.tuner.adapter(room.work), merged)
    manifest = _manifest(room, store, final, references)
    bring_home(merged, room.home, manifest)
    store.models.add(
        Model(
            id=room.home.name,
            persona_id=room.context.run.persona_id,
            kind=ModelKind.TEXT,
            name=room.settings.name or f"{_base_name(room)} · {room.version.name}",
            run_id=room.context.run.id,
            dataset_version_id=room.version.id,
            base=_base_name(room),
            folder=str(room.home.relative_to(store.workspace)),
            created_at=now(),
            manifest=manifest,
        )
    )


def _base_name(room: _Room) -> str:
    return TINY if room.builds_base else Path(room.settings.base).name


def _manifest(room: _Room, store: Store, final: Mapping[str, Any], references: Mapping[str, float]) -> dict[str, Any]:
    """Return everything needed to trust the model and to make it again."""
    record = store.runs.get(room.context.run.id)
    folder = room.context.folder
    merged = room.tuner.merged(room.work)
    return {
        "run": record.id,
        "dataset_version": {
            "id": room.version.id,
            "name": room.version.name,
            "fingerprint": room.version.fingerprint,
            "train_samples": room.version.train_samples,
            "held_out_samples": room.version.held_out_samples,
        },
        "base": {"name": _base_name(room), "files": files_in(folder / room.work.base)},
        "settings": room.settings.model_dump(mode="json"),
        "seed": room.settings.seed,
        "commands": [dict(command) for command in record.commands],
        "versions": dict(record.versions),
        "inputs": {name: sha256_of(folder / name) for name in (CONVERSATIONS, *((BOOK,) if room.reads_book else ()))},
        **final,
        "trial": room.tuner.trial(room.work),
        "references": dict(references),
        "files": files_in(merged if merged.exists() else room.home),
    }


def _result(room: _Room, final: Mapping[str, Any], references: Mapping[str, float]) -> dict[str, Any]:
    trial = room.tuner.trial(room.work)
    return {
        "model": room.home.name,
        "dataset_version": room.version.id,
        **final,
        "parameters": trial["merged"]["parameters"],
        "held_out_loss": {name: one["held_out_loss"] for name, one in trial.items()},
        "held_out_nats_per_character": {
            **{name: one["held_out_nats_per_character"] for name, one in trial.items()},
            **references,
        },
        "answers": {name: dict(zip(room.work.questions, one["answers"], strict=True)) for name, one in trial.items()},
    }
