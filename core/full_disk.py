"""Tells a full disk from other failures, whichever library met it first."""

from __future__ import annotations

import errno

from core.errors import DiskFullError
from core.translation import N_

_ERRORS = (errno.ENOSPC, errno.EDQUOT)
_SAID = ("database or disk is full", "No space left on device", "Disk quota exceeded")
"""What SQLite, PostgreSQL and the programs of others say."""


def full_disk(error: BaseException) -> DiskFullError | None:
    """Return what to tell people if a full disk is behind that failure."""
    looked_at: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in looked_at:
        if isinstance(cause, DiskFullError):
            return cause
        if getattr(cause, "errno", None) in _ERRORS or any(words in str(cause) for words in _SAID):
            return no_room()
        looked_at.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return None


def no_room() -> DiskFullError:
    """Return what people are told when the disk is full."""
    return DiskFullError(
        N_("The disk is full."),
        remedy=N_(
            "Free some space (old models can be removed on the fine-tuning page), then press Resume or try again."
        ),
    )
