"""Simulated curators who all work on the same lines at once, and the audit of what they leave behind."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.identity import now
from core.domain.text import Passage, PassageKind, ReviewStatus, Source, SourceKind, Utterance, UtteranceKind
from core.errors import ConflictError, InvalidInputError
from core.store import Store
from core.store.events import replayed
from core.store.records import plain
from core.store.utterances import UtteranceFilter

SOURCE = "source-1"
CHAPTER = 50
"""Lines of a chapter."""
_SIGN = "·"
"""Stands between the speaker's name and the words wherever a curator wrote both: what belongs together shows."""
_STATUSES = (ReviewStatus.PENDING, ReviewStatus.ACCEPTED, ReviewStatus.REJECTED)
_VERBS = {"edit": 80, "undo": 6, "redo": 3, "restore": 4, "split": 2, "merge": 2, "edit_chapter": 3}


@dataclass(slots=True)
class Diary:
    """What one curator did."""

    who: str
    written: list[tuple[str, int]] = field(default_factory=list)
    """(line, revision) of each change the store said it had written."""
    refused: int = 0
    """Changes refused because somebody had been faster; the curator looks again and goes on."""
    torn: int = 0
    """Lines seen half-changed."""
    verbs: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Audit:
    """What all curators together left."""

    edits: int
    conflicts: int
    lost_updates: int
    """Changes the store confirmed that the history does not know."""
    torn_rows: int
    history_replays: bool
    """Whether the events of each line lead from what it was to what it is."""
    events: int


def book(store: Store, persona_id: str, rows: int) -> dict[str, Mapping[str, Any]]:
    """Put a text of so many lines into the store and return them as they are before anybody looks at them."""
    words = "冷么？不冷。"
    source = Source(SOURCE, persona_id, "book.txt", SourceKind.NOVEL, "1" * 64, 9, "utf-8", 9, 1, now())
    passages, lines = [], []
    for n in range(rows):
        text = f"{n}“{words}”"
        chapter, start = n // CHAPTER + 1, len(str(n))
        passages.append(Passage(SOURCE, n, chapter, n % CHAPTER, PassageKind.PARAGRAPH, 0, len(text), text))
        place = (SOURCE, n, chapter, n % CHAPTER, start, len(text))
        lines.append(Utterance(*place, words, UtteranceKind.SPEECH, "沈青", "rules", 0.9, "cue"))
    store.corpus.add(source, passages)
    store.utterances.replace(SOURCE, "rules", lines, None)
    return {line.id: plain(line) for line in store.utterances.iterate(UtteranceFilter(persona_id))}


def curate(store: Store, persona_id: str, who: str, ids: Iterable[str], seconds: float) -> Diary:
    """Change lines at random for so long, as fast as the store takes it."""
    chance, diary, wanted = random.Random(who), Diary(who), list(ids)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        verb = chance.choices(list(_VERBS), list(_VERBS.values()))[0]
        try:
            line = store.utterances.get(chance.choice(wanted))
            diary.torn += torn(line)
            _do(verb, store, persona_id, line, chance, diary)
            diary.verbs[verb] += 1
        except ConflictError:
            diary.refused += 1
        except InvalidInputError:
            diary.verbs["impossible"] += 1  # an edited line is not split, the last one not merged
    return diary


def _do(verb: str, store: Store, persona_id: str, line: Utterance, chance: random.Random, diary: Diary) -> None:
    review, who = store.review, diary.who
    name = f"{who}-{chance.randrange(10**6)}"
    words = {"speaker": name, "text": f"{name}{_SIGN}好。", "status": chance.choice(_STATUSES)}
    if verb == "edit":
        _note(diary, review.edit(line.id, line.revision, who=who, **words))
    elif verb == "split":
        _note(diary, *review.split(line.id, line.revision, 3, who=who))
    elif verb == "edit_chapter":
        review.edit_all(UtteranceFilter(persona_id, SOURCE, chapter=line.chapter), who=who, **words)
    elif verb in ("undo", "redo"):
        getattr(review, verb)(who, persona_id)
    else:
        _note(diary, getattr(review, verb)(line.id, line.revision, who=who))


def _note(diary: Diary, *lines: Utterance) -> None:
    diary.written += [(line.id, line.revision) for line in lines]


def torn(line: Utterance) -> bool:
    """Whether speaker and words come from different changes."""
    written = any((one or "").startswith("curator") for one in (line.text, line.speaker))
    return written and not line.text.startswith(f"{line.speaker}{_SIGN}")


def audited(store: Store, persona_id: str, before: Mapping[str, Any], diaries: Iterable[Diary]) -> Audit:
    """Compare what the curators were told, what the history says, and what the lines are."""
    where = UtteranceFilter(persona_id)
    lines = [*store.utterances.iterate(where)]
    lines += store.utterances.iterate(UtteranceFilter(persona_id, status=ReviewStatus.MERGED))
    present = {line.id: plain(line) for line in lines}
    diaries = list(diaries)
    touched = {line_id for diary in diaries for line_id, _ in diary.written}
    known: set[tuple[str, str, int]] = set()
    replays, events = True, 0
    for line_id in {*before, *present, *touched}:
        history = store.events.history("utterance", line_id)
        events += len(history)
        known |= {(one.who, line_id, one.after["revision"]) for one in history if one.after}
        try:
            replays &= replayed(before.get(line_id), history) == present.get(line_id)
        except ValueError:
            replays = False
    told = [(diary.who, *change) for diary in diaries for change in diary.written]
    return Audit(
        edits=len(told),
        conflicts=sum(diary.refused for diary in diaries),
        lost_updates=len(told) - len(known & set(told)),
        torn_rows=sum(diary.torn for diary in diaries) + sum(torn(line) for line in lines),
        history_replays=replays,
        events=events,
    )
