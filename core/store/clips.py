"""Clips: paged, filtered and sorted here, never in the browser; every decision is one transaction with its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Reference
from core.errors import NotFoundError
from core.store import tables as t
from core.store.clip_changes import Change, ClipUndoing, Step, locked, seen, stale, write
from core.store.records import from_row
from core.translation import N_

_KEPT_BY_THE_STORE = frozenset({"id", "recording_id", "revision", "reviewed_by", "created_at"})
_UNKNOWN = 1e9
"""Sorts clips of which a measure is not known behind all others."""


class ClipOrder(StrEnum):
    """What clips are sorted by."""

    PLACE = "place"
    """As they stand in their recordings."""
    CONFIDENCE = "confidence"
    LENGTH = "length"
    LOUDNESS = "loudness"
    SNR = "snr"
    ODDNESS = "oddness"


def _measure(name: str) -> sa.ColumnElement[Any]:
    measure: sa.ColumnElement[Any] = t.clip.c.measures[name].as_float()
    return measure


_KEYS: Mapping[ClipOrder, sa.ColumnElement[Any]] = {
    ClipOrder.CONFIDENCE: t.clip.c.confidence,
    ClipOrder.LENGTH: t.clip.c.seconds,
    ClipOrder.LOUDNESS: _measure("loudness"),
    ClipOrder.SNR: _measure("snr_db"),
    ClipOrder.ODDNESS: t.clip.c.oddness,
}

_VALUES: Mapping[ClipOrder, Callable[[Clip], float | None]] = {
    ClipOrder.CONFIDENCE: lambda clip: clip.confidence,
    ClipOrder.LENGTH: lambda clip: clip.seconds,
    ClipOrder.LOUDNESS: lambda clip: clip.measures.loudness if clip.measures else None,
    ClipOrder.SNR: lambda clip: clip.measures.snr_db if clip.measures else None,
    ClipOrder.ODDNESS: lambda clip: clip.oddness,
}
"""The same of a clip at hand."""

ClipCursor = tuple[Any, ...]
"""Where a page ended, in the order it came from."""


@dataclass(frozen=True, slots=True)
class ClipFilter:
    """Which clips; None means any."""

    persona_id: str
    recording_id: str | None = None
    status: ReviewStatus | None = None
    wordless: bool | None = None
    """Whether nobody has said what is spoken."""
    complaint: str | None = None
    """The name of a rule that objects."""
    complained: bool | None = None
    """Whether any rule objects."""
    text: str | None = None
    """Stands somewhere in the words."""
    reference: Reference | None = None
    ids: tuple[str, ...] | None = None
    within: tuple[float, float] | None = None
    """Seconds of its recording that the clip has a share in."""


@dataclass(frozen=True, slots=True)
class ClipPage:
    """Some clips in order, and where the next page begins."""

    rows: tuple[Clip, ...]
    next_cursor: ClipCursor | None


class Clips(ClipUndoing):
    """Clips of a persona's recordings."""

    def page(
        self,
        where: ClipFilter,
        *,
        order: ClipOrder = ClipOrder.PLACE,
        descending: bool = False,
        after: ClipCursor | None = None,
        limit: int = 50,
    ) -> ClipPage:
        """Return the clips after the cursor, at most `limit`; what has no such measure comes last either way."""
        columns = _columns(order, descending=descending)
        named = [column.label(f"place_{number}") for number, column in enumerate(columns)]
        query = sa.select(t.clip, *named).where(_chosen(where)).order_by(*columns).limit(limit + 1)
        if after is not None:
            query = query.where(sa.tuple_(*columns) > sa.tuple_(*after))
        with self._reading() as db:
            found = db.execute(query).all()
        rows = tuple(from_row(Clip, row) for row in found[:limit])
        more = len(found) > limit
        return ClipPage(rows, tuple(found[limit - 1])[-len(columns) :] if more else None)

    def after(
        self, clip: Clip, where: ClipFilter, *, order: ClipOrder = ClipOrder.PLACE, descending: bool = False
    ) -> Clip | None:
        """Return the clip that follows, also of one that has just left the filter; after the last comes the first.

        None when no other clip is there.
        """
        place = _place(clip, order, descending=descending)
        rest = self.page(where, order=order, descending=descending, after=place, limit=1).rows
        found = rest or self.page(where, order=order, descending=descending, limit=1).rows
        return found[0] if found and found[0].id != clip.id else None

    def iterate(self, where: ClipFilter, *, batch: int = 500) -> Iterator[Clip]:
        """Yield every clip as it stands in its recording, without holding them all."""
        cursor: ClipCursor | None = None
        while True:
            page = self.page(where, after=cursor, limit=batch)
            yield from page.rows
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def count(self, where: ClipFilter) -> int:
        """Return how many clips there are."""
        with self._reading() as db:
            return int(db.execute(sa.select(sa.func.count()).select_from(t.clip).where(_chosen(where))).scalar_one())

    def counts(self, persona_id: str) -> dict[ReviewStatus, int]:
        """Return how many clips are in which state of review."""
        query = sa.select(t.clip.c.status, sa.func.count()).where(_of_persona(persona_id)).group_by(t.clip.c.status)
        with self._reading() as db:
            found = {ReviewStatus(status): int(count) for status, count in db.execute(query)}
        return {status: found.get(status, 0) for status in ReviewStatus if status is not ReviewStatus.MERGED}

    def seconds(self, where: ClipFilter) -> float:
        """Return how long the clips are together."""
        with self._reading() as db:
            return float(db.execute(sa.select(sa.func.sum(t.clip.c.seconds)).where(_chosen(where))).scalar() or 0)

    def get(self, clip_id: str) -> Clip:
        """Return the clip; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.clip).where(t.clip.c.id == clip_id)).one_or_none()
        if row is None:
            raise NotFoundError(
                N_("{record} is not in the voice dataset any more."),
                remedy=N_("Choose another one from the list."),
                record=clip_id,
            )
        return from_row(Clip, row)

    def of_line(self, persona_id: str, utterance_id: str) -> Clip | None:
        """Return the clip that speaks a line of the book: an accepted one first, never a rejected one, the newest."""
        table = t.clip.c
        ours = _of_persona(persona_id) & (table.utterance_id == utterance_id) & (table.status != ReviewStatus.REJECTED)
        first = sa.case((table.status == ReviewStatus.ACCEPTED, 0), else_=1)
        query = sa.select(t.clip).where(ours).order_by(first, table.created_at.desc()).limit(1)
        with self._reading() as db:
            row = db.execute(query).one_or_none()
        return from_row(Clip, row) if row else None

    def add(self, clips: Iterable[Clip], *, who: str = "app") -> int:
        """Store clips that are not there yet, as one change; return how many were new.

        A run that goes on after a crash may hand in again what it has stored.
        """
        wanted = {clip.id: clip for clip in clips}
        with self._writing() as db:
            there = set(db.execute(sa.select(t.clip.c.id).where(t.clip.c.id.in_(wanted))).scalars())
            new = [clip for clip in wanted.values() if clip.id not in there]
            if new:
                write(db, _change(db, new[0], who, "cut"), [(None, clip) for clip in new])
        return len(new)

    def edit(self, clip_id: str, revision: int, *, who: str, action: str = "edit", **changes: Any) -> Clip:
        """Change a clip and return it as it is now; ConflictError when it is not at that revision any more.

        `changes` are fields of a clip, among them `sha256`, `effects` and `measures` when it was rendered anew.
        """
        _check(changes)
        with self._writing() as db:
            clip = seen(db, clip_id, revision)
            after = _decided(clip, who, changes)
            write(db, _change(db, clip, who, action), [(clip, after)])
        return after

    def edit_these(self, revisions: Mapping[str, int], *, who: str, action: str = "edit", **changes: Any) -> int:
        """Change clips (id -> the revision seen) that are not so already, as one change; return how many.

        Those that are at another revision by now stay as they are; ConflictError when that is all of them.
        """
        _check(changes)
        with self._writing() as db:
            found = [one for one in locked(db, t.clip.c.id.in_(list(revisions))) if one.revision == revisions[one.id]]
            if revisions and not found:
                raise stale()
            return _change_all(db, found, who, action, changes)

    def edit_each(self, changes: Mapping[str, tuple[int, Mapping[str, Any]]], *, who: str, action: str) -> list[str]:
        """Change clips, each its own way (id -> the revision seen, the fields), as one change; return which were.

        Those that are at another revision by now stay as they are.
        """
        for _revision, fields in changes.values():
            _check(fields)
        with self._writing() as db:
            found = [one for one in locked(db, t.clip.c.id.in_(list(changes))) if one.revision == changes[one.id][0]]
            if found:
                steps: list[Step] = [(one, _decided(one, who, changes[one.id][1])) for one in found]
                write(db, _change(db, found[0], who, action), steps)
        return [one.id for one in found]

    def edit_all(self, where: ClipFilter, *, who: str, action: str = "edit", **changes: Any) -> int:
        """Change all clips of the filter that are not so already, as one change; return how many."""
        _check(changes)
        with self._writing() as db:
            return _change_all(db, locked(db, _chosen(where)), who, action, changes)

    def delete(self, revisions: Mapping[str, int], *, who: str) -> int:
        """Delete clips (id -> the revision seen), as one change that can be undone; return how many.

        Recordings and rendered files stay.
        """
        with self._writing() as db:
            found = [one for one in locked(db, t.clip.c.id.in_(list(revisions))) if one.revision == revisions[one.id]]
            if revisions and not found:
                raise stale()
            if found:
                write(db, _change(db, found[0], who, "delete"), [(one, None) for one in found])
        return len(found)

    def replace(
        self, revisions: Mapping[str, int], clips: Sequence[Clip], *, who: str, action: str
    ) -> tuple[Clip, ...]:
        """Put these clips in place of those (id -> the revision seen), as one change: how clips are split and joined.

        A clip whose id is among both is changed, others come and go. ConflictError when one is not as it was seen.
        """
        with self._writing() as db:
            old = {clip_id: seen(db, clip_id, revision) for clip_id, revision in sorted(revisions.items())}
            new = {
                one.id: replace(one, revision=old[one.id].revision + 1 if one.id in old else 0, reviewed_by=who)
                for one in clips
            }
            # What goes goes last: the first step is the one that stands for the change.
            steps: list[Step] = [(old.get(clip_id), clip) for clip_id, clip in new.items()]
            steps += [(clip, None) for clip_id, clip in old.items() if clip_id not in new]
            write(db, _change(db, clips[0], who, action), steps)
        return tuple(new.values())

    def judge(self, judged: Mapping[str, tuple[float | None, tuple[str, ...]]]) -> None:
        """Write oddness and complaints (clip id -> both): what is computed is no decision, so it leaves no event."""
        table = t.clip
        with self._writing() as db:
            for clip_id, (oddness, complaints) in judged.items():
                values = {"oddness": oddness, "complaints": list(complaints)}
                db.execute(sa.update(table).where(table.c.id == clip_id).values(**values))


def _columns(order: ClipOrder, *, descending: bool) -> tuple[sa.ColumnElement[Any], ...]:
    table = t.clip.c
    if order is ClipOrder.PLACE:
        return table.recording_id, table.start, table.id
    key = _KEYS[order]
    return sa.func.coalesce(-key if descending else key, _UNKNOWN), table.id


def _place(clip: Clip, order: ClipOrder, *, descending: bool) -> ClipCursor:
    """Return where a clip stands in an order, as `_columns` has it."""
    if order is ClipOrder.PLACE:
        return clip.recording_id, clip.start, clip.id
    value = _VALUES[order](clip)
    return (_UNKNOWN if value is None else -value if descending else value), clip.id


def _change_all(db: sa.Connection, clips: Sequence[Clip], who: str, action: str, changes: Mapping[str, Any]) -> int:
    other = [one for one in clips if any(getattr(one, name) != value for name, value in changes.items())]
    if other:
        write(db, _change(db, other[0], who, action), [(one, _decided(one, who, changes)) for one in other])
    return len(other)


def _decided(clip: Clip, who: str, changes: Mapping[str, Any]) -> Clip:
    return replace(clip, **changes, revision=clip.revision + 1, reviewed_by=who)


def _check(changes: Mapping[str, Any]) -> None:
    if wrong := _KEPT_BY_THE_STORE & set(changes):
        raise ValueError(f"not to be edited: {', '.join(sorted(wrong))}")


def _change(db: sa.Connection, clip: Clip, who: str, action: str) -> Change:
    query = sa.select(t.recording.c.persona_id).where(t.recording.c.id == clip.recording_id)
    return Change(who, db.execute(query).scalar_one(), action)


def _of_persona(persona_id: str) -> sa.ColumnElement[bool]:
    recordings = sa.select(t.recording.c.id).where(t.recording.c.persona_id == persona_id)
    return t.clip.c.recording_id.in_(recordings)


def _chosen(where: ClipFilter) -> sa.ColumnElement[bool]:
    table = t.clip.c
    rules = [_of_persona(where.persona_id), *_objected(where)]
    for column in (table.recording_id, table.status, table.reference):
        value = getattr(where, column.name)
        if value is not None:
            rules.append(column == value)
    if where.wordless is not None:
        rules.append((table.text == "") if where.wordless else (table.text != ""))
    if where.text:
        rules.append(table.text.contains(where.text, autoescape=True))
    if where.ids is not None:
        rules.append(table.id.in_(where.ids))
    if where.within is not None:
        rules.append((table.start < where.within[1]) & (table.end > where.within[0]))
    return sa.and_(*rules)


def _objected(where: ClipFilter) -> list[sa.ColumnElement[bool]]:
    complaints = sa.cast(t.clip.c.complaints, sa.Text)
    rules: list[sa.ColumnElement[bool]] = []
    if where.complained is not None:
        rules.append((complaints != "[]") if where.complained else (complaints == "[]"))
    if where.complaint is not None:
        rules.append(complaints.contains(f'"{where.complaint}"', autoescape=True))
    return rules
