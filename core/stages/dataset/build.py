"""From lines to numbered, split samples; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from core.domain.cleaning import DuplicateDecision, content_of, dropped_lines
from core.domain.identity import fingerprint
from core.domain.persona import Persona
from core.domain.text import Expansion, ReviewStatus, Sample, Source, SourceKind, Turn, TurnRole, Utterance
from core.stages.dataset import conversations as cut
from core.stages.dataset.echoes import Echoes, same_words
from core.stages.dataset.settings import DatasetSettings
from core.stages.dataset.split import with_split
from core.stages.dataset.standalone import from_facts, from_quotes, with_expansions


@dataclass(frozen=True, slots=True)
class Material:
    """What a version is built from."""

    lines: Sequence[Utterance]
    """Source by source, in reading order."""
    sources: Mapping[str, Source]
    persona: Persona
    expansions: Mapping[str, Sequence[Expansion]] = field(default_factory=dict)
    """Quote id -> synthetic lines that lead to it."""
    decisions: Mapping[str, DuplicateDecision] = field(default_factory=dict)
    """Content -> what was decided about near-duplicates."""


@dataclass(frozen=True, slots=True)
class Built:
    """A version's samples, and how many replies were left out for which reason."""

    samples: list[Sample]
    left_out: Mapping[str, int]
    """`near_duplicates`: decided so; `repeated`: the same exchange again; `near_held_out`: would tell what
    evaluation asks."""


def build_samples(material: Material, settings: DatasetSettings, echoes: Echoes = same_words) -> Built:
    """Return the version's samples: scenes in reading order, then single quotes, then what she knows of herself."""
    persona, sources = material.persona, material.sources
    wanted = [line for line in cut.without_overlaps(material.lines) if _wanted(line, persona, settings)]
    dropped = _dropped(wanted, material.decisions)
    drafts = list(_drafts(wanted, dropped, sources, persona, settings))
    if settings.self_knowledge:
        drafts += [cut.sample_of(turns, "", 0) for turns in from_facts(persona.facts, persona.name)]
    distinct = list(_distinct(drafts))
    narrated = {one.id: one.sha256 for one in sources.values() if one.kind is not SourceKind.QUOTES}
    split, near_held_out = with_split(distinct, settings.held_out_share, narrated, echoes)
    statuses = {ReviewStatus.ACCEPTED} | ({ReviewStatus.PENDING} if settings.pending_expansions else set())
    samples = with_expansions(
        split,
        material.expansions,
        share=settings.synthetic_share,
        per_quote=settings.expansions_per_quote,
        statuses=statuses,
    )
    left_out = {
        "near_duplicates": sum(line.id in dropped for line in wanted if line.speaker == persona.name),
        "repeated": _replies(drafts) - _replies(distinct),
        "near_held_out": near_held_out,
    }
    return Built(cut.numbered(samples), left_out)


def content_fingerprint(system_prompt: str, samples: Sequence[Sample]) -> str:
    """Return the sha256 of what a trainer sees, the same however often the book was imported."""
    content = [[sample.split, [_seen(turn) for turn in sample.turns]] for sample in samples]
    return fingerprint([system_prompt, content])


def _seen(turn: Turn) -> list[str]:
    return [turn.role, turn.text, *(("context",) if turn.context and turn.role is TurnRole.PERSONA else ())]


def _dropped(lines: Sequence[Utterance], decisions: Mapping[str, DuplicateDecision]) -> frozenset[str]:
    return dropped_lines(((line.id, content_of(line.text)) for line in lines), decisions) if decisions else frozenset()


def _drafts(
    lines: Sequence[Utterance],
    dropped: Collection[str],
    sources: Mapping[str, Source],
    persona: Persona,
    settings: DatasetSettings,
) -> Iterator[Sample]:
    cutting = cut.Cutting(
        scene_gap=settings.scene_gap,
        max_exchanges=settings.max_exchanges,
        max_heard_lines=settings.max_heard_lines,
        min_reply_characters=settings.min_reply_characters,
        overlap=settings.overlap,
    )
    quotes: list[Sample] = []
    for source_id, own in groupby(lines, key=lambda line: line.source_id):
        if sources[source_id].kind is SourceKind.QUOTES:
            hers = [line for line in own if line.speaker == persona.name and line.id not in dropped]
            quotes += [cut.sample_of(turns, source_id, line.chapter) for line, turns in from_quotes(hers)]
            continue
        for scene in cut.scenes(own, cutting.scene_gap):
            for turns in cut.conversations(scene, persona.name, cutting, dropped):
                yield cut.sample_of(turns, source_id, scene[0].chapter)
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


def _distinct(samples: Sequence[Sample]) -> Iterator[Sample]:
    seen: set[tuple[str, str]] = set()
    for sample in samples:
        turns = cut.without_repetitions(sample.turns, seen)
        if turns:
            yield cut.sample_of(turns, sample.source_id, sample.chapter)


def _replies(samples: Sequence[Sample]) -> int:
    return sum(1 for sample in samples for _ in cut.learnt(sample))
