"""Extraction by a language model: chunks are asked about, answers aligned with the book, readings stored."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.backends.extraction import ExtractionModel
from core.domain.persona import Persona
from core.domain.text import Passage, Source, SourceKind, Utterance
from core.errors import InvalidInputError, MissingArtifactError
from core.jobs.context import RunContext
from core.stages.dialogues import rules
from core.stages.dialogues.alignment import Match
from core.stages.dialogues.asking import Answers, Question, ask_all, known_answers, question
from core.stages.dialogues.chunks import Chunk, chunks, chunks_around
from core.stages.dialogues.estimate import Estimate, Prices, estimate
from core.stages.dialogues.placing import NAME, Casting, Lines, Slip, collapse, place, source_lines
from core.stages.dialogues.settings import KorSettings
from core.store import Store
from core.store.utterances import UtteranceFilter
from core.translation import N_

REPORT = "report.json"
"""In the run's folder: the lines that are not in the book as the model gave them."""
_ROW = 8
"""Characters of a row besides the words: name, marks."""
_TABLE = 30


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk with the question about it."""

    chunk: Chunk
    question: Question


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked about one source."""

    source: Source
    lines: Lines
    pieces: tuple[Piece, ...]
    whole: int
    """How many pieces asking about everything would take."""


def run(
    settings: KorSettings, *, context: RunContext, store: Store, model: ExtractionModel, prices: Prices
) -> dict[str, Any]:
    """Ask about the chosen sources and store what the model says about each line; return what that came to.

    What could not be answered is named in the result's `retry`; running again asks only about that.
    """
    persona = store.personas.get(context.run.persona_id)
    works = plan(settings, persona, store=store, model=model)
    expected = estimated(settings, works, store=store, model=model, prices=prices)
    context.log(f"estimate: {json.dumps(expected.plain())}")
    questions = [piece.question for work in works for piece in work.pieces]
    answers = ask_all(questions, model=model, settings=settings, context=context, store=store)
    context.check()
    figures: Counter[str] = Counter()
    slips: list[Slip] = []
    for work in works:
        lines, found = _placed(work, answers, settings, persona)
        figures.update(found)
        figures["lines"] += _store(work, answers, [line for line, _ in lines], settings, context, store)
        slips += [slip for _, own in lines for slip in own]
    _report(context, slips)
    return _result(settings, works, answers, figures, expected, context, store)


def plan(settings: KorSettings, persona: Persona, *, store: Store, model: ExtractionModel) -> list[Work]:
    """Return what there is to ask; MissingArtifactError when the persona has no text with dialogue."""
    works = []
    for source in _sources(settings, persona, store):
        passages = store.corpus.passages(source.id)
        lines = source_lines(passages)
        everything = list(chunks(passages, size=settings.chunk_characters, overlap=settings.overlap_paragraphs))
        asked = _around_doubts(settings, source, passages, persona, store) if settings.only_uncertain else everything
        pieces = tuple(Piece(chunk, _question(model, chunk, lines)) for chunk in asked)
        works.append(Work(source, lines, pieces, len(everything)))
    return works


def estimated(
    settings: KorSettings, works: Sequence[Work], *, store: Store, model: ExtractionModel, prices: Prices
) -> Estimate:
    """Return what asking will come to; sends nothing."""
    questions = [piece.question for work in works for piece in work.pieces]
    whole = sum(work.whole for work in works) if settings.only_uncertain else None
    answered = known_answers(questions, model=model, store=store)
    rate = store.calls.rate(model.model)
    return estimate(questions, answered, model=model, settings=settings, prices=prices, rate=rate, whole=whole)


def extract(passages: Sequence[Passage], cast: Mapping[str, Iterable[str]]) -> Iterator[Utterance]:
    """Refuse: the table's other rows read a text at once; a model is asked by a run, which counts and resumes."""
    raise InvalidInputError(
        N_("A language model is asked by a run, not about a file."),
        remedy=N_("Import the text first, then extract from the store: `python -m core extract --method kor`."),
    )


def _sources(settings: KorSettings, persona: Persona, store: Store) -> list[Source]:
    if settings.source_ids:
        return [store.corpus.source(source_id) for source_id in settings.source_ids]
    sources = [one for one in store.corpus.sources(persona.id) if one.kind is not SourceKind.QUOTES]
    if not sources:
        raise MissingArtifactError(
            N_("{name} has no corpus yet."), remedy=N_("Import a text on the corpus page first."), name=persona.name
        )
    return sources


