"""The story of a 4-bit copy: made beside the model, loaded again, measured against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from core.backends.rows import build
from core.backends.tools import FINE_TUNERS
from core.domain.conversations import xtuner_conversations
from core.domain.recipe import FineTuning, Recipe
from core.domain.section import Section
from core.domain.text import Split
from core.stages.finetuning.registry import FOUR_BIT, files_in, home_of, put_in_place, write_manifest
from core.stages.finetuning.run import HELD_OUT_SAMPLES
from core.stages.finetuning.watching import execute
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.training import Model
    from core.jobs.context import RunContext
    from core.store import Store

_TRAINER = "xtuner"
_SHOWN = ("bytes", "held_out_loss", "device")


class QuantiseSettings(Section):
    """Which model to squeeze."""

    model_id: str = Field(min_length=1, description="The model to make a 4-bit copy of.")


def run(
    settings: QuantiseSettings, *, context: RunContext, store: Store, environment: Callable[[str], Path]
) -> dict[str, Any]:
    """Make the copy and return its size and its loss beside the model's; one that was there before is replaced.

    Raises MissingArtifactError when the model's files are gone, ToolFailedError where this machine cannot do it.
    """
    model = store.models.get(settings.model_id)
    home = home_of(model, store)
    context.progress(0.0, N_("Preparing the training program"))
    tuner = build(FINE_TUNERS, _TRAINER, environment(_TRAINER))
    context.versions(context.step("versions", tuner.versions))
    work, held_out = _work(model, home, context.folder, store)
    context.gpus(min(1, context.gpus_here))
    made = context.folder / FOUR_BIT
    context.progress(0.2, N_("Making the 4-bit copy and measuring it beside the model"))
    execute(context, tuner, "quantise", lambda: tuner.quantise(work, made, held_out))
    found = tuner.quantised(work)
    if made.exists():  # else an attempt before this one put it there
        put_in_place(made, home / FOUR_BIT)
    facts = _facts(found, home / FOUR_BIT, context.run.id)
    noted = store.models.put_copy(model.id, FOUR_BIT, facts, who=context.run.created_by)
    write_manifest(home, noted.manifest)
    context.progress(1.0, N_("The copy is ready"))
    return {"model": model.id, **{name: facts[name] for name in _SHOWN}, "answers": _answers(found, work)}


def _work(model: Model, home: Path, folder: Path, store: Store) -> tuple[FineTuning, list[dict[str, Any]]]:
    """Return what the program works on, and the held-out conversations it measures: those of the model's training."""
    questions = tuple(model.manifest.get("settings", {}).get("questions", ()))
    if model.dataset_version_id is None:
        return FineTuning(folder=folder, base=home, recipe=Recipe(), questions=questions), []
    version = store.datasets.get(model.dataset_version_id)
    samples = store.datasets.samples(version.id, split=Split.HELD_OUT, limit=HELD_OUT_SAMPLES)
    work = FineTuning(folder=folder, base=home, recipe=Recipe(), system=version.system_prompt, questions=questions)
    return work, xtuner_conversations(version, samples)


def _facts(found: Mapping[str, Any], copy: Path, run_id: str) -> dict[str, Any]:
    """Return what the manifest says of the copy."""
    both = {"model": found["model"], "4bit": found["copy"]}
    return {
        "run": run_id,
        "method": "bitsandbytes nf4, double quantisation",
        "versions": found["versions"],
        "device": found["device"],
        "bytes": {name: one["bytes"] for name, one in both.items()},
        "held_out_loss": {name: one["held_out_loss"] for name, one in both.items()},
        "files": files_in(copy),
    }


def _answers(found: Mapping[str, Any], work: FineTuning) -> dict[str, dict[str, str]]:
    both = {"model": found["model"], "4bit": found["copy"]}
    return {name: dict(zip(work.questions, one["answers"], strict=True)) for name, one in both.items()}
