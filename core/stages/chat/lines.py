"""Her own lines with what was said to her just before: what the retrieval model answers with."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from threading import Lock

from core.backends.llm import Line
from core.domain.persona import Persona
from core.domain.text import ReviewStatus, Utterance, UtteranceKind
from core.store import Store
from core.store.utterances import UtteranceFilter

NEARBY_PASSAGES = 2
"""How far back, in passages, somebody's words still call for hers."""

_KEPT = 4
_known: OrderedDict[tuple[str, frozenset[tuple[str, int, str]]], tuple[Line, ...]] = OrderedDict()
_reading = Lock()


def lines_of(persona: Persona, store: Store) -> tuple[Line, ...]:
    """Return her spoken lines, rejected ones left out; pairing is done anew only when her lines changed."""
    hers = UtteranceFilter(persona.id, speaker=persona.name)
    # Her lines alone are read each time: few rows, and any edit shows in a revision.
    state = frozenset(store.utterances.revisions(hers))
    with _reading:
        if (persona.id, state) not in _known:
            everybody = store.utterances.iterate(UtteranceFilter(persona.id), batch=10_000)
            _known[persona.id, state] = tuple(paired(everybody, persona.name))
        _known.move_to_end((persona.id, state))
        while len(_known) > _KEPT:
            _known.popitem(last=False)
        return _known[persona.id, state]


def paired(utterances: Iterable[Utterance], name: str) -> Iterator[Line]:
    """Yield her lines in reading order, each with the words before it if somebody else said them nearby."""
    previous: Utterance | None = None
    for line in utterances:
        if line.status is ReviewStatus.REJECTED or line.kind is not UtteranceKind.SPEECH:
            continue
        if line.speaker == name:
            yield Line(line.id, line.text, before=previous.text if previous and _answers(line, previous) else "")
        previous = line


def _answers(line: Utterance, previous: Utterance) -> bool:
    return (
        previous.source_id == line.source_id
        and previous.chapter == line.chapter
        and previous.speaker != line.speaker
        and line.ordinal - previous.ordinal <= NEARBY_PASSAGES
    )
