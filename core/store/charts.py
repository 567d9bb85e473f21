"""What charts show of the lines: how far the review is, who speaks where, and to whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

import sqlalchemy as sa

from core.domain.text import ReviewStatus, UtteranceKind
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row
from core.store.utterances import of_persona

_NEAR = 3
"""How many passages on an answer may begin."""
_UNHEARD = (UtteranceKind.THOUGHT, UtteranceKind.NONSPEECH)
_GONE = (ReviewStatus.REJECTED, ReviewStatus.MERGED)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many lines are in which state of review; merged ones are not counted."""

    everybody: Mapping[ReviewStatus, int]
    own: Mapping[ReviewStatus, int]
    """The lines of the persona itself."""


@dataclass(frozen=True, slots=True)
class ChapterProgress:
    """How far the review of one chapter is."""

    source_id: str
    chapter: int
    pending: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class ChapterLines:
    """How many lines somebody has in a chapter."""

    source_id: str
    chapter: int
    speaker: str
    lines: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """How often one is answered by the other."""

    speaker: str
    listener: str
    lines: int


class Charts(Rooms):
    """Counts over all lines of a persona, fast enough to be asked on each visit."""

    def progress(self, persona_id: str) -> Progress:
        """Return how many lines wait, were accepted and were rejected."""
        table = t.utterance.c
        columns = (table.source_id, table.speaker, table.status)
        query = sa.select(*columns, sa.func.count().label("lines")).where(of_persona(persona_id)).group_by(*columns)
        everybody, own = _nothing(), _nothing()
        with self._reading() as db:
            name = db.execute(sa.select(t.persona.c.name).where(t.persona.c.id == persona_id)).scalar()
            for _, speaker, status, lines in db.execute(query):
                if status in everybody:
                    everybody[ReviewStatus(status)] += lines
                    own[ReviewStatus(status)] += lines if speaker == name else 0
        return Progress(everybody, own)

    def progress_by_chapter(self, persona_id: str, source_id: str | None = None) -> list[ChapterProgress]:
        """Return the same for each chapter of one source or of all, in reading order."""
        table = t.utterance.c
        counts = (
            sa.func.sum(sa.case((table.status == status, 1), else_=0)).label(status.value)
            for status in (ReviewStatus.PENDING, ReviewStatus.ACCEPTED, ReviewStatus.REJECTED)
        )
        query = (
            sa.select(table.source_id, table.chapter, *counts)
            .where(_in(persona_id, source_id))
            .group_by(table.source_id, table.chapter)
            .order_by(table.source_id, table.chapter)
        )
        with self._reading() as db:
            return [from_row(ChapterProgress, row) for row in db.execute(query)]

    def lines_per_chapter(
        self, persona_id: str, source_id: str | None, speakers: Collection[str]
    ) -> list[ChapterLines]:
        """Return how much these people say in each chapter; chapters in which one is silent are left out."""
        table = t.utterance.c
        key = (table.source_id, table.chapter, table.speaker)
        query = (
            sa.select(*key, sa.func.count().label("lines"))
            .where(_in(persona_id, source_id), table.speaker.in_(speakers), table.status.not_in(_GONE))
            .group_by(*key)
            .order_by(*key)
        )
        with self._reading() as db:
            return [from_row(ChapterLines, row) for row in db.execute(query)]

    def who_speaks_to_whom(self, persona_id: str, source_id: str | None = None, *, top: int = 12) -> list[Exchange]:
        """Return who is answered by whom, most first, among the `top` who take part most.

        The listener is who speaks next in the same chapter, at most three passages on.
        """
        table = t.utterance.c
        # In the order of an index, so that nothing is sorted; the pairs are counted here, since SQL would sort them.
        query = (
            sa.select(table.source_id, table.chapter, table.ordinal, table.speaker)
            .where(_in(persona_id, source_id), table.status.not_in(_GONE), table.kind.not_in(_UNHEARD))
            .order_by(table.source_id, table.ordinal, table.start)
        )
        pairs: Counter[tuple[str | None, str | None]] = Counter()
        with self._reading() as db:
            for line, following in pairwise(db.execute(query)):
                book, chapter, place, speaker = line
                if speaker != following[3] and following[2] - place <= _NEAR and following[:2] == (book, chapter):
                    pairs[speaker, following[3]] += 1
        named = [Exchange(one, other, lines) for (one, other), lines in pairs.items() if one and other]
        return _among_the_busiest(named, top)


def _nothing() -> dict[ReviewStatus, int]:
    return {status: 0 for status in ReviewStatus if status != ReviewStatus.MERGED}


def _in(persona_id: str, source_id: str | None) -> sa.ColumnElement[bool]:
    return of_persona(persona_id) if source_id is None else t.utterance.c.source_id == source_id


def _among_the_busiest(found: Collection[Exchange], top: int) -> list[Exchange]:
    lines: Counter[str] = Counter()
    for one in found:
        lines[one.speaker] += one.lines
        lines[one.listener] += one.lines
    busiest = {name for name, _ in sorted(lines.items(), key=lambda each: (-each[1], each[0]))[:top]}
    kept = [one for one in found if {one.speaker, one.listener} <= busiest]
    return sorted(kept, key=lambda one: (-one.lines, one.speaker, one.listener))
