"""Keeps an evaluator's summary as a scorecard."""

from __future__ import annotations

from pathlib import PurePath
from typing import Protocol

from core.domain.evaluation import Scorecard
from core.domain.identity import new_id, now
from core.errors import InvalidInputError
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.evaluation.summary import parse_summary
from core.store import Store
from core.translation import N_

IMPORTED = "import"
LONGEST_NAME = 120


class Readable(Protocol):
    """An upload: anything that hands out bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes."""
        ...


def import_summary(
    stream: Readable,
    name: str,
    *,
    persona_id: str,
    settings: EvaluationSettings,
    store: Store,
    model_id: str | None = None,
    who: str = "app",
) -> Scorecard:
    """Read an OpenCompass summary and keep it with its file; InvalidInputError keeps nothing."""
    shown = _shown(name)
    limit = settings.max_summary_kb * 1000
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise InvalidInputError(
            N_("{name} is larger than {limit} kB; no summary is."),
            remedy=N_("Give the file summary/summary_….csv, not the predictions."),
            name=shown,
            limit=settings.max_summary_kb,
        )
    scores = parse_summary(content, shown)
    card = Scorecard(
        id=new_id("card"),
        persona_id=persona_id,
        name=PurePath(shown).stem,
        origin=IMPORTED,
        sha256=store.files.put(content),
        created_at=now(),
        scores=scores,
        model_id=model_id,
    )
    store.scorecards.add(card, who=who)
    return card


def _shown(name: str) -> str:
    """Return an uploaded name fit to be shown: no folders, no control characters, not too long."""
    last = PurePath(name.replace("\\", "/")).name
    return "".join(character for character in last if character.isprintable())[-LONGEST_NAME:] or "summary"
