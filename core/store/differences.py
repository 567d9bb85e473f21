"""What differs between two dataset versions, row by row, and why: the events on the lines between the two."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.domain.text import DatasetVersion, Sample, TurnRole
from core.store import tables as t
from core.store.cluster_rows import ENTITY as DUPLICATES
from core.store.database import Rooms
from core.store.events import Event
from core.store.records import from_row, plain

_AT_ONCE = 500
"""Records in one query; databases bound how many values a statement may carry."""
_UNTOLD = frozenset({"name", "note"})
"""Settings that change nothing in the samples."""


class RowChange(StrEnum):
    """What became of a row from one version to the other."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Cause(StrEnum):
    """Why a row differs, as far as the store can tell."""

    REVIEW = "review"
    """Somebody edited, accepted or rejected one of its lines, or wrote or reviewed what leads to it."""
    DUPLICATES = "duplicates"
    """Somebody decided about near-duplicates of one of its lines."""
    EXTRACTION = "extraction"
    """One of its lines was read anew."""
    SIDE = "side"
    """Nothing in it changed but its side."""
    SETTINGS = "settings"
    """The versions were built with other settings."""
    OTHER = "other"
    """Its neighbourhood changed: another row took its replies, or its lines came from an import of other texts."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """A row that differs, by its ordinals."""

    change: RowChange
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions side by side."""

    before: DatasetVersion
    after: DatasetVersion
    unchanged: int
    rows: tuple[Pairing, ...]
    """In the order of the newer version, removed rows last."""
    settings: tuple[tuple[str, Any, Any], ...]
    """(name, before, after) of the settings that differ; `system prompt` is the one in use."""

    def count(self, change: RowChange) -> int:
        """Return how many rows were added, removed or changed."""
        return Counter(row.change for row in self.rows)[change]


@dataclass(frozen=True, slots=True)
class DifferentRow:
    """A row that differs, whole, with what happened to its lines between the two versions."""

    change: RowChange
    before: Sample | None
    after: Sample | None
    causes: tuple[Cause, ...]
    events: tuple[Event, ...]
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What is compared of a row."""

    ordinal: int
    split: str
    content: tuple[Any, ...]
    replies: frozenset[str]
    """Its replies' lines, or their words where they have no lines."""


class Differences(Rooms):
    """Comparing versions."""

    def difference(self, before: DatasetVersion, after: DatasetVersion) -> Difference:
        """Return which rows differ: a row is changed when it shares one of the persona's replies with a row there."""
        with self._reading() as db:
            same, old, new = _unlike(_raw(db, before.id), _raw(db, after.id))
        unchanged, old, new = _without_equals(old, new)
        rows = sorted(_paired(old, new), key=lambda row: (row.after is None, row.after, row.before))
        return Difference(before, after, same + unchanged, tuple(rows), _settings(before, after))

    def different_rows(self, difference: Difference, rows: Sequence[Pairing]) -> list[DifferentRow]:
        """Return some of a difference's rows with their samples, causes and events."""
        with self._reading() as db:
            old = _samples(db, difference.before.id, [row.before for row in rows if row.before is not None])
            new = _samples(db, difference.after.id, [row.after for row in rows if row.after is not None])
            told = [(row, old.get(row.before), new.get(row.after)) for row in rows]
            lines = {one for _, *both in told for sample in both for one in _records(sample)}
            happened = _events(db, lines, difference)
            anew = _read_anew(db, lines, difference)
        found = []
        for row, was, now in told:
            ids = {*_records(was), *_records(now)}
            events = sorted({event.id: event for one in ids for event in happened.get(one, ())}.items())
            of_row = tuple(event for _, event in events)
            causes = _causes(was, now, of_row, anew=bool(ids & anew), settings=bool(difference.settings))
            found.append(DifferentRow(row.change, was, now, causes, of_row))
        return found


def _raw(db: sa.Connection, version_id: str) -> dict[tuple[str, str], list[int]]:
    """Return the ordinals by side and turns as they are written: most rows of two versions are the same text."""
    table = t.sample.c
    query = sa.select(table.ordinal, table.split, sa.cast(table.turns, sa.Text)).where(table.version_id == version_id)
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for ordinal, split, turns in db.execute(query.order_by(table.ordinal)):
        found[split, turns].append(ordinal)
    return found


def _unlike(
    old: Mapping[tuple[str, str], list[int]], new: Mapping[tuple[str, str], list[int]]
) -> tuple[int, list[_Row], list[_Row]]:
    """Return how many rows are written the same, and the others of both."""
    same = sum(min(len(ordinals), len(new.get(key, ()))) for key, ordinals in old.items())
    return same, list(_others(old, new)), list(_others(new, old))


def _others(ours: Mapping[tuple[str, str], list[int]], theirs: Mapping[tuple[str, str], list[int]]) -> Iterator[_Row]:
    for (split, turns), ordinals in ours.items():
        told = json.loads(turns) if len(ordinals) > len(theirs.get((split, turns), ())) else []
        for ordinal in ordinals[len(theirs.get((split, turns), ())) :]:
            yield _row(ordinal, split, told)


def _row(ordinal: int, split: str, turns: list[dict[str, Any]]) -> _Row:
    content = tuple((turn["role"], turn["text"], bool(turn.get("context"))) for turn in turns)
    replies = [turn for turn in turns if turn["role"] == TurnRole.PERSONA and not turn.get("context")]
    named = frozenset(one for turn in replies for one in turn.get("utterance_ids") or (turn["text"],))
    return _Row(ordinal, split, content, named)


