"""What people decide about lines: each decision is one transaction with its events, and can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from core.domain.identity import new_id
from core.domain.text import ReviewStatus, Utterance
from core.errors import InvalidInputError
from core.store import tables as t
from core.store.changes import Change, Step, begun, locked, seen, stale, write, write_all
from core.store.places import cut
from core.store.readings import standing
from core.store.undoing import LineUndoing
from core.store.utterances import UtteranceFilter, chosen
from core.translation import N_

_EDITABLE = frozenset({"text", "speaker", "kind", "status"})
_CLOSE = 2
"""How many passages on from a line's last one the next line may begin to be merged with it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One change to many lines."""

    id: str
    lines: int
    stale: int = 0
    """Lines asked for that somebody had changed since, and that were left as they are."""


class Review(LineUndoing):
    """Verbs on lines; each names the revision its author saw and raises ConflictError when it is another by now."""

    def edit(self, utterance_id: str, revision: int, *, who: str, **changes: Any) -> Utterance:
        """Change a line and return it as it is now; `changes` are of text, speaker, kind, status."""
        _check(changes)
        with self._writing() as db:
            line = seen(db, utterance_id, revision)
            if line.status is ReviewStatus.MERGED:
                raise stale()
            after = _decided(line, who, **changes)
            write(db, begun(db, line.source_id, who, "edit"), [(line, after)])
        return after

    def edit_all(self, where: UtteranceFilter, *, who: str, **changes: Any) -> Batch:
        """Change all lines of the filter that are not so already, whoever changed them meanwhile; one undo for all."""
        _check(changes)
        change = Change(who, where.persona_id, "edit", new_id("batch"))
        columns = t.utterance.c
        other = sa.or_(*(columns[name].is_distinct_from(value) for name, value in changes.items()))
        with self._writing() as db:
            lines = write_all(db, change, chosen(where) & (columns.status != ReviewStatus.MERGED) & other, changes)
        return Batch(change.batch, lines)

    def edit_these(self, revisions: Mapping[str, int], *, who: str, **changes: Any) -> Batch:
        """Change lines (id -> the revision its author saw) that are not so already; one undo for all.

        Lines that are at another revision by now stay as they are and are counted.
        """
        _check(changes)
        columns = t.utterance.c
        at_hand = sa.tuple_(columns.id, columns.revision).in_(list(revisions.items()))
        fresh = at_hand & (columns.status != ReviewStatus.MERGED)
        other = sa.or_(*(columns[name].is_distinct_from(value) for name, value in changes.items()))
        with self._writing() as db:
            found = db.execute(sa.select(columns.source_id).where(fresh)).scalars().all()
            if not found:
                raise stale()
            change = begun(db, found[0], who, "edit")
            lines = write_all(db, change, fresh & other, changes)
        return Batch(change.batch, lines, len(revisions) - len(found))

    def split(
        self,
        utterance_id: str,
        revision: int,
        at: int,
        *,
        who: str,
        speakers: tuple[str | None, str | None] | None = None,
    ) -> tuple[Utterance, Utterance]:
        """Cut a line in two before the character `at` of its words, and return both.

        The second one's id is where its words begin in the passage. InvalidInputError when there is nothing on one
        side, when the words were edited so that their place cannot be told, or when a line begins there already.
        """
        with self._writing() as db:
            line = seen(db, utterance_id, revision)
            ordinals = range(line.ordinal, line.ordinal + line.runs_on + 1)
            of_line = (t.passage.c.source_id == line.source_id) & t.passage.c.ordinal.in_(ordinals)
            query = sa.select(t.passage.c.text, t.passage.c.para).where(of_line).order_by(t.passage.c.ordinal)
            passages = db.execute(query).all()
            first, second = cut(line, at, [passage.text for passage in passages])
            second = replace(second, para=passages[second.ordinal - line.ordinal].para, revision=0)
            names = speakers or (line.speaker, line.speaker)
            first, second = (
                _decided(half, who, speaker=name) for half, name in zip((first, second), names, strict=True)
            )
            if second.id == line.id or locked(db, t.utterance.c.id == second.id):
                raise InvalidInputError(
                    N_("Another line begins at that place already."), remedy=N_("Choose another place to split at.")
                )
            write(db, begun(db, line.source_id, who, "split"), [(line, first), (None, second)])
        return first, second

    def merge(self, utterance_id: str, revision: int, *, who: str) -> Utterance:
        """Join a line with the next one in reading order and return it; the other one becomes MERGED."""
        with self._writing() as db:
            line = seen(db, utterance_id, revision)
            after = _next(db, line)
            if after is None:
                raise InvalidInputError(
                    N_("No line follows close enough to merge with this one."),
                    remedy=N_("Lines are merged with the next one, up to two paragraphs on."),
                )
            both = {one.id: one for one in locked(db, t.utterance.c.id.in_((line.id, after)))}
            other = both.get(after)
            if other is None or other.status is ReviewStatus.MERGED:
                raise stale()
            joined = _decided(line, who, **_joined(line, other))
            swallowed = _decided(other, who, status=ReviewStatus.MERGED)
            write(db, begun(db, line.source_id, who, "merge"), [(line, joined), (other, swallowed)])
        return joined

    def restore(self, utterance_id: str, revision: int, *, who: str) -> Utterance:
        """Make a line again what its extractors read, as if nobody had decided about it, and return it.

        Lines that were merged into it come back, those that were split off it go. InvalidInputError when nothing is
        known of what an extractor read.
        """
        with self._writing() as db:
            line = seen(db, utterance_id, revision)
            restored = None if line.status is ReviewStatus.MERGED else _restored(db, line)
            if restored is None:
                raise InvalidInputError(
                    N_("What an extractor read here cannot be brought back."),
                    remedy=N_("Undo the changes, or edit the line; a merged line comes back with the one before it."),
                )
            steps: list[Step] = [(line, restored)]
            last = max(_end(line), _end(restored))
            for one in _after(db, line, last):
                if one.status is ReviewStatus.MERGED:
                    steps.append((one, _restored(db, one) or _undecided(one)))
                elif _split_off(db, one) and _end(one) <= _end(restored):
                    steps.append((one, None))
            write(db, begun(db, line.source_id, who, "restore"), steps)
        return restored


