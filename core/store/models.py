"""The registry of trained models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from core.domain.identity import now
from core.domain.run import OPEN, Run
from core.domain.training import Model, ModelKind
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, plain, to_row
from core.translation import N_

LONGEST_NAME, LONGEST_NOTE = 80, 2000


class Models(Rooms):
    """Text and voice models."""

    def add(self, model: Model, *, who: str = "app") -> None:
        """Register a model; registering the same id again (a resumed run) changes nothing."""
        with self._writing() as db:
            if db.execute(sa.select(t.model.c.id).where(t.model.c.id == model.id)).scalar() is None:
                db.execute(sa.insert(t.model).values(**to_row(model)))
                record_event(db, who=who, entity="model", entity_id=model.id, action="register", after=plain(model))

    def get(self, model_id: str) -> Model:
        """Return the model, also a removed one; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.model).where(t.model.c.id == model_id)).one_or_none()
        if row is None:
            raise _unknown(model_id)
        return from_row(Model, row)

    def all(self, persona_id: str, kind: ModelKind | None = None, *, removed: bool = False) -> list[Model]:
        """Return a persona's models, newest first; with `removed` also those whose files were deleted."""
        table = t.model.c
        query = sa.select(t.model).where(table.persona_id == persona_id).order_by(table.created_at.desc())
        if kind is not None:
            query = query.where(table.kind == kind)
        if not removed:
            query = query.where(table.removed_at.is_(None))
        with self._reading() as db:
            return [from_row(Model, row) for row in db.execute(query)]

    def use(self, model_id: str, *, who: str = "app") -> None:
        """Let the chat use this model from now on, and no other of its kind; ConflictError for a removed one."""
        chosen, table = self.get(model_id), t.model.c
        same_kind = (table.persona_id == chosen.persona_id) & (table.kind == chosen.kind)
        with self._writing() as db:
            # All that may change are held in one order, so that two who choose at once do not wait for each other.
            db.execute(sa.select(table.id).where(same_kind).order_by(table.id).with_for_update())
            self._there(db, model_id)
            before = db.execute(sa.select(table.id).where(same_kind, table.in_use)).scalar()
            if before == model_id:
                return
            db.execute(sa.update(t.model).where(same_kind).values(in_use=table.id == model_id))
            event = {"who": who, "entity": "model", "entity_id": model_id, "action": "use"}
            record_event(db, **event, before={"in_use": before}, after={"in_use": model_id})

    def leave(self, model_id: str, *, who: str) -> None:
        """Let the chat use this model no longer: her own lines answer, until another one is chosen."""
        with self._writing() as db:
            model = self._there(db, model_id)
            if model.in_use:
                db.execute(sa.update(t.model).where(t.model.c.id == model_id).values(in_use=False))
                event = {"who": who, "entity": "model", "entity_id": model_id, "action": "leave"}
                record_event(db, **event, before={"in_use": model_id}, after={"in_use": None})

    def in_use(self, persona_id: str, kind: ModelKind) -> Model | None:
        """Return the model the chat uses, if one was chosen."""
        return next((model for model in self.all(persona_id, kind) if model.in_use), None)

    def rename(self, model_id: str, name: str, *, who: str) -> None:
        """Give the model another name; InvalidInputError for an empty or too long one."""
        name = " ".join(name.split())
        if not 0 < len(name) <= LONGEST_NAME:
            raise InvalidInputError(
                N_("A model's name has 1 to {most} characters."),
                remedy=N_("Write another name."),
                most=LONGEST_NAME,
            )
        self._change(model_id, "rename", who, name=name)

    def annotate(self, model_id: str, note: str, *, who: str) -> None:
        """Write a note beside the model, in place of the one before; InvalidInputError for a too long one."""
        if len(note.strip()) > LONGEST_NOTE:
            raise InvalidInputError(
                N_("A note has at most {most} characters."), remedy=N_("Make it shorter."), most=LONGEST_NOTE
            )
        self._change(model_id, "annotate", who, note=note.strip())

    def put_copy(self, model_id: str, name: str, facts: Mapping[str, Any], *, who: str) -> Model:
        """Note in the manifest that the model has a copy of that name, and return the model."""
        with self._writing() as db:
            model = self._there(db, model_id)
            copies = {**model.manifest.get("copies", {}), name: dict(facts)}
            db.execute(
                sa.update(t.model).where(t.model.c.id == model_id).values(manifest={**model.manifest, "copies": copies})
            )
            record_event(db, who=who, entity="model", entity_id=model_id, action="copy", after={"copy": name})
        return self.get(model_id)

    def put_card(self, model_id: str, card: Mapping[str, Any], *, who: str) -> Model:
        """Keep a voice's card in the place of the one before, and return the model."""
        with self._writing() as db:
            model = self._there(db, model_id)
            manifest = {**model.manifest, "card": dict(card)}
            db.execute(sa.update(t.model).where(t.model.c.id == model_id).values(manifest=manifest))
            before = {"scores": model.manifest.get("card", {}).get("scores")}
            after = {"scores": card.get("scores")}
            record_event(db, who=who, entity="model", entity_id=model_id, action="card", before=before, after=after)
        return self.get(model_id)

    def remove(self, model_id: str, *, who: str) -> None:
        """Say that the model is no longer there; its record stays for the replies and scorecards that name it.

        ConflictError, with what to do first, while the chat uses it, a run that is not over names it, or another
        model was trained from it. The files are the caller's.
        """
        with self._writing() as db:
            model = self._there(db, model_id)
            _refuse_while_used(db, model)
            removed = now()
            db.execute(sa.update(t.model).where(t.model.c.id == model_id).values(removed_at=removed))
            before = {"name": model.name, "folder": model.folder, "removed_at": None}
            after = {"name": model.name, "folder": model.folder, "removed_at": removed.isoformat()}
            record_event(db, who=who, entity="model", entity_id=model_id, action="remove", before=before, after=after)

    def _change(self, model_id: str, action: str, who: str, **values: str) -> None:
        with self._writing() as db:
            model = self._there(db, model_id)
            before = {name: getattr(model, name) for name in values}
            if before != values:
                db.execute(sa.update(t.model).where(t.model.c.id == model_id).values(**values))
                event = {"who": who, "entity": "model", "entity_id": model_id, "action": action}
                record_event(db, **event, before=before, after=values)

    def _there(self, db: sa.Connection, model_id: str) -> Model:
        """Return the model, held until the change is written; NotFoundError or ConflictError when it is not there."""
        row = db.execute(sa.select(t.model).where(t.model.c.id == model_id).with_for_update()).one_or_none()
        if row is None:
            raise _unknown(model_id)
        model = from_row(Model, row)
        if model.removed_at is not None:
            raise ConflictError(
                N_("The model {name} was removed."), remedy=N_("Choose another model."), name=model.name
            )
        return model


