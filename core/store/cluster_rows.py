"""How clusters of near-duplicates and the decisions about them lie in their tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from core.domain.cleaning import DuplicateCluster, DuplicateDecision, DuplicateMember, dropped_lines
from core.domain.identity import now
from core.errors import ConflictError
from core.store import tables as t
from core.store.events import record_event
from core.store.records import from_row
from core.translation import N_

ENTITY = "duplicates"
AT_ONCE = 500
"""Records in one query; databases bound how many values a statement may carry."""


def told(members: Sequence[DuplicateMember], known: Mapping[str, DuplicateDecision]) -> tuple[DuplicateMember, ...]:
    """Return the members with what was decided about their words."""
    ours = {member.content: known[member.content] for member in members if member.content in known}
    dropped = dropped_lines(((member.utterance_id, member.content) for member in members), ours)
    return tuple(
        replace(member, kept=member.utterance_id not in dropped if member.content in ours else None)
        for member in members
    )


def member_rows(cluster_id: str, members: Sequence[DuplicateMember]) -> list[dict[str, Any]]:
    """Return the members as rows of their cluster."""
    fields = ("utterance_id", "content", "text", "similarity", "reason", "details", "proposed", "kept")
    return [
        {"cluster_id": cluster_id, "ordinal": ordinal, **{name: getattr(member, name) for name in fields}}
        for ordinal, member in enumerate(members)
    ]


def whole(db: sa.Connection, rows: Sequence[sa.Row[Any]]) -> list[DuplicateCluster]:
    """Return the clusters with their members, as the lines read now."""
    table, line = t.duplicate_member, t.utterance.c
    members: dict[str, list[DuplicateMember]] = {row.id: [] for row in rows}
    ids = list(members)
    for first in range(0, len(ids), AT_ONCE):
        query = (
            sa.select(table, line.text.label("now"))
            .join(t.utterance, line.id == table.c.utterance_id)
            .where(table.c.cluster_id.in_(ids[first : first + AT_ONCE]))
            .order_by(table.c.cluster_id, table.c.ordinal)
        )
        for row in db.execute(query):
            members[row.cluster_id].append(replace(from_row(DuplicateMember, row), text=row.now))
    return [
        DuplicateCluster(
            row.id, row.persona_id, tuple(members[row.id]), row.open, row.revision, row.decided_by, row.decided_at,
            row.run_id,
        )
        for row in rows
    ]  # fmt: skip


def seen(db: sa.Connection, cluster_id: str, revision: int | None = None) -> DuplicateCluster:
    """Return the cluster, locked; ConflictError when it is gone or not at the revision that somebody saw."""
    query = sa.select(t.duplicate_cluster).where(t.duplicate_cluster.c.id == cluster_id).with_for_update()
    rows = db.execute(query).all()
    if not rows or revision not in (None, rows[0].revision):
        raise ConflictError(
            N_("Somebody decided about these lines, or a newer search found others, while you were looking."),
            remedy=N_("Look at them again; your decision was not written."),
        )
    return whole(db, rows)[0]


def write_decided(
    db: sa.Connection,
    before: DuplicateCluster,
    members: tuple[DuplicateMember, ...],
    *,
    who: str,
    action: str,
    undoes: int | None = None,
) -> DuplicateCluster:
    """Give the members of a cluster what was decided about them, with the event; return the cluster as it is then."""
    undecided = any(member.kept is None for member in members)
    after = replace(
        before,
        members=members,
        open=undecided,
        revision=before.revision + 1,
        decided_by=None if undecided else who,
        decided_at=None if undecided else now(),
    )
    values = {name: getattr(after, name) for name in ("open", "revision", "decided_by", "decided_at")}
    db.execute(sa.update(t.duplicate_cluster).where(t.duplicate_cluster.c.id == before.id).values(**values))
    table = t.duplicate_member.c
    for kept in (True, False, None):
        ids = [one.utterance_id for one in members if one.kept is kept]
        if ids:
            ours = (table.cluster_id == before.id) & table.utterance_id.in_(ids)
            db.execute(sa.update(t.duplicate_member).where(ours).values(kept=kept))
    record_event(
        db,
        who=who,
        entity=ENTITY,
        entity_id=before.id,
        action=action,
        before={"kept": {one.utterance_id: one.kept for one in before.members}, "revision": before.revision},
        after={"kept": {one.utterance_id: one.kept for one in members}, "revision": after.revision},
        **({"undoes": undoes} if undoes else {}),
    )
    return after


def known_decisions(db: sa.Connection, persona_id: str) -> dict[str, DuplicateDecision]:
    """Return what was decided about a persona's lines, by content."""
    query = sa.select(t.duplicate_decision).where(t.duplicate_decision.c.persona_id == persona_id)
    return {row.content: from_row(DuplicateDecision, row) for row in db.execute(query)}


def put_decisions(db: sa.Connection, persona_id: str, decisions: Mapping[str, DuplicateDecision]) -> None:
    """Write decisions in place of earlier ones about the same words."""
    forget(db, persona_id, decisions)
    rows = [
        {
            "persona_id": persona_id,
            "content": content,
            "kept_all": decision.kept_all,
            "kept_ids": list(decision.kept_ids),
            "instead": list(decision.instead),
        }
        for content, decision in decisions.items()
    ]
    if rows:
        db.execute(sa.insert(t.duplicate_decision), rows)


def forget(db: sa.Connection, persona_id: str, contents: Iterable[str]) -> None:
    """Remove the decisions about these words."""
    table = t.duplicate_decision.c
    db.execute(sa.delete(t.duplicate_decision).where(table.persona_id == persona_id, table.content.in_(list(contents))))
