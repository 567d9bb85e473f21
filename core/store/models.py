"""The registry of trained models."""

from __future__ import annotations

import sqlalchemy as sa

from core.domain.training import Model, ModelKind
from core.errors import NotFoundError
from core.store import tables as t
from core.store.database import Rooms
from core.store.events import record_event
from core.store.records import from_row, plain, to_row
from core.translation import N_


class Models(Rooms):
    """Text and voice models."""

    def add(self, model: Model) -> None:
        """Register a model; registering the same id again (a resumed run) changes nothing."""
        with self._writing() as db:
            if db.execute(sa.select(t.model.c.id).where(t.model.c.id == model.id)).scalar() is None:
                db.execute(sa.insert(t.model).values(**to_row(model)))
                record_event(db, who="app", entity="model", entity_id=model.id, action="register", after=plain(model))

    def get(self, model_id: str) -> Model:
        """Return the model; NotFoundError when there is none of that id."""
        with self._reading() as db:
            row = db.execute(sa.select(t.model).where(t.model.c.id == model_id)).one_or_none()
        if row is None:
            raise NotFoundError(
                N_("There is no model {model}."),
                remedy=N_("Choose another model, or train one on the fine-tuning page."),
                model=model_id,
            )
        return from_row(Model, row)

    def all(self, persona_id: str, kind: ModelKind | None = None) -> list[Model]:
        """Return a persona's models, newest first."""
        table = t.model.c
        query = sa.select(t.model).where(table.persona_id == persona_id).order_by(table.created_at.desc())
        if kind is not None:
            query = query.where(table.kind == kind)
        with self._reading() as db:
            return [from_row(Model, row) for row in db.execute(query)]

    def use(self, model_id: str, *, who: str = "app") -> None:
        """Let the chat use this model from now on, and no other of its kind."""
        chosen = self.get(model_id)
        table = t.model.c
        with self._writing() as db:
            same_kind = (table.persona_id == chosen.persona_id) & (table.kind == chosen.kind)
            db.execute(sa.update(t.model).where(same_kind).values(in_use=table.id == model_id))
            record_event(db, who=who, entity="model", entity_id=model_id, action="use")

    def in_use(self, persona_id: str, kind: ModelKind) -> Model | None:
        """Return the model the chat uses, if one was chosen."""
        return next((model for model in self.all(persona_id, kind) if model.in_use), None)