def _without_equals(old: Sequence[_Row], new: Sequence[_Row]) -> tuple[int, list[_Row], list[_Row]]:
    """Set aside rows that a trainer sees the same, though their lines have other ids: the book was imported again."""
    waiting: dict[tuple[Any, ...], list[_Row]] = defaultdict(list)
    for row in old:
        waiting[row.split, row.content].append(row)
    left = []
    for row in new:
        equal = waiting[row.split, row.content]
        if equal:
            equal.pop(0)
        else:
            left.append(row)
    gone = [row for rows in waiting.values() for row in rows]
    return len(new) - len(left), gone, left


def _paired(old: Iterable[_Row], new: Iterable[_Row]) -> Iterator[Pairing]:
    holders: dict[str, _Row] = {reply: row for row in old for reply in row.replies}
    words = {row.content: row for row in old}
    taken: set[int] = set()
    for row in sorted(new, key=lambda one: one.ordinal):
        near = words.get(row.content)
        partners = [near] if near else [holders[reply] for reply in sorted(row.replies) if reply in holders]
        partner = next((one for one in partners if one.ordinal not in taken), None)
        if partner is None:
            yield Pairing(RowChange.ADDED, None, row.ordinal)
        else:
            taken.add(partner.ordinal)
            yield Pairing(RowChange.CHANGED, partner.ordinal, row.ordinal)
    yield from (Pairing(RowChange.REMOVED, row.ordinal, None) for row in old if row.ordinal not in taken)


def _settings(before: DatasetVersion, after: DatasetVersion) -> tuple[tuple[str, Any, Any], ...]:
    names = [name for name in dict.fromkeys([*before.settings, *after.settings]) if name not in _UNTOLD]
    found = [(name, before.settings.get(name), after.settings.get(name)) for name in names]
    found.append(("system prompt", before.system_prompt, after.system_prompt))
    return tuple(one for one in found if one[1] != one[2])


def _samples(db: sa.Connection, version_id: str, ordinals: Sequence[int]) -> dict[int | None, Sample]:
    table = t.sample.c
    found: dict[int | None, Sample] = {}
    for first in range(0, len(ordinals), _AT_ONCE):
        some = table.ordinal.in_(ordinals[first : first + _AT_ONCE])
        query = sa.select(t.sample).where(table.version_id == version_id, some)
        found |= {row.ordinal: from_row(Sample, row) for row in db.execute(query)}
    return found


def _records(sample: Sample | None) -> set[str]:
    turns = sample.turns if sample else ()
    return {one for turn in turns for one in (*turn.utterance_ids, turn.expansion_id) if one}


def _events(db: sa.Connection, lines: Iterable[str], difference: Difference) -> dict[str, list[Event]]:
    """Return what happened to lines, synthetic ones and their clusters between the two versions, by line."""
    clusters: dict[str, list[str]] = defaultdict(list)
    wanted = sorted(lines)
    member, found = t.duplicate_member.c, defaultdict(list)
    for first in range(0, len(wanted), _AT_ONCE):
        some = wanted[first : first + _AT_ONCE]
        query = sa.select(member.cluster_id, member.utterance_id).where(member.utterance_id.in_(some))
        for cluster_id, line in db.execute(query):
            clusters[cluster_id].append(line)
    for event in _between(db, ("utterance", "expansion", "suspicion"), wanted, difference):
        found[event.entity_id].append(event)
    for event in _between(db, (DUPLICATES,), sorted(clusters), difference):
        for line in clusters[event.entity_id]:
            found[line].append(event)
    return found


def _between(db: sa.Connection, entities: Sequence[str], ids: Sequence[str], difference: Difference) -> Iterator[Event]:
    event = t.event.c
    early, late = sorted((difference.before.created_at, difference.after.created_at))
    for first in range(0, len(ids), _AT_ONCE):
        ours = event.entity.in_(entities) & event.entity_id.in_(ids[first : first + _AT_ONCE])
        query = sa.select(t.event).where(ours, event.at > early, event.at <= late).order_by(event.id)
        yield from (from_row(Event, row) for row in db.execute(query))


def _read_anew(db: sa.Connection, lines: Iterable[str], difference: Difference) -> set[str]:
    """Return the lines whose present reading was made between the two versions."""
    early, late = sorted((difference.before.created_at, difference.after.created_at))
    wanted, line, run = sorted(lines), t.utterance.c, t.run.c
    found: set[str] = set()
    for first in range(0, len(wanted), _AT_ONCE):
        query = (
            sa.select(line.id)
            .join(t.run, run.id == line.run_id)
            .where(line.id.in_(wanted[first : first + _AT_ONCE]), run.created_at > early, run.created_at <= late)
        )
        found.update(db.execute(query).scalars())
    return found


def _causes(
    was: Sample | None, now: Sample | None, events: Sequence[Event], *, anew: bool, settings: bool
) -> tuple[Cause, ...]:
    moved = was is not None and now is not None and plain(was)["turns"] == plain(now)["turns"]
    found = [
        (Cause.SIDE, moved),
        (Cause.REVIEW, any(event.entity != DUPLICATES for event in events)),
        (Cause.DUPLICATES, any(event.entity == DUPLICATES for event in events)),
        (Cause.EXTRACTION, anew),
        (Cause.SETTINGS, settings),
    ]
    return tuple(cause for cause, holds in found if holds) or (Cause.OTHER,)