def _check(changes: dict[str, Any]) -> None:
    if unknown := changes.keys() - _EDITABLE:
        raise TypeError(f"not editable: {sorted(unknown)}")
    if changes.get("status") is ReviewStatus.MERGED:
        raise TypeError("lines are merged by merge()")
    if not changes:
        raise TypeError("nothing to change")


def _decided(line: Utterance, who: str, **changes: Any) -> Utterance:
    return replace(line, revision=line.revision + 1, reviewed_by=who, disputed=False, **changes)


def _undecided(line: Utterance, **changes: Any) -> Utterance:
    marks: dict[str, Any] = {"revision": line.revision + 1, "reviewed_by": None, "status": ReviewStatus.PENDING}
    return replace(line, **marks, **{"disputed": False, **changes})


def _restored(db: sa.Connection, line: Utterance) -> Utterance | None:
    """Return the line as the reading that stands says; None when there is none."""
    query = sa.select(t.reading).where(t.reading.c.utterance_id == line.id)
    opinions = db.execute(query).mappings().all()
    if not opinions:
        return None
    shown = standing([dict(one) for one in opinions])
    return _undecided(line, **shown | {"kind": type(line.kind)(shown["kind"])})


def _end(line: Utterance) -> tuple[int, int]:
    return line.ordinal + line.runs_on, line.end


def _next(db: sa.Connection, line: Utterance) -> str | None:
    table = t.utterance.c
    query = (
        sa.select(table.id)
        .where(
            table.source_id == line.source_id,
            table.status != ReviewStatus.MERGED,
            sa.tuple_(table.ordinal, table.start) > sa.tuple_(line.ordinal, line.start),
            table.ordinal <= line.ordinal + line.runs_on + _CLOSE,
        )
        .order_by(table.ordinal, table.start)
        .limit(1)
    )
    return db.execute(query).scalar()


def _joined(line: Utterance, other: Utterance) -> dict[str, Any]:
    """Return what two lines are together; one that stands inside the other adds nothing."""
    if _end(other) <= _end(line):
        return {}
    latin = line.text[-1:].isascii() and other.text[:1].isascii()
    runs_on = other.ordinal + other.runs_on - line.ordinal
    return {"text": f"{line.text}{' ' if latin else ''}{other.text}", "end": other.end, "runs_on": runs_on}


def _after(db: sa.Connection, line: Utterance, last: tuple[int, int]) -> list[Utterance]:
    """Return the lines that begin after this one and before that place, locked."""
    table = t.utterance.c
    place = sa.tuple_(table.ordinal, table.start)
    behind = (place > sa.tuple_(line.ordinal, line.start)) & (place < sa.tuple_(*last))
    return locked(db, (table.source_id == line.source_id) & behind)


def _split_off(db: sa.Connection, line: Utterance) -> bool:
    """Whether the line came about by a split, and no extractor has found it since."""
    event = t.event.c
    made = sa.select(event.id).where(event.entity_id == line.id, event.entity == "utterance", event.action == "split")
    read = sa.select(t.reading.c.utterance_id).where(t.reading.c.utterance_id == line.id)
    return db.execute(made.limit(1)).first() is not None and db.execute(read).first() is None
