"""Dataset versions: immutable, with the lines each sample was built from.

Going back is going forward: `restore` puts an old version on top as a new one of the same fingerprint. The newest
version is what fine-tuning takes by default, so nothing but the order of the versions says which one is current, and
no run that named a version by its id ever changes its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from core.domain.identity import new_id, now
from core.domain.run import Run
from core.domain.text import DatasetVersion, Sample, Split
from core.domain.training import Model
from core.errors import ConflictError, NotFoundError
from core.store import tables as t
from core.store.differences import Differences
from core.store.events import record_event
from core.store.records import from_row, plain, to_row
from core.translation import N_

_TRAINS = "finetuning"
"""The kind of run that reads versions."""


@dataclass(frozen=True, slots=True)
class VersionUse:
    """What was made of a version, newest first."""

    runs: tuple[Run, ...]
    """Fine-tunings, also failed ones: they can be resumed."""
    models: tuple[Model, ...]

    def __bool__(self) -> bool:
        return bool(self.runs or self.models)


class Datasets(Differences):
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

    def free_name(self, persona_id: str) -> str:
        """Return the next number no version of the persona is called by."""
        taken = {version.name for version in self.versions(persona_id)}
        number = len(taken) + 1
        while f"v{number}" in taken:
            number += 1
        return f"v{number}"

    def count(self, version_id: str, *, split: Split | None = None) -> int:
        """Return how many samples a version holds."""
        table = t.sample.c
        rule = (table.version_id == version_id) & (sa.true() if split is None else table.split == split)
        with self._reading() as db:
            return int(db.execute(sa.select(sa.func.count()).select_from(t.sample).where(rule)).scalar_one())

    def restore(self, version_id: str, *, who: str, name: str = "", note: str = "") -> DatasetVersion:
        """Put an old version on top: return a new one with its samples, settings and fingerprint.

        The note says which one it is made of; NotFoundError when there is none of that id.
        """
        old = self.get(version_id)
        origin = f"= {old.name} ({old.id})"
        new = replace(
            old,
            id=new_id("ver"),
            name=name or self.free_name(old.persona_id),
            note=f"{origin}\n{note}" if note else origin,
            created_at=now(),
        )
        with self._writing() as db:
            db.execute(sa.insert(t.dataset_version).values(**to_row(new)))
            for table in (t.sample, t.sample_utterance):
                others = [column for column in table.c if column.name != "version_id"]
                copied = sa.select(sa.literal(new.id), *others).where(table.c.version_id == version_id)
                db.execute(sa.insert(table).from_select(["version_id", *(one.name for one in others)], copied))
            record_event(
                db,
                who=who,
                entity="dataset_version",
                entity_id=new.id,
                action="restore",
                after={"of": old.id, "name": new.name, "fingerprint": new.fingerprint},
            )
        return new

    def usage(self, version_id: str) -> VersionUse:
        """Return the fine-tunings that read this version and the models they made."""
        with self._reading() as db:
            return _usage(db, self.get(version_id))

    def delete(self, version_id: str, *, who: str) -> None:
        """Delete a version and its samples for good; ConflictError, naming them, when runs or models used it."""
        version = self.get(version_id)
        with self._writing() as db:
            used = _usage(db, version)
            if used:
                raise ConflictError(
                    N_("{version} is in use and cannot be deleted: {users}."),
                    remedy=N_("What was trained must be able to say on what; keep the version."),
                    version=version.name,
                    users=", ".join([*(model.name for model in used.models), *(run.id for run in used.runs)]),
                )
            db.execute(sa.delete(t.dataset_version).where(t.dataset_version.c.id == version_id))
            record_event(
                db,
                who=who,
                entity="dataset_version",
                entity_id=version_id,
                action="delete",
                before={"name": version.name, "note": version.note, "fingerprint": version.fingerprint},
            )


def _usage(db: sa.Connection, version: DatasetVersion) -> VersionUse:
    run, model = t.run.c, t.model.c
    named = sa.or_(
        run.settings["dataset_version_id"].as_string() == version.id,
        run.inputs["dataset_version"].as_string() == version.id,
        run.result["dataset_version"].as_string() == version.id,
    )
    runs = sa.select(t.run).where(run.kind == _TRAINS, named).order_by(run.created_at.desc())
    models = sa.select(t.model).where(model.dataset_version_id == version.id).order_by(model.created_at.desc())
    return VersionUse(
        tuple(from_row(Run, row) for row in db.execute(runs)), tuple(from_row(Model, row) for row in db.execute(models))
    )
