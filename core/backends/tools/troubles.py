"""Known troubles of other people's programs: what the end of a log tells, in plain words and with a remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.errors import StudioError, ToolFailedError
from core.translation import N_

Trouble = tuple[str, str, str]
"""Pattern, message and remedy; what the pattern's groups find fills in the message."""

DISK_FULL: Trouble = (
    r"No space left on device|Disk quota exceeded|\b[Ee]rrno 28\b",
    N_("The disk is full; the last whole checkpoint is kept."),
    N_("Free some space (old models can be removed on the fine-tuning page), then press Resume."),
)


def recognised(log: str, troubles: Iterable[Trouble]) -> StudioError | None:
    """Return the first of the troubles that the log tells of."""
    for pattern, message, remedy in troubles:
        match = re.search(pattern, log)
        if match:
            return ToolFailedError(message, remedy=remedy, **match.groupdict())
    return None
