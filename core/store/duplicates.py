"""Near-duplicates: what a search found, and what people decided about it; decisions stick to the words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from core.domain.cleaning import DuplicateCluster, DuplicateDecision, content_of, decisions_for, dropped_lines
from core.domain.text import ReviewStatus
from core.errors import ConflictError, InvalidInputError
from core.store import tables as t
from core.store.cluster_rows import (
    AT_ONCE,
    ENTITY,
    forget,
    known_decisions,
    member_rows,
    put_decisions,
    seen,
    told,
    whole,
    write_decided,
)
from core.store.database import Rooms
from core.store.utterances import of_persona
from core.translation import N_


@dataclass(frozen=True, slots=True)
class ClusterPage:
    """Some clusters in their order, and where the next page begins."""

    rows: tuple[DuplicateCluster, ...]
    next_cursor: int | None


class Duplicates(Rooms):
    """Clusters of near-duplicates and the decisions about them."""

    def replace(self, persona_id: str, clusters: Sequence[DuplicateCluster], run_id: str | None) -> int:
        """Put what a search found in place of what the last one found; return how many clusters are open.

        Clusters all of whose words somebody has decided about come back decided; one with new words is open, with
        what was decided about the others shown.
        """
        with self._writing() as db:
            known = known_decisions(db, persona_id)
            table = t.duplicate_cluster
            earlier = {row.id: row for row in db.execute(sa.select(table).where(table.c.persona_id == persona_id))}
            db.execute(sa.delete(table).where(table.c.persona_id == persona_id))
            rows, members = [], []
            for ordinal, cluster in enumerate(clusters):
                members_now = told(cluster.members, known)
                was = earlier.get(cluster.id)
                rows.append(
                    {
                        "id": cluster.id,
                        "persona_id": persona_id,
                        "ordinal": ordinal,
                        "open": any(member.kept is None for member in members_now),
                        "revision": was.revision if was else 0,
                        "decided_by": was.decided_by if was else None,
                        "decided_at": was.decided_at if was else None,
                        "run_id": run_id,
                    }
                )
                members += member_rows(cluster.id, members_now)
            if rows:
                db.execute(sa.insert(table), rows)
                db.execute(sa.insert(t.duplicate_member), members)
        return sum(bool(row["open"]) for row in rows)

    def clusters(
        self, persona_id: str, *, open_only: bool = True, after: int | None = None, limit: int = 20
    ) -> ClusterPage:
        """Return clusters after the cursor, at most `limit`; those of the last search, the surest first."""
        table = t.duplicate_cluster.c
        query = sa.select(t.duplicate_cluster).where(table.persona_id == persona_id)
        if open_only:
            query = query.where(table.open)
        if after is not None:
            query = query.where(table.ordinal > after)
        with self._reading() as db:
            found = db.execute(query.order_by(table.ordinal).limit(limit + 1)).all()
            rows = whole(db, found[:limit])
        return ClusterPage(tuple(rows), found[limit - 1].ordinal if len(found) > limit else None)

    def count(self, persona_id: str, *, open_only: bool = True) -> int:
        """Return how many clusters there are."""
        table = t.duplicate_cluster.c
        rule = (table.persona_id == persona_id) & (table.open if open_only else sa.true())
        with self._reading() as db:
            return int(db.execute(sa.select(sa.func.count()).select_from(t.duplicate_cluster).where(rule)).scalar_one())

    def get(self, cluster_id: str) -> DuplicateCluster:
        """Return the cluster; ConflictError when a newer search has made others of its lines."""
        with self._reading() as db:
            return seen(db, cluster_id)

    def of_lines(self, utterance_ids: Iterable[str]) -> dict[str, str]:
        """Return line -> the cluster it is in; lines in none are left out."""
        wanted = list(dict.fromkeys(utterance_ids))
        table = t.duplicate_member.c
        found: dict[str, str] = {}
        with self._reading() as db:
            for first in range(0, len(wanted), AT_ONCE):
                some = table.utterance_id.in_(wanted[first : first + AT_ONCE])
                found |= {
                    row[0]: row[1] for row in db.execute(sa.select(table.utterance_id, table.cluster_id).where(some))
                }
        return found

    def decide(self, cluster_id: str, revision: int, *, keep: Collection[str], who: str) -> DuplicateCluster:
        """Keep those lines (ids) of a cluster and leave out its others; return it as it is decided.

        ConflictError when somebody decided first or a newer search changed it, InvalidInputError for lines that are
        not in it. Keeping none leaves all of them out.
        """
        with self._writing() as db:
            return _decide(db, seen(db, cluster_id, revision), keep, who)

    def accept_proposals(self, persona_id: str, *, who: str, similarity: float = 1.0) -> int:
        """Decide open clusters as proposed where all members are at least that similar; return how many."""
        with self._writing() as db:
            table = t.duplicate_cluster.c
            waiting = sa.select(t.duplicate_cluster).where(table.persona_id == persona_id, table.open)
            found = whole(db, db.execute(waiting.order_by(table.ordinal).with_for_update()).all())
            sure = [one for one in found if all(member.similarity >= similarity for member in one.members)]
            for cluster in sure:
                _decide(db, cluster, _proposed(cluster), who)
        return len(sure)

    def undo(self, who: str, persona_id: str) -> DuplicateCluster | None:
        """Take back this person's latest decision that is not taken back yet; None when there is none.

        Decisions about the same words in an earlier search, which the taken-back one replaced, hold again.
        """
        table, event = t.duplicate_cluster.c, t.event.c
        undone = t.event.alias("undone").c
        taken_back = sa.select(undone.undoes).where(undone.entity == ENTITY, undone.undoes.is_not(None))
        query = (
            sa.select(t.event)
            .join(t.duplicate_cluster, table.id == event.entity_id)
            .where(event.entity == ENTITY, event.action == "decide", event.who == who, table.persona_id == persona_id)
            .where(event.id.not_in(taken_back))
            .order_by(event.id.desc())
            .limit(1)
        )
        with self._writing() as db:
            latest = db.execute(query).one_or_none()
            if latest is None:
                return None
            cluster = seen(db, latest.entity_id)
            if cluster.decided_by not in (who, None):
                raise ConflictError(
                    N_("{who} decided about these lines since; nothing was undone."),
                    remedy=N_("Look at the cluster and decide about it again."),
                    who=cluster.decided_by,
                )
            before = latest.before["kept"]
            kept = tuple(replace(one, kept=before.get(one.utterance_id)) for one in cluster.members)
            known = [one for one in kept if one.kept is not None]
            contents = {one.content for one in cluster.members}
            forget(db, persona_id, contents)
            put_decisions(db, persona_id, decisions_for(known, [one.utterance_id for one in known if one.kept]))
            return write_decided(db, cluster, kept, who=who, action="undo", undoes=latest.id)

    def decisions(self, persona_id: str, *, proposed: bool = False) -> dict[str, DuplicateDecision]:
        """Return what was decided, by content; with `proposed`, as proposed where nobody has decided."""
        with self._reading() as db:
            known = known_decisions(db, persona_id)
            if not proposed:
                return known
            table = t.duplicate_cluster.c
            query = sa.select(t.duplicate_cluster).where(table.persona_id == persona_id, table.open)
            for cluster in whole(db, db.execute(query).all()):
                for content, decision in decisions_for(cluster.members, _proposed(cluster)).items():
                    known.setdefault(content, decision)
        return known

    def dropped(self, persona_id: str, *, proposed: bool = False) -> frozenset[str]:
        """Return the ids of the persona's lines that near-duplicates leave out."""
        decisions = self.decisions(persona_id, proposed=proposed)
        if not decisions:
            return frozenset()
        columns = t.utterance.c
        standing = columns.status.not_in([ReviewStatus.REJECTED, ReviewStatus.MERGED])
        query = sa.select(columns.id, columns.text).where(of_persona(persona_id), standing)
        query = query.order_by(columns.source_id, columns.ordinal, columns.start)
        with self._reading() as db:
            return dropped_lines(((row.id, content_of(row.text)) for row in db.execute(query)), decisions)


def _decide(db: sa.Connection, cluster: DuplicateCluster, keep: Collection[str], who: str) -> DuplicateCluster:
    if set(keep) - {member.utterance_id for member in cluster.members}:
        raise InvalidInputError(N_("Only lines of this cluster can be kept."), remedy=N_("Look at the cluster again."))
    put_decisions(db, cluster.persona_id, decisions_for(cluster.members, keep))
    kept = tuple(replace(one, kept=one.utterance_id in keep) for one in cluster.members)
    return write_decided(db, cluster, kept, who=who, action="decide")


def _proposed(cluster: DuplicateCluster) -> list[str]:
    return [member.utterance_id for member in cluster.members if member.proposed]