def _question(model: ExtractionModel, chunk: Chunk, lines: Lines) -> Question:
    quotes = [line.quote for passage in chunk.passages for line in lines.get(passage.ordinal, ())]
    expects = _TABLE + sum(len(quote.text) + _ROW for quote in quotes)
    return question(model, chunk.subject, chunk.text, expects=expects)


def _around_doubts(
    settings: KorSettings, source: Source, passages: Sequence[Passage], persona: Persona, store: Store
) -> list[Chunk]:
    return list(
        chunks_around(
            passages,
            _uncertain(settings, source, persona, store),
            before=settings.context_paragraphs,
            after=settings.context_paragraphs,
            size=settings.chunk_characters,
        )
    )


def _uncertain(settings: KorSettings, source: Source, persona: Persona, store: Store) -> Iterator[str]:
    """Yield the unreviewed lines that extractors dispute or the rules alone are not sure of.

    Where the model's reading stands already, what the rules said counts: the same run again asks the same.
    """
    for line in store.utterances.iterate(UtteranceFilter(persona.id, source_id=source.id)):
        if line.revision:
            continue
        sure = line.confidence
        if line.extractor == NAME and not line.disputed:
            readings = store.utterances.readings(line.id)
            sure = next((one.confidence for one in readings if one.extractor == rules.NAME), 1.0)
        if line.disputed or sure < settings.uncertain_below:
            yield line.id


def _placed(
    work: Work, answers: Answers, settings: KorSettings, persona: Persona
) -> tuple[list[tuple[list[Utterance], tuple[Slip, ...]]], Counter[str]]:
    """Return, by piece, the lines of its answer and its slips; and how the rows were found."""
    casting = Casting(persona)
    placed = []
    figures: Counter[str] = Counter()
    for piece in work.pieces:
        rows = answers.rows.get(piece.question.request)
        if rows is None:
            continue
        found = place(piece.chunk, rows, work.lines, casting, similarity=settings.similarity)
        lines = [line for line in found.lines if not piece.chunk.places or line.id in piece.chunk.places]
        asked = {None, *piece.chunk.places}
        slips = tuple(slip for slip in found.slips if not piece.chunk.places or slip.utterance_id in asked)
        placed.append((lines, slips))
        figures["verbatim"] += found.verbatim
        figures.update(slip.match.value for slip in slips)
    return placed, figures


def _store(
    work: Work,
    answers: Answers,
    lines: Sequence[Sequence[Utterance]],
    settings: KorSettings,
    context: RunContext,
    store: Store,
) -> int:
    """Put the readings in place of the model's earlier ones where it has answered; leave the rest as it is."""
    found = collapse(lines)
    answered = [piece for piece in work.pieces if piece.question.request in answers.rows]
    if len(answered) == len(work.pieces) and not settings.only_uncertain:
        return store.utterances.replace(work.source.id, NAME, found, context.run.id)
    places = {place for piece in answered for place in piece.chunk.places}
    if not settings.only_uncertain:
        ordinals = {passage.ordinal for piece in answered for passage in piece.chunk.passages}
        everywhere = store.utterances.iterate(UtteranceFilter(context.run.persona_id, source_id=work.source.id))
        places = {line.id for line in everywhere if line.ordinal in ordinals}
    return store.utterances.add_readings(work.source.id, NAME, found, context.run.id, places=places)


def _report(context: RunContext, slips: Sequence[Slip]) -> None:
    draft = context.folder / f"{REPORT}.draft"
    told = [asdict(slip) for slip in dict.fromkeys(slips)]
    draft.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(context.folder / REPORT)


def _result(
    settings: KorSettings,
    works: Sequence[Work],
    answers: Answers,
    figures: Counter[str],
    expected: Estimate,
    context: RunContext,
    store: Store,
) -> dict[str, Any]:
    usage = store.calls.usage(context.run.id)
    context.log(f"asked {usage.calls} times, {usage.failed} without answer, {usage.unreadable} unreadable")
    return {
        "sources": [work.source.id for work in works],
        "model": settings.model,
        "chunks": sum(len(work.pieces) for work in works),
        "reused": answers.reused,
        "calls": usage.calls,
        "failed": usage.failed,
        "unreadable": usage.unreadable,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "lines": figures["lines"],
        "verbatim": figures["verbatim"],
        "repaired": figures[Match.REPAIRED.value],
        "not_found": figures[Match.NOT_FOUND.value],
        "retry": [{"subject": one.subject, "problem": one.problem} for one in answers.retry],
        "estimate": expected.plain(),
    }
