"""A base model's removal: not while a fine-tuning that is not over needs it; what was trained from it stays."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from core.domain.run import OPEN
from core.errors import ConflictError, MissingArtifactError
from core.translation import N_

if TYPE_CHECKING:
    from core.domain.run import Run
    from core.store import Store


def remove_base(base_id: str, *, store: Store, who: str) -> None:
    """Forget the base model and delete its folder.

    Raises NotFoundError when there is none of that id, ConflictError while a queued or running fine-tuning names it.
    """
    base = store.bases.get(base_id)
    users = base_users(base_id, store=store)
    if users:
        raise ConflictError(
            N_("{base} is in use by {run} and cannot be removed."),
            remedy=N_("Wait until the fine-tuning is over, or stop it."),
            base=base.name,
            run=users[0].id,
        )
    bases = (store.workspace / "bases").resolve()
    home = (store.workspace / base.folder).resolve()
    if bases not in home.parents:
        raise MissingArtifactError(
            N_("The folder {folder} of {name} does not lie among the base models, so it is not deleted."),
            remedy=N_("Delete it by hand if it is not needed."),
            folder=base.folder,
            name=base.name,
        )
    store.bases.delete(base_id, who=who)
    if home.exists():
        shutil.rmtree(home)


def base_users(base_id: str, *, store: Store) -> list[Run]:
    """Return the fine-tunings, queued or running, that are trained from it."""
    folder = store.bases.get(base_id).folder
    named = {base_id, folder, str(store.workspace / folder)}
    waiting = store.runs.all(kind="finetuning", states=OPEN, limit=1000)
    return [run for run in waiting if run.settings.get("base") in named]
