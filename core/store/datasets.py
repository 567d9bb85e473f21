"""Dataset versions: immutable, with the lines each sample was built from."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from core.domain.text import DatasetVersion, Sample, Split
from core.errors import NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.records import from_row, plain, to_row
from core.translation import N_


class Datasets(Rooms):
    """Versions and samples."""

    def add(self, version: DatasetVersion, samples: Iterable[Sample]) -> None:
        """Store a version with all its samples, or nothing."""
        rows, links = [], []
        for sample in samples:
            key = {"version_id": version.id, "ordinal": sample.ordinal}
            rows.append(to_row(sample, version_id=version.id, turns=plain(sample)["turns"]))
            seen: set[str] = set()
            for number, turn in enumerate(sample.turns):
                links += [{**key, "utterance_id": one, "turn": number} for one in turn.utterance_ids if one not in seen]
                seen.update(turn.utterance_ids)
        with self._writing() as db:
            db.execute(sa.insert(t.dataset_version).values(**to_row(version)))
            if rows:
                db.execute(sa.insert(t.sample), rows)
            if links:
                db.execute(sa.insert(t.sample_utterance), links)

    def get(self, version_id: str) -> DatasetVersion:
        """Return the version; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.dataset_version).where(t.dataset_version.c.id == version_id)).one_or_none()
        if row is None:
            raise NotFoundError(
                N_("There is no dataset version {version}."),
                remedy=N_("Choose one of the dataset page's list, or build one."),
                version=version_id,
            )
        return from_row(DatasetVersion, row)

    def versions(self, persona_id: str) -> list[DatasetVersion]:
        """Return a persona's versions, newest first."""
        table = t.dataset_version.c
        query = sa.select(t.dataset_version).where(table.persona_id == persona_id).order_by(table.created_at.desc())
        with self._reading() as db:
            return [from_row(DatasetVersion, row) for row in db.execute(query)]

    def samples(
        self, version_id: str, *, split: Split | None = None, after: int = -1, limit: int | None = None
    ) -> list[Sample]:
        """Return samples with ordinals above `after`, in order."""
        query = (
            sa.select(t.sample)
            .where(t.sample.c.version_id == version_id, t.sample.c.ordinal > after)
            .order_by(t.sample.c.ordinal)
        )
        if split is not None:
            query = query.where(t.sample.c.split == split)
        with self._reading() as db:
            return [from_row(Sample, row) for row in db.execute(query.limit(limit))]

    def containing(self, utterance_id: str) -> list[tuple[str, int]]:
        """Return (version, sample) pairs a line went into."""
        table = t.sample_utterance.c
        query = sa.select(table.version_id, table.ordinal).where(table.utterance_id == utterance_id)
        with self._reading() as db:
            return [(version, ordinal) for version, ordinal in db.execute(query)]
