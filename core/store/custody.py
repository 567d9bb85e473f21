"""The chain of custody: from a reply back to the sentence in the book, as joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from core.domain.chat import Message
from core.domain.text import DatasetVersion, Passage, ReviewStatus, Source, Utterance
from core.domain.training import Model
from core.lifecycle import Artifact
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row


@dataclass(frozen=True, slots=True)
class Chain:
    """Everything a reply rests on, as far as it is known."""

    message: Message
    model: Model | None = None
    run_id: str | None = None
    dataset_version: DatasetVersion | None = None
    utterance: Utterance | None = None
    passage: Passage | None = None
    source: Source | None = None
    voice: Model | None = None
    """The trained voice that spoke it; it names its training and its clip set."""


class Custody(Rooms):
    """Joins along the origin columns."""

    def of_message(self, message: Message) -> Chain:
        """Return what made a reply: its model, run and dataset version, or its line, passage and file; its voice."""
        model, version = self._trained(message.model_id)
        utterance, passage, source = self._quoted(message.utterance_id)
        run_id = model.run_id if model else None
        voice, _none = self._trained(message.voice)
        return Chain(message, model, run_id, version, utterance, passage, source, voice)

    def holdings(self, persona_id: str) -> Mapping[Artifact, int]:
        """Return how much of each artifact a persona has."""
        sources = sa.select(t.source.c.id).where(t.source.c.persona_id == persona_id)
        versions = sa.select(t.dataset_version.c.id).where(t.dataset_version.c.persona_id == persona_id)
        recordings = sa.select(t.recording.c.id).where(t.recording.c.persona_id == persona_id)
        model = t.model.c
        mine = (model.persona_id == persona_id) & model.removed_at.is_(None)
        counted: dict[Artifact, sa.ColumnElement[bool]] = {
            Artifact.FILES: t.source.c.persona_id == persona_id,
            Artifact.PASSAGES: t.passage.c.source_id.in_(sources),
            Artifact.UTTERANCES: t.utterance.c.source_id.in_(sources) & (t.utterance.c.status != ReviewStatus.MERGED),
            Artifact.SAMPLES: t.sample.c.version_id.in_(versions),
            Artifact.TEXT_MODELS: mine & (model.kind == "text"),
            Artifact.RECORDINGS: t.recording.c.persona_id == persona_id,
            Artifact.CLIPS: t.clip.c.recording_id.in_(recordings),
            Artifact.VOICE_MODELS: mine & (model.kind == "voice"),
            Artifact.SCORECARDS: t.scorecard.c.persona_id == persona_id,
            Artifact.CONVERSATIONS: t.conversation.c.persona_id == persona_id,
        }
        count = sa.func.count()
        query = sa.select(*(sa.select(count).where(rule).scalar_subquery() for rule in counted.values()))
        with self._reading() as db:
            return dict(zip(counted, db.execute(query).one(), strict=True))

    def _trained(self, model_id: str | None) -> tuple[Model | None, DatasetVersion | None]:
        if model_id is None:
            return None, None
        with self._reading() as db:
            row = db.execute(sa.select(t.model).where(t.model.c.id == model_id)).one_or_none()
            if row is None:
                return None, None
            version = sa.select(t.dataset_version).where(t.dataset_version.c.id == row.dataset_version_id)
            found = db.execute(version).one_or_none()
        return from_row(Model, row), from_row(DatasetVersion, found) if found is not None else None

    def _quoted(self, utterance_id: str | None) -> tuple[Utterance | None, Passage | None, Source | None]:
        if utterance_id is None:
            return None, None, None
        with self._reading() as db:
            line = db.execute(sa.select(t.utterance).where(t.utterance.c.id == utterance_id)).one_or_none()
            if line is None:
                return None, None, None
            passage = db.execute(sa.select(t.passage).where(t.passage.c.id == line.passage_id)).one()
            source = db.execute(sa.select(t.source).where(t.source.c.id == line.source_id)).one()
        return from_row(Utterance, line), from_row(Passage, passage), from_row(Source, source)
