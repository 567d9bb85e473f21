"""Near-duplicates and doubtful lines: what is asked, what people decided, and which lines that leaves out."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.domain.normalising import folded

_SILENT = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class DuplicateMember:
    """A line among others that say nearly the same."""

    utterance_id: str
    content: str
    """See `content_of`."""
    text: str
    similarity: float
    """0 to 1, to the line that is proposed to stay."""
    reason: str
    """How it differs, in a word: `punctuation`, `truncated`, `variant`; `same` for the one proposed to stay."""
    proposed: bool
    """Whether it is proposed to stay."""
    kept: bool | None = None
    """Whether somebody decided that it stays; None while nobody has."""
    details: str = ""
    """The differing pieces."""


@dataclass(frozen=True, slots=True)
class DuplicateCluster:
    """Lines that say nearly the same, and what was decided about them."""

    id: str
    persona_id: str
    members: tuple[DuplicateMember, ...]
    open: bool = True
    """Whether it waits for a decision: it holds words nobody has decided about."""
    revision: int = 0
    decided_by: str | None = None
    decided_at: datetime | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class DuplicateDecision:
    """What was decided about certain words, wherever they stand."""

    kept_all: bool
    """Several lines said them, and each of them stays."""
    kept_ids: tuple[str, ...] = ()
    """The lines that stay; where none of them is there any more, the first line of these words stays."""
    instead: tuple[str, ...] = ()
    """What stays in their place; while nothing of it is there, they stay themselves. Empty: they go in any case."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a line may be wrong or of no use."""

    record_id: str
    """Of a line, or of a synthetic line."""
    rule: str
    reason: str
    """A message template, with its values beside it."""
    values: Mapping[str, Any]
    text: str
    """What the line said then."""
    synthetic: bool = False


def content_of(text: str) -> str:
    """Return the fingerprint of the words, however they are punctuated, in whichever characters they are written."""
    words = _SILENT.sub("", folded(text)).casefold() or text
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def decisions_for(members: Iterable[DuplicateMember], keep: Collection[str]) -> dict[str, DuplicateDecision]:
    """Return what keeping those lines of a cluster, and no others, means for each of its contents."""
    ids: dict[str, list[str]] = defaultdict(list)
    for member in members:
        ids[member.content].append(member.utterance_id)
    kept = {content: tuple(one for one in own if one in keep) for content, own in ids.items()}
    stays = tuple(sorted(content for content, own in kept.items() if own))
    return {
        content: DuplicateDecision(
            kept_all=len(kept[content]) == len(own) > 1,
            kept_ids=kept[content],
            instead=() if kept[content] else stays,
        )
        for content, own in ids.items()
    }


def dropped_lines(lines: Iterable[tuple[str, str]], decisions: Mapping[str, DuplicateDecision]) -> frozenset[str]:
    """Return the ids of the lines (id, content) that the decisions leave out."""
    present: dict[str, list[str]] = defaultdict(list)
    for line_id, content in lines:
        present[content].append(line_id)
    dropped: set[str] = set()
    for content in present.keys() & decisions.keys():
        decision, ids = decisions[content], present[content]
        if decision.kept_ids and not decision.kept_all:
            dropped.update(set(ids) - set([one for one in ids if one in decision.kept_ids] or ids[:1]))
        elif not decision.kept_ids and (not decision.instead or any(one in present for one in decision.instead)):
            dropped.update(ids)
    return frozenset(dropped)
