"""Cleaning: near-duplicates and doubtful lines are looked for and put before the curator; nothing is left out here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from core.domain.cleaning import DuplicateCluster, DuplicateMember, Suspicion, content_of
from core.domain.identity import fingerprint
from core.domain.persona import Persona
from core.domain.section import Section
from core.domain.text import ReviewStatus, SourceKind, TextFormat, Utterance
from core.errors import MissingArtifactError
from core.jobs.context import RunContext
from core.settings import stage_defaults
from core.stages.dataset.near_duplicates import Cluster, Line, near_duplicates
from core.stages.dataset.near_duplicates import Settings as Likeness
from core.stages.dataset.suspects import Anachronisms, SuspectSettings, anachronistic, suspects
from core.store import Store
from core.store.utterances import UtteranceFilter
from core.translation import N_

_AT_ONCE = 2000
"""Synthetic lines read at once."""
_TRUST = {SourceKind.NOVEL: 1.0, SourceKind.SCREENPLAY: 1.0, SourceKind.QUOTES: 0.5}
"""A line in its scene is worth more than the same line collected."""
_RECOGNISED = 0.2
"""What a format takes from that whose text was laid out for the eye."""


class CleaningSettings(Section):
    """What a search takes; shown as a form by the page."""

    everybody: bool = Field(
        default=False, description="Look among the lines of all people; otherwise only among the persona's."
    )
    likeness: Likeness = Field(default=Likeness(), description="How alike lines must be to say the same.")
    doubts: SuspectSettings = Field(default=SuspectSettings(), description="Which lines look wrong or of no use.")


def run(settings: CleaningSettings, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Look through a persona's lines; return how many clusters and doubtful lines wait for a decision."""
    persona = store.personas.get(context.run.persona_id)
    context.progress(0.05, N_("Reading the lines"))
    lines = _lines(persona, store, everybody=settings.everybody)
    if not lines:
        raise MissingArtifactError(
            N_("There are no lines to look through yet."), remedy=N_("Extract the dialogues first.")
        )
    context.check()
    context.progress(0.2, N_("Comparing the lines"))
    found = near_duplicates(_to_compare(lines, persona, store), cast=persona.alias_table(), settings=settings.likeness)
    context.check()
    context.progress(0.8, N_("Writing what was found"))
    clusters = clusters_of(found, {line.id: line for line in lines}, persona.id)
    opened = store.duplicates.replace(persona.id, clusters, context.run.id)
    context.check()
    context.progress(0.85, N_("Looking for doubtful lines"))
    doubts = [*_doubtful(lines, persona, settings.doubts), *_out_of_time(persona, store)]
    doubtful = store.suspicions.replace(persona.id, doubts)
    context.log(f"{len(lines)} lines, {len(clusters)} clusters, {opened} of them open, {doubtful} doubts")
    context.progress(1.0, N_("{count} clusters and {doubts} doubts wait for a decision"), count=opened, doubts=doubtful)
    return {"lines": len(lines), "clusters": len(clusters), "open": opened, "doubts": doubtful}


def clusters_of(found: Sequence[Cluster], lines: Mapping[str, Utterance], persona_id: str) -> list[DuplicateCluster]:
    """Return the clusters as they are put before the curator, the surest first."""
    clusters = []
    for cluster in found:
        members = tuple(
            DuplicateMember(
                utterance_id=member.id,
                content=content_of(lines[member.id].text),
                text=lines[member.id].text,
                similarity=round(member.verdict.similarity, 4),
                reason=member.verdict.reason.value,
                proposed=number == 0,
                details=member.verdict.details,
            )
            for number, member in enumerate(cluster.members)
        )
        # Named by its lines: the same lines found again are the same cluster, with its history.
        name = fingerprint([persona_id, sorted(member.id for member in cluster.members)])[:16]
        clusters.append(DuplicateCluster(f"dup-{name}", persona_id, members))
    return sorted(
        clusters, key=lambda one: (-min(member.similarity for member in one.members), -len(one.members), one.id)
    )


def _lines(persona: Persona, store: Store, *, everybody: bool) -> list[Utterance]:
    where = UtteranceFilter(persona.id, speaker=None if everybody else persona.name)
    return [line for line in store.utterances.iterate(where) if line.status is not ReviewStatus.REJECTED]


def _to_compare(lines: Sequence[Utterance], persona: Persona, store: Store) -> list[Line]:
    trust = {
        source.id: _TRUST[source.kind] - (_RECOGNISED if source.format is TextFormat.PDF else 0)
        for source in store.corpus.sources(persona.id)
    }
    return [
        Line(line.id, line.text, line.status is ReviewStatus.ACCEPTED, trust.get(line.source_id, 0)) for line in lines
    ]


def _doubtful(lines: Sequence[Utterance], persona: Persona, settings: SuspectSettings) -> Iterator[Suspicion]:
    for line in lines:
        if line.status is ReviewStatus.PENDING:
            for found in suspects(line, persona, settings=settings):
                yield Suspicion(line.id, found.rule, found.message, found.values, line.text)


def _out_of_time(persona: Persona, store: Store) -> Iterator[Suspicion]:
    """Yield the synthetic lines that speak of what came after the persona's time."""
    known = stage_defaults("dataset", Anachronisms, preset="anachronisms")
    after = None
    while True:
        page = store.expansions.page(persona.id, status=ReviewStatus.PENDING, after=after, limit=_AT_ONCE)
        for line in page.rows:
            for found in anachronistic(line.text, known):
                yield Suspicion(line.id, found.rule, found.message, found.values, line.text, synthetic=True)
        after = page.next_cursor
        if after is None:
            return