def _unknown(model_id: str) -> NotFoundError:
    return NotFoundError(
        N_("There is no model {model}."),
        remedy=N_("Choose another model, or train one on the fine-tuning page."),
        model=model_id,
    )


def _refuse_while_used(db: sa.Connection, model: Model) -> None:
    if model.in_use:
        raise ConflictError(
            N_("{name} answers in the chat and cannot be removed."),
            remedy=N_("Stop using it, or choose another model for the chat, then remove it."),
            name=model.name,
        )
    unfinished = t.run.c.state.in_(OPEN)
    runs = [from_row(Run, row) for row in db.execute(sa.select(t.run).where(unfinished))]
    if busy := [run.id for run in runs if run.settings.get("model_id") == model.id or _rests_on(run.settings, model)]:
        raise ConflictError(
            N_("{name} cannot be removed: runs that are not over need it: {runs}."),
            remedy=N_("Wait for their end or stop them on the page of runs, then remove it."),
            name=model.name,
            runs=", ".join(busy),
        )
    others = sa.select(t.model).where(t.model.c.id != model.id, t.model.c.removed_at.is_(None))
    models = [from_row(Model, row) for row in db.execute(others)]
    if children := [one.name for one in models if _rests_on(one.manifest.get("settings", {}), model)]:
        raise ConflictError(
            N_("{name} cannot be removed: other models were trained from it: {models}."),
            remedy=N_("Remove those first, or keep it."),
            name=model.name,
            models=", ".join(children),
        )


def _rests_on(settings: Mapping[str, Any], model: Model) -> bool:
    """Whether a training with those settings begins from the model: by its folder, absolute or not, or by its id."""
    base = str(settings.get("base", ""))
    return base == model.id or f"/{model.folder}/" in f"/{base}/"
