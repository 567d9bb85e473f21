"""A model's removal: the record says so first, then the files go; what a crash left behind goes with the next one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import MissingArtifactError
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.training import Model
    from core.store.store import Store


def remove(model_id: str, *, store: Store, who: str) -> None:
    """Remove a model and delete its folder, copies included; of a removed one, delete what is still there.

    ConflictError, with what to do first, while something rests on it. Exports stay.
    """
    model = store.models.get(model_id)
    if model.removed_at is None:
        store.models.remove(model_id, who=who)
    for gone in store.models.all(model.persona_id, model.kind, removed=True):
        if gone.removed_at is not None:
            _delete(_home(gone, store))


def _home(model: Model, store: Store) -> Path:
    """Return the model's folder, which lies below the folder of models and nowhere else."""
    models = (store.workspace / "models").resolve()
    home = (store.workspace / model.folder).resolve()
    if models not in home.parents:
        raise MissingArtifactError(
            N_("The folder {folder} of {name} does not lie among the models, so it is not deleted."),
            remedy=N_("Delete it by hand if it is not needed."),
            folder=model.folder,
            name=model.name,
        )
    return home


def _delete(home: Path) -> None:
    if not home.exists():
        return
    try:
        shutil.rmtree(home)
    except OSError as error:
        raise MissingArtifactError(
            N_("The model is removed, but its folder {folder} could not be deleted: {problem}."),
            remedy=N_("Check its permissions, then delete it by hand or remove the model again."),
            folder=home.name,
            problem=error.strerror or "",
        ) from None
