"""Building: the lines of a persona's sources become an immutable version."""

from __future__ import annotations

from typing import Any

from core.domain.identity import new_id, now
from core.domain.persona import Persona
from core.domain.text import DatasetVersion, ReviewStatus, Source, SourceKind, Split, Utterance
from core.errors import MissingArtifactError, NotFoundError
from core.jobs.context import RunContext
from core.stages.dataset.build import Built, Material, build_samples, content_fingerprint
from core.stages.dataset.echoes import near_words
from core.stages.dataset.settings import DatasetSettings
from core.stages.dataset.statistics import statistics
from core.store import Store
from core.store.utterances import UtteranceFilter
from core.translation import N_


def run(settings: DatasetSettings, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Build a version and return its id and what is in it."""
    version_id = context.step("version", lambda: new_id("ver"))
    version = _stored(version_id, store)
    if version is None:
        persona = store.personas.get(context.run.persona_id)
        sources = _sources(settings, persona, store)
        context.progress(0.1, N_("Reading the lines"))
        lines = _lines(sources, persona, store)
        context.check()
        context.progress(0.5, N_("Cutting conversations"))
        material = _material(lines, sources, persona, settings, store)
        built = build_samples(material, settings, near_words(persona.alias_table()))
        if not any(turn.utterance_ids for sample in built.samples for turn in sample.turns):
            raise _no_lines(persona)
        version = _version(version_id, material, built, settings, context, store)
        context.check()
        context.progress(0.8, N_("Freezing the version"))
        store.datasets.add(version, built.samples)
    context.log(f"{version.name}: {version.train_samples} train, {version.held_out_samples} held-out")
    context.progress(1.0, N_("{name} holds {count} samples"), name=version.name, count=version.train_samples)
    return {
        "version": version.id,
        "fingerprint": version.fingerprint,
        "train_samples": version.train_samples,
        "held_out_samples": version.held_out_samples,
    }


def _stored(version_id: str, store: Store) -> DatasetVersion | None:
    """Return the version when an earlier attempt of this run was interrupted after it had stored it."""
    try:
        return store.datasets.get(version_id)
    except NotFoundError:
        return None


def _sources(settings: DatasetSettings, persona: Persona, store: Store) -> dict[str, Source]:
    known = {source.id: source for source in store.corpus.sources(persona.id)}
    if not settings.source_ids:
        return known
    return {source_id: known.get(source_id) or store.corpus.source(source_id) for source_id in settings.source_ids}


def _lines(sources: dict[str, Source], persona: Persona, store: Store) -> list[Utterance]:
    lines: list[Utterance] = []
    for source in sorted(sources.values(), key=lambda one: (one.imported_at, one.sha256)):
        lines += store.utterances.iterate(UtteranceFilter(persona.id, source_id=source.id))
    return lines


def _no_lines(persona: Persona) -> MissingArtifactError:
    return MissingArtifactError(
        N_("There are no replies of {name} to learn from yet."),
        remedy=N_("Extract the dialogues first, or allow lines that are less certain or not yet accepted."),
        name=persona.name,
    )


def _material(
    lines: list[Utterance], sources: dict[str, Source], persona: Persona, settings: DatasetSettings, store: Store
) -> Material:
    collected = {one.id for one in sources.values() if one.kind is SourceKind.QUOTES}
    quotes = [line.id for line in lines if line.source_id in collected]
    return Material(
        lines=lines,
        sources=sources,
        persona=persona,
        expansions=store.expansions.of_quotes(quotes) if settings.synthetic_share else {},
        decisions=store.duplicates.decisions(persona.id, proposed=settings.drop_proposed),
    )


def _version(
    version_id: str, material: Material, built: Built, settings: DatasetSettings, context: RunContext, store: Store
) -> DatasetVersion:
    persona, samples = material.persona, built.samples
    held_out = sum(sample.split is Split.HELD_OUT for sample in samples)
    prompt = settings.prompt_of(persona.system_prompt)
    return DatasetVersion(
        id=version_id,
        persona_id=persona.id,
        name=settings.name or store.datasets.free_name(persona.id),
        note=settings.note,
        fingerprint=content_fingerprint(prompt, samples),
        system_prompt=prompt,
        settings=settings.model_dump(mode="json"),
        train_samples=len(samples) - held_out,
        held_out_samples=held_out,
        created_at=now(),
        run_id=context.run.id,
        statistics=statistics(
            samples,
            {source.id: source.name for source in material.sources.values()},
            accepted={line.id for line in material.lines if line.status is ReviewStatus.ACCEPTED},
            left_out=built.left_out,
        ),
    )
