"""The story of a persona test: scenes, replies, measures, a judge where one is asked, a scorecard with every reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.backends.llm import ChatModel
from core.domain.text import DatasetVersion
from core.domain.training import Vote
from core.errors import MissingArtifactError, NotFoundError
from core.stages.evaluation.fidelity.counting import Known, count
from core.stages.evaluation.fidelity.interview import Interview
from core.stages.evaluation.fidelity.judged import judged
from core.stages.evaluation.fidelity.scenes import held_out_scenes
from core.stages.evaluation.fidelity.settings import FidelitySettings
from core.stages.evaluation.fidelity.sheet import Sheet
from core.stages.evaluation.scorecards import keep_once
from core.translation import N_

if TYPE_CHECKING:
    from core.jobs.context import RunContext
    from core.store import Store


@dataclass(frozen=True, slots=True)
class Examined:
    """Who is tested: its name, its id in the registry where it has one, and itself."""

    name: str
    model_id: str | None
    model: ChatModel


def run(
    settings: FidelitySettings,
    *,
    context: RunContext,
    store: Store,
    examined: Examined,
    judge: ChatModel | None = None,
) -> dict[str, Any]:
    """Test a model and keep its scorecard with every reply; return its id.

    Raises MissingArtifactError without a dataset version that holds scenes out, and what the model raises.
    """
    persona = store.personas.get(context.run.persona_id)
    version = version_of(settings, persona.id, store)
    scenes = held_out_scenes(version, store, settings.scenes)
    context.progress(0.0, N_("Learning how she talks and others do"))
    known = Known.of(settings, persona, version, store)
    interview = Interview(settings, persona, version, context, examined.model)
    sheet = Sheet(examined.name, version.name)
    replies = interview.replies(scenes)
    count(sheet, scenes, replies, known)
    if settings.probes:
        interview.probe(sheet)
    if settings.ranked:
        interview.read(sheet, scenes[: settings.ranked])
    if judge is not None:
        votes = _decided_by_people(store, persona.id, settings.judged_votes)
        judged(sheet, judge, persona, scenes, replies, votes, context=context)
    context.progress(0.98, N_("Keeping the answers"))
    name, model_id = settings.name or examined.name, examined.model_id
    card_id = context.step(
        "keep",
        lambda: keep_once(
            context.run, store, name=name, model_id=model_id, summary=sheet.summary(), scores=sheet.scores,
            answers=sheet.answers,
        ),
    )  # fmt: skip
    context.progress(1.0, N_("The scorecard is ready"))
    return {"scorecard_id": card_id, "scenes": len(scenes), "dataset_version": version.id}


def inputs(settings: FidelitySettings, store: Store, persona_id: str) -> dict[str, Any]:
    """Return what a run with those settings rests on; raises what stands in its way before it is queued."""
    version = version_of(settings, persona_id, store)
    scenes = held_out_scenes(version, store, settings.scenes)
    return {"dataset_version": version.id, "model": settings.who, "scenes": len(scenes)}


def version_of(settings: FidelitySettings, persona_id: str, store: Store) -> DatasetVersion:
    """Return the version whose held-out chapters are the scenes; MissingArtifactError where there is none."""
    chosen = settings.dataset_version_id
    if chosen is None:
        try:
            chosen = store.models.get(settings.who).dataset_version_id
        except NotFoundError:
            chosen = None  # a server or her own lines were not trained on a version
    if chosen is not None:
        return store.datasets.get(chosen)
    versions = store.datasets.versions(persona_id)
    if not versions:
        raise MissingArtifactError(
            N_("There is no dataset version to take scenes from."),
            remedy=N_("Build one on the dataset page, with a share of chapters kept out."),
        )
    return versions[0]


def _decided_by_people(store: Store, persona_id: str, most: int) -> list[Vote]:
    """Return the newest votes of the arena that are for one of the two."""
    votes = store.votes.in_arena(persona_id, limit=None).rows
    return [one for one in votes if one.winner is not None][:most]
