"""Keeps what was measured as a scorecard: a summary that somebody brings, or what a run found."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Protocol

from core.domain.evaluation import Answer, Score, Scorecard
from core.domain.identity import new_id, now
from core.domain.run import Run
from core.errors import InvalidInputError, NotFoundError
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


def keep_once(
    run: Run,
    store: Store,
    *,
    name: str,
    model_id: str | None,
    summary: bytes,
    scores: Iterable[Score],
    answers: Iterable[Answer],
) -> str:
    """Keep what a run measured and return the scorecard's id; one that an earlier attempt kept is left as it is."""
    card_id = f"card-{run.id.removeprefix('run-')}"
    try:
        return store.scorecards.get(card_id).id
    except NotFoundError:
        pass
    card = Scorecard(
        id=card_id,
        persona_id=run.persona_id,
        name=name,
        origin=run.id,
        sha256=store.files.put(summary),
        created_at=now(),
        scores=tuple(scores),
        model_id=model_id,
    )
    store.scorecards.add(card, answers)
    return card_id


def _shown(name: str) -> str:
    """Return an uploaded name fit to be shown: no folders, no control characters, not too long."""
    last = PurePath(name.replace("\\", "/")).name
    return "".join(character for character in last if character.isprintable())[-LONGEST_NAME:] or "summary"
