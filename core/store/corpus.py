"""Imported files and their passages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from core.domain.text import Passage, PassageKind, ReviewStatus, Source, SourceKind
from core.errors import ConflictError, NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.files import Files
from core.store.records import from_row, plain, to_row
from core.translation import N_


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter at a glance."""

    number: int
    title: str
    paragraphs: int
    characters: int
    first: int
    """The ordinal of its first passage, its heading where it has one; a chapter's passages have no gaps."""


@dataclass(frozen=True, slots=True)
class Use:
    """What rests on a source."""

    lines: int
    reviewed: int
    """Lines somebody has decided about."""
    versions: int
    """Dataset versions with samples from it."""


def source_text(source: Source, files: Files) -> str:
    """Return the text the passages of a source count in: the decoded file, or what was read out of it."""
    if source.text_sha256:
        return files.read(source.text_sha256).decode("utf-8")
    return files.read(source.sha256).decode(source.encoding)


class Corpus(Rooms):
    """Sources and passages."""

    def add(self, source: Source, passages: Iterable[Passage], *, who: str = "app") -> None:
        """Store a source with all its passages, or nothing.

        Adding the same source again changes nothing; ConflictError when the persona has that file as another one.
        """
        rows = [to_row(passage, id=passage.id) for passage in passages]
        same = sa.select(t.source.c.id, t.source.c.name).where(
            t.source.c.persona_id == source.persona_id, t.source.c.sha256 == source.sha256
        )
        with self._writing() as db:
            known = db.execute(same).one_or_none()
            if known is not None and known.id == source.id:
                return  # a run that was interrupted after this very write
            if known is not None:
                raise ConflictError(
                    N_("{name} is already in the corpus, as {known}."),
                    remedy=N_("Nothing to do; delete the source first if you want to import it anew."),
                    name=source.name,
                    known=known.name,
                )
            db.execute(sa.insert(t.source).values(**to_row(source)))
            if rows:
                db.execute(sa.insert(t.passage), rows)
            record_event(db, who=who, entity="source", entity_id=source.id, action="import", after=plain(source))

    def sources(self, persona_id: str) -> list[Source]:
        """Return a persona's sources, newest first."""
        query = sa.select(t.source).where(t.source.c.persona_id == persona_id).order_by(t.source.c.imported_at.desc())
        with self._reading() as db:
            return [from_row(Source, row) for row in db.execute(query)]

    def source(self, source_id: str) -> Source:
        """Return the source; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.source).where(t.source.c.id == source_id)).one_or_none()
        if row is None:
            raise _gone(source_id)
        return from_row(Source, row)

    def passages(
        self, source_id: str, chapter: int | None = None, *, first: int = 0, limit: int | None = None
    ) -> list[Passage]:
        """Return a source's passages in reading order, all or of one chapter, from the ordinal `first` on."""
        query = sa.select(t.passage).where(t.passage.c.source_id == source_id).order_by(t.passage.c.ordinal)
        if chapter is not None:
            query = query.where(t.passage.c.chapter == chapter)
        if first:
            query = query.where(t.passage.c.ordinal >= first)
        with self._reading() as db:
            return [from_row(Passage, row) for row in db.execute(query.limit(limit))]

    def passage(self, passage_id: str) -> Passage:
        """Return the passage; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.passage).where(t.passage.c.id == passage_id)).one_or_none()
        if row is None:
            raise _gone(passage_id)
        return from_row(Passage, row)

    def chapters(self, source_id: str) -> list[Chapter]:
        """Return a source's chapters in order; chapter 0, where there is one, stands before the first heading."""
        is_heading = t.passage.c.kind == PassageKind.HEADING
        query = (
            sa.select(
                t.passage.c.chapter.label("number"),
                sa.func.coalesce(sa.func.max(sa.case((is_heading, t.passage.c.text))), "").label("title"),
                sa.func.sum(sa.case((is_heading, 0), else_=1)).label("paragraphs"),
                sa.func.sum(t.passage.c.end - t.passage.c.start).label("characters"),
                sa.func.min(t.passage.c.ordinal).label("first"),
            )
            .where(t.passage.c.source_id == source_id)
            .group_by(t.passage.c.chapter)
            .order_by(t.passage.c.chapter)
        )
        with self._reading() as db:
            return [from_row(Chapter, row) for row in db.execute(query)]

    def set_kind(self, source_id: str, kind: SourceKind, *, who: str) -> Source:
        """Correct what sort of text a source is and return it; lines already found in it stay as they are."""
        with self._writing() as db:
            before = self._held(db, source_id)
            after = replace(before, kind=kind)
            if after != before:
                db.execute(sa.update(t.source).where(t.source.c.id == source_id).values(kind=kind))
                record_event(
                    db,
                    who=who,
                    entity="source",
                    entity_id=source_id,
                    action="edit",
                    before={"kind": before.kind.value},
                    after={"kind": kind.value},
                )
        return after

    def use(self, source_id: str) -> Use:
        """Return what rests on a source, for who is about to delete it."""
        lines = sa.select(sa.func.count()).where(t.utterance.c.source_id == source_id)
        reviewed = lines.where(t.utterance.c.status != ReviewStatus.PENDING)
        versions = sa.select(sa.func.count(t.sample.c.version_id.distinct())).where(t.sample.c.source_id == source_id)
        parts = (query.scalar_subquery() for query in (lines, reviewed, versions))
        with self._reading() as db:
            return Use(*db.execute(sa.select(*parts)).one())

    def delete(self, source_id: str, *, who: str) -> None:
        """Delete a source with its passages and utterances; dataset versions built from it stay as they are."""
        with self._writing() as db:
            before = plain(self._held(db, source_id))
            db.execute(sa.delete(t.utterance).where(t.utterance.c.source_id == source_id))
            db.execute(sa.delete(t.passage).where(t.passage.c.source_id == source_id))
            db.execute(sa.delete(t.source).where(t.source.c.id == source_id))
            record_event(db, who=who, entity="source", entity_id=source_id, action="delete", before=before)

    @staticmethod
    def _held(db: sa.Connection, source_id: str) -> Source:
        row = db.execute(sa.select(t.source).where(t.source.c.id == source_id)).one_or_none()
        if row is None:
            raise _gone(source_id)
        return from_row(Source, row)


def _gone(record_id: str) -> NotFoundError:
    return NotFoundError(
        N_("{record} is not in the corpus any more."),
        remedy=N_("Open the corpus page and choose another text."),
        record=record_id,
    )
