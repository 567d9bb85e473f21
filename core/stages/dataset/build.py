"""From lines to numbered, split samples; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from core.domain.identity import fingerprint
from core.domain.persona import Persona
from core.domain.text import ReviewStatus, Sample, Source, SourceKind, Turn, Utterance
from core.stages.dataset import conversations as cut
from core.stages.dataset.settings import DatasetSettings
from core.stages.dataset.split import with_split
from core.stages.dataset.standalone import from_facts, from_quotes


@dataclass(frozen=True, slots=True)
class _Draft:
    """Turns with the place they come from."""

    source_id: str
    chapter: int
    turns: tuple[Turn, ...]


def build_samples(
    lines: Iterable[Utterance], sources: Mapping[str, Source], persona: Persona, settings: DatasetSettings
) -> list[Sample]:
    """Return the version's samples: scenes in reading order, then single quotes, then what she knows of herself."""
    drafts = list(_drafts(lines, sources, persona, settings))
    if settings.self_knowledge:
        drafts += [_Draft("", 0, turns) for turns in from_facts(persona.facts, persona.name)]
    samples = [cut.sample_of(draft.turns, draft.source_id, draft.chapter) for draft in _distinct(drafts)]
    narrated = {one.id: one.sha256 for one in sources.values() if one.kind is not SourceKind.QUOTES}
    return cut.numbered(with_split(samples, settings.held_out_share, narrated))


def content_fingerprint(system_prompt: str, samples: Sequence[Sample]) -> str:
    """Return the sha256 of what a trainer sees, the same however often the book was imported."""
    content = [[sample.split, [[turn.role, turn.text] for turn in sample.turns]] for sample in samples]
    return fingerprint([system_prompt, content])


def _drafts(
    lines: Iterable[Utterance], sources: Mapping[str, Source], persona: Persona, settings: DatasetSettings
) -> Iterator[_Draft]:
    cutting = cut.Cutting(
        scene_gap=settings.scene_gap,
        max_exchanges=settings.max_exchanges,
        max_heard_lines=settings.max_heard_lines,
        min_reply_characters=settings.min_reply_characters,
    )
    wanted = (line for line in cut.without_overlaps(lines) if _wanted(line, persona, settings))
    quotes: list[_Draft] = []
    for source_id, own in groupby(wanted, key=lambda line: line.source_id):
        if sources[source_id].kind is SourceKind.QUOTES:
            hers = [line for line in own if line.speaker == persona.name]
            quotes += [_Draft(source_id, line.chapter, turns) for line, turns in from_quotes(hers)]
            continue
        for scene in cut.scenes(own, cutting.scene_gap):
            for turns in cut.conversations(scene, persona.name, cutting):
                yield _Draft(source_id, scene[0].chapter, turns)
    yield from quotes


def _wanted(line: Utterance, persona: Persona, settings: DatasetSettings) -> bool:
    hers = line.speaker == persona.name
    if line.speaker is None or not cut.usable(line, with_thoughts=settings.with_thoughts and hers):
        return False
    if line.status is ReviewStatus.ACCEPTED:
        return True
    if settings.accepted_only or line.status is ReviewStatus.REJECTED:
        return False
    return not hers or line.confidence >= settings.min_confidence


def _distinct(drafts: Sequence[_Draft]) -> Iterator[_Draft]:
    seen: set[tuple[str, str]] = set()
    for draft in drafts:
        turns = cut.without_duplicates(draft.turns, seen)
        if turns:
            yield _Draft(draft.source_id, draft.chapter, turns)
