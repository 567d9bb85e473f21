"""Extraction: the passages of each source become utterances, all of a source in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from core.domain.persona import Persona
from core.domain.text import Passage, Source, SourceKind, Utterance
from core.errors import MissingArtifactError
from core.jobs.context import RunContext
from core.stages.dialogues.extractors import Extractor, extractor, extractor_for
from core.stages.dialogues.settings import DialogueSettings
from core.store import Store
from core.translation import N_

_TELL_EVERY = 500
"""Passages between two looks at whether the run was stopped."""


def run(settings: DialogueSettings, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Extract the chosen sources and return what was found; running it again gives the same lines once."""
    persona = store.personas.get(context.run.persona_id)
    sources = _chosen(settings, persona, store)
    speakers: Counter[str] = Counter()
    lines = 0
    for position, source in enumerate(sources):
        row = extractor_for(source.kind) if settings.method == "auto" else extractor(settings.method)
        passages = store.corpus.passages(source.id)
        share = (position / len(sources), 1 / len(sources))
        found = list(_told(_extracted(row, settings, persona, passages), source, passages, share, context))
        kept = store.utterances.replace(source.id, row.name, found, context.run.id)
        context.log(f"{source.name}: {kept} lines by {row.name}")
        speakers.update(line.speaker for line in found if line.speaker)
        lines += len(found)
    context.progress(1.0, N_("Found {lines} lines, {own} of them by {name}"), **_figures(lines, speakers, persona))
    return {
        "sources": [source.id for source in sources],
        "lines": lines,
        "persona_lines": speakers[persona.name],
        "speakers": len(speakers),
    }


def _chosen(settings: DialogueSettings, persona: Persona, store: Store) -> list[Source]:
    if settings.source_ids:
        return [store.corpus.source(source_id) for source_id in settings.source_ids]
    sources = store.corpus.sources(persona.id)
    if not sources:
        raise MissingArtifactError(
            N_("{name} has no corpus yet."), remedy=N_("Import a text on the corpus page first."), name=persona.name
        )
    return sources


def _extracted(
    row: Extractor, settings: DialogueSettings, persona: Persona, passages: list[Passage]
) -> Iterator[Utterance]:
    named = settings.use_cast or row.suits is not SourceKind.NOVEL  # only narration shows names by itself
    return row.extract(passages, persona.alias_table() if named else {})


def _told(
    lines: Iterator[Utterance],
    source: Source,
    passages: list[Passage],
    share: tuple[float, float],
    context: RunContext,
) -> Iterator[Utterance]:
    """Pass the lines on, telling how far they are and stopping when asked to."""
    due = 0
    for line in lines:
        if line.ordinal >= due:
            due = line.ordinal + _TELL_EVERY
            context.check()
            done = line.ordinal / max(len(passages), 1)
            context.progress(share[0] + share[1] * done, N_("Reading {name}"), name=source.name)
        yield line


def _figures(lines: int, speakers: Counter[str], persona: Persona) -> dict[str, Any]:
    return {"lines": lines, "own": speakers[persona.name], "name": persona.name}
