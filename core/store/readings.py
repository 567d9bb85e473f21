"""What several extractors say about one line, and which reading stands.

A line is a place. A reading that begins at a line's place is about that line; so is one that begins elsewhere in
the same passage but shares more than half of the shorter of the two with another extractor's line. Everything
else is a line of its own. An extractor has one opinion on a line: of several, the one that shares most stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from core.domain.text import ReviewStatus, Utterance, UtteranceKind
from core.store import tables as t

MOST_CERTAIN = 0.99
"""Two extractors that agree make a line no surer than this."""
_AT_ONCE = 500
"""Passages in one query; databases bound how many values one may carry."""
_LONGEST = 1_000_000
"""More than a passage has characters: an offset in the next passage lies behind all of this one's."""
_OPINION = ("end", "runs_on", "text", "kind", "speaker", "confidence", "reason", "run_id")
_LINE = tuple(column.name for column in t.utterance.c)
_SHOWN = (*_OPINION, "extractor", "disputed")
"""What the standing reading decides about an unreviewed line."""

Opinion = Mapping[str, Any]
"""A row of the table of readings."""


def standing(opinions: Iterable[Opinion]) -> dict[str, Any]:
    """Return what a line shows that nobody has reviewed: the surest opinion, surer still where others agree."""
    ranked = sorted(opinions, key=lambda one: (-one["confidence"], one["extractor"]))
    first, *others = ranked
    doubt = 1.0 - first["confidence"]
    agreeing = [one for one in others if (one["speaker"], one["kind"]) == (first["speaker"], first["kind"])]
    for one in agreeing:
        doubt *= 1.0 - one["confidence"]
    sure = min(1.0 - doubt, max(MOST_CERTAIN, first["confidence"])) if agreeing else first["confidence"]
    return {**{name: first[name] for name in _OPINION}, "confidence": sure, "extractor": first["extractor"]} | {
        "disputed": disputed(ranked)
    }


def disputed(opinions: Iterable[Opinion]) -> bool:
    """Whether they name different speakers, or some say that it is spoken and some that it is not.

    One that names nobody contradicts no one; speech, thought, verse and words cited are all spoken, since not every
    extractor tells them apart.
    """
    ranked = list(opinions)
    speakers = {one["speaker"] for one in ranked if one["speaker"] is not None}
    return len(speakers) > 1 or len({one["kind"] == UtteranceKind.NONSPEECH for one in ranked}) > 1


@dataclass(slots=True)
class _Passage:
    """The lines that begin in one passage, and what each extractor says about them, by where they begin."""

    lines: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    opinions: dict[int, dict[str, Opinion]] = field(default_factory=lambda: defaultdict(dict))
    touched: set[int] = field(default_factory=set)

    def forget(self, extractor: str, places: Collection[str] | None) -> list[str]:
        """Drop the extractor's opinions, at `places` or everywhere, and return the ids of their lines."""
        starts = [
            start
            for start, opinions in self.opinions.items()
            if extractor in opinions and (places is None or self.lines[start]["id"] in places)
        ]
        for start in starts:
            del self.opinions[start][extractor]
        self.touched.update(starts)
        return [self.lines[start]["id"] for start in starts]

    def place(self, found: Sequence[Utterance], extractor: str) -> dict[int, Utterance]:
        """Return on which line, by where it begins, each of an extractor's finds is an opinion."""
        exact = {row.start for row in found}
        others = {
            start: _span(start, line["end"], line["runs_on"])
            for start, line in self.lines.items()
            if start not in exact and (line["revision"] > 0 or self.opinions[start].keys() - {extractor})
        }
        best: dict[int, tuple[int, Utterance]] = {}
        for row in found:
            start, shared = _most_shared(_span(row.start, row.end, row.runs_on), others)
            if start not in best or shared > best[start][0]:
                best[start] = (shared, row)
        return {start: row for start, (_, row) in best.items()}


def _span(start: int, end: int, runs_on: int) -> tuple[int, int]:
    return start, end + runs_on * _LONGEST


