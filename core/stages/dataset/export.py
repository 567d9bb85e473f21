"""A version as the files people load."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from core.domain.conversations import xtuner_conversations
from core.domain.text import DatasetVersion, Sample
from core.errors import SettingsError
from core.translation import N_


def _xtuner(version: DatasetVersion, samples: Iterable[Sample]) -> bytes:
    conversations = xtuner_conversations(version, samples)
    return (json.dumps(conversations, ensure_ascii=False, indent=1) + "\n").encode()


FORMATS: dict[str, Callable[[DatasetVersion, Iterable[Sample]], bytes]] = {"xtuner": _xtuner}
"""Format -> how it is written; the file's content, UTF-8."""


def export(version: DatasetVersion, samples: Iterable[Sample], *, format: str = "xtuner") -> bytes:
    """Return the samples in a format of `FORMATS`; SettingsError for an unknown one."""
    if format not in FORMATS:
        raise SettingsError(
            N_("There is no export format called {format}."),
            remedy=N_("Choose one of: {known}."),
            format=format,
            known=", ".join(FORMATS),
        )
    return FORMATS[format](version, samples)
