"""Sees that a worker's workspace is the folder whose records the store holds: machines must share one."""

from __future__ import annotations

import fcntl
from pathlib import Path

from core.domain.identity import new_id
from core.errors import ConflictError
from core.store import Store
from core.translation import N_

STAMP = ".workspace-id"


def refuse_another_workspace(workspace: Path, store: Store) -> None:
    """Give workspace and store a common id when they first meet; ConflictError when theirs are not the same."""
    with (workspace / STAMP).open("a+", encoding="utf-8") as stamp:
        fcntl.flock(stamp, fcntl.LOCK_EX)
        stamp.seek(0)
        ours = stamp.read().strip()
        is_new = not ours
        if is_new:
            ours = new_id("workspace")
            stamp.write(ours)
            stamp.flush()
        known = store.runs.workspace(ours)
        if known != ours:
            if is_new:
                stamp.truncate(0)
            raise ConflictError(
                N_("The folder {folder} is not the workspace that this store's records belong to."),
                remedy=N_(
                    "Let DAIYU_WORKSPACE name the folder that all machines share. If this is that folder, "
                    "restored from a copy, write {id} into its file .workspace-id."
                ),
                folder=workspace,
                id=known,
            )