def _most_shared(span: tuple[int, int], others: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
    """Return where the line begins that shares most with the span, and how much; the span's own where none does."""
    chosen, most, length = span[0], 0, span[1] - span[0]
    for start, (first, end) in others.items():
        shared = min(end, span[1]) - max(first, span[0])
        if shared * 2 > min(end - first, length) and shared > most:
            chosen, most = start, shared
    return chosen, most or length


def put_readings(
    db: sa.Connection,
    source_id: str,
    extractor: str,
    rows: Iterable[Utterance],
    run_id: str | None,
    *,
    places: Collection[str] | None,
) -> int:
    """Put an extractor's readings in place of its earlier ones, at `places` or in the whole source (None).

    Lines nobody has reviewed then show the reading that stands, and go where no reading is left; reviewed ones stay
    as they are. Returns on how many lines the given rows are an opinion.
    """
    # One extraction of a source at a time; reviewing goes on beside it.
    db.execute(sa.select(t.source.c.id).where(t.source.c.id == source_id).with_for_update(key_share=True))
    given: dict[int, list[Utterance]] = defaultdict(list)
    for row in rows:
        given[row.ordinal].append(row)
    ordinals = None if places is None else sorted({*given, *(int(place.split(".")[-2]) for place in places)})
    passages = _known(db, source_id, ordinals)
    old = [line_id for passage in passages.values() for line_id in passage.forget(extractor, places)]
    fresh, new_lines = [], []
    for ordinal, found in given.items():
        passage = passages[ordinal]
        for start, row in passage.place(found, extractor).items():
            line_id = f"{source_id}.{ordinal}.{start}"
            reading = {name: getattr(row, name) for name in _OPINION}
            reading |= {"run_id": run_id, "utterance_id": line_id, "extractor": extractor}
            if extractor in passage.opinions[start]:
                old.append(line_id)
            passage.opinions[start][extractor] = reading
            passage.touched.add(start)
            fresh.append(reading)
            if start not in passage.lines:
                new_lines.append(_new_line(row, line_id, run_id))
                passage.lines[start] = new_lines[-1]
    _write(db, passages, extractor, old=old, fresh=fresh, new_lines=new_lines)
    return len(fresh)


def _new_line(row: Utterance, line_id: str, run_id: str | None) -> dict[str, Any]:
    line = {name: getattr(row, name) for name in _LINE}
    return line | {
        "id": line_id,
        "status": ReviewStatus.PENDING,
        "revision": 0,
        "run_id": run_id,
        "disputed": False,
        "reviewed_by": None,
    }


def _known(db: sa.Connection, source_id: str, ordinals: Sequence[int] | None) -> dict[int, _Passage]:
    passages: dict[int, _Passage] = defaultdict(_Passage)
    for chosen in _chosen(source_id, ordinals):
        lines = sa.select(t.utterance).where(chosen).order_by(t.utterance.c.id).with_for_update()
        for row in db.execute(lines).mappings():
            passages[row["ordinal"]].lines[row["start"]] = dict(row)
        of_line = t.reading.c.utterance_id == t.utterance.c.id
        readings = sa.select(t.utterance.c.ordinal, t.utterance.c.start, t.reading).join(t.reading, of_line)
        for row in db.execute(readings.where(chosen)).mappings():
            passages[row["ordinal"]].opinions[row["start"]][row["extractor"]] = dict(row)
    return passages


def _chosen(source_id: str, ordinals: Sequence[int] | None) -> Iterator[sa.ColumnElement[bool]]:
    ours = t.utterance.c.source_id == source_id
    if ordinals is None:
        yield ours
        return
    for first in range(0, len(ordinals), _AT_ONCE):
        yield ours & t.utterance.c.ordinal.in_(ordinals[first : first + _AT_ONCE])


def _write(
    db: sa.Connection,
    passages: Mapping[int, _Passage],
    extractor: str,
    *,
    old: Sequence[str],
    fresh: Sequence[Mapping[str, Any]],
    new_lines: Sequence[dict[str, Any]],
) -> None:
    """Bring lines and readings to what the passages say, each kind of statement once for all its rows."""
    changed, unread = _compared(passages, {line["id"]: line for line in new_lines})
    key: sa.BindParameter[str] = sa.bindparam("key")
    if old:
        ours = (t.reading.c.utterance_id == key) & (t.reading.c.extractor == extractor)
        db.execute(sa.delete(t.reading).where(ours), [{"key": line_id} for line_id in old])
    if unread:
        db.execute(sa.delete(t.utterance).where(t.utterance.c.id == key), unread)
    if changed:
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in _SHOWN}
        db.execute(sa.update(t.utterance).where(t.utterance.c.id == key).values(values), changed)
    if new_lines:
        db.execute(sa.insert(t.utterance), new_lines)
    if fresh:
        db.execute(sa.insert(t.reading), fresh)


def _compared(
    passages: Mapping[int, _Passage], new_lines: Mapping[str, dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Let new lines show what stands; return which of the others must change, and which nobody reads any more."""
    changed, unread = [], []
    for passage in passages.values():
        for start in passage.touched:
            line, opinions = passage.lines[start], passage.opinions[start]
            if line["revision"] > 0:
                continue
            if not opinions:
                unread.append({"key": line["id"]})
                continue
            shown = standing(opinions.values())
            if line["id"] in new_lines:
                new_lines[line["id"]].update(shown)
            elif any(line[name] != shown[name] for name in _SHOWN):
                changed.append({f"new_{name}": shown[name] for name in _SHOWN} | {"key": line["id"]})
    return changed, unread
