"""Gathers what a check before the start needs: the base's shape, how its samples are read, what a step took before."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from core.backends.rows import build
from core.backends.tools import FINE_TUNERS
from core.domain.recipe import TINY, FineTuning
from core.domain.run import Run, RunState
from core.errors import MissingArtifactError, StudioError
from core.stages.finetuning.bases.inspecting import inspect_base
from core.stages.finetuning.preflight import Preflight, Reading, Surroundings, preflight
from core.stages.finetuning.settings import FinetuneSettings
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.text import DatasetVersion
    from core.store import Store

SAMPLES_READ = 2000
"""Most samples that are read for a check; of more, so many are drawn by lot."""

_LIKE = ("base", "tiny", "method", "batch_size", "max_length", "pack", "device", "precision", "threads", "launcher")
"""Settings that decide how long a step takes."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things took in a former run of settings that cost the same."""

    run_id: str
    seconds_per_step: float
    seconds_beside: float
    """Building the base, converting, merging, trying out."""

    def seconds(self, steps: int) -> float:
        """Return how long a run of that many steps will take."""
        return self.seconds_beside + steps * self.seconds_per_step


@dataclass(frozen=True, slots=True)
class WrittenTraining:
    """What the trainer would be given."""

    name: str
    """The file's name."""
    text: str
    command: str
    """Trains by it, from a shell in the run's folder."""


def check(
    settings: FinetuneSettings,
    version: DatasetVersion,
    *,
    store: Store,
    read: Callable[[DatasetVersion, str], Reading] | None,
    around: Surroundings,
) -> Preflight:
    """Return what stands in the way of a training and what it will need.

    `read` reads the samples of a version with the tokenizer of a base model; without it they are not looked at.
    Raises MissingArtifactError where the base model is not there.
    """
    place = store.bases.folder_of(settings.base)
    base = None if place == TINY else inspect_base(_there(store.workspace / place, settings.base))
    reading: Reading | StudioError | None = None
    if read is not None and not (base and (base.problems or base.needs_conversion)):
        try:
            reading = read(version, place)
        except StudioError as refusal:
            reading = refusal
    return preflight(settings, version, base, reading, around)


def written(settings: FinetuneSettings, version: DatasetVersion, *, store: Store, python: Path) -> WrittenTraining:
    """Return the configuration that a run of these settings would hand to the trainer."""
    place = store.bases.folder_of(settings.base)
    base = Path("base") if place == TINY else store.workspace / place
    tuner = build(FINE_TUNERS, settings.trainer, python)
    with tempfile.TemporaryDirectory() as folder:
        work = FineTuning(
            folder=Path(folder),
            base=base,
            recipe=settings.recipe(),
            system=version.system_prompt,
            questions=settings.questions,
        )
        file = tuner.prepare(work)
        return WrittenTraining(file.name, file.read_text(encoding="utf-8"), tuner.by_hand(work))


def pace_of(
    settings: FinetuneSettings, runs: list[Run], curves: Callable[[str], list[Mapping[str, float]]]
) -> Pace | None:
    """Return the pace of the newest of those runs that cost the same a step and succeeded; None where there is none."""
    wanted = _cost(settings.model_dump(mode="json"))
    for run in runs:
        over = run.state is RunState.SUCCEEDED and run.attempt == 1 and run.started_at and run.finished_at
        if not over or _cost(run.settings) != wanted:
            continue
        seconds = [row["step_seconds"] for row in curves(run.id) if "step_seconds" in row]
        steps = run.result.get("steps")
        if seconds and steps and run.started_at and run.finished_at:
            each = median(seconds)
            whole = (run.finished_at - run.started_at).total_seconds()
            return Pace(run.id, each, max(whole - each * steps, 0.0))
    return None


def _cost(settings: Mapping[str, Any]) -> list[Any]:
    return [settings.get(name) for name in _LIKE]


def _there(folder: Path, base: str) -> Path:
    if not folder.is_dir():
        raise MissingArtifactError(
            N_("The base model {base} is not there."),
            remedy=N_("Bring it in under Base models, or choose another one."),
            base=base,
        )
    return folder
