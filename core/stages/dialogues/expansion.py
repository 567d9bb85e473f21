"""Quote expansion: lines that somebody might say just before one of her quotes. Synthetic for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from core.backends.extraction import ExtractionModel, Fields
from core.domain.identity import now
from core.domain.persona import Persona
from core.domain.text import Expansion, ReviewStatus, SourceKind, Utterance
from core.errors import MissingArtifactError
from core.jobs.context import RunContext
from core.stages.dialogues.alignment import letters
from core.stages.dialogues.asking import Answers, Question, ask_all, known_answers, question
from core.stages.dialogues.estimate import Estimate, Prices, estimate
from core.stages.dialogues.settings import ExpansionSettings
from core.store import Store
from core.store.utterances import UtteranceFilter
from core.translation import N_

COUNTERPART = "对话人"
"""What the schema calls whoever speaks to her."""
_MOST = 5
"""Lines kept for one quote."""
_TELLING = 6
"""Quotes from here on (letters) are not said inside another line by chance."""
_LINE = 24
"""Characters a line is expected to have."""


def run(
    settings: ExpansionSettings, *, context: RunContext, store: Store, model: ExtractionModel, prices: Prices
) -> dict[str, Any]:
    """Ask for the lines before each quote and store them; return what that came to."""
    persona = store.personas.get(context.run.persona_id)
    work = plan(settings, persona, store=store, model=model)
    expected = estimated(settings, work, store=store, model=model, prices=prices)
    context.log(f"estimate: {json.dumps(expected.plain())}")
    quotes = {one.request: quote for quote, one in work}

    def wrong(asked: Question, rows: Sequence[Fields]) -> str:
        good = len(list(_good(rows, quotes[asked.request], persona, settings)))
        return "" if good >= settings.fewest else f"only {good} of {len(rows)} rows are lines to use"

    questions = [one for _, one in work]
    answers = ask_all(questions, model=model, settings=settings, context=context, store=store, check=wrong)
    made = [one for quote, asked in work for one in _expansions(quote, asked, answers, persona, settings, context)]
    kept = store.expansions.put(made)
    usage = store.calls.usage(context.run.id)
    return {
        "model": settings.model,
        "quotes": len(work),
        "reused": answers.reused,
        "calls": usage.calls,
        "failed": usage.failed,
        "unreadable": usage.unreadable,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "lines": kept,
        "retry": [{"subject": one.subject, "problem": one.problem} for one in answers.retry],
        "estimate": expected.plain(),
    }


def plan(
    settings: ExpansionSettings, persona: Persona, *, store: Store, model: ExtractionModel
) -> list[tuple[Utterance, Question]]:
    """Return the quotes with the question about each; MissingArtifactError when there is none."""
    work: dict[str, tuple[Utterance, Question]] = {}
    for quote in _quotes(settings, persona, store):
        text = f"人物：{persona.name}（《{persona.book}》）\n台词：{quote.text}"
        expects = settings.fewest * (len(quote.text) + _LINE)
        asked = question(model, quote.id, text, expects=expects)
        work.setdefault(asked.request, (quote, asked))
        if len(work) == settings.at_most:
            break
    if not work:
        raise MissingArtifactError(
            N_("{name} has no quotes to expand."),
            remedy=N_("Import collected quotes and extract them, or accept some of her lines and choose those."),
            name=persona.name,
        )
    return list(work.values())


def estimated(
    settings: ExpansionSettings,
    work: Sequence[tuple[Utterance, Question]],
    *,
    store: Store,
    model: ExtractionModel,
    prices: Prices,
) -> Estimate:
    """Return what asking will come to; sends nothing."""
    questions = [one for _, one in work]
    answered = known_answers(questions, model=model, store=store)
    rate = store.calls.rate(model.model)
    return estimate(questions, answered, model=model, settings=settings, prices=prices, rate=rate)


def _quotes(settings: ExpansionSettings, persona: Persona, store: Store) -> Iterator[Utterance]:
    if settings.utterance_ids:
        yield from (store.utterances.get(one) for one in settings.utterance_ids)
        return
    wanted = ReviewStatus.ACCEPTED if settings.quotes == "accepted" else None
    for source in store.corpus.sources(persona.id):
        if wanted is None and source.kind is not SourceKind.QUOTES:
            continue
        where = UtteranceFilter(persona.id, source_id=source.id, speaker=persona.name, status=wanted)
        for line in store.utterances.iterate(where):
            if line.status is not ReviewStatus.REJECTED:
                yield line


def _good(rows: Sequence[Fields], quote: Utterance, persona: Persona, settings: ExpansionSettings) -> Iterator[str]:
    """Yield the lines to use: somebody else's, not the quote again, neither empty nor too long, each once."""
    own = {letters(one) for one in (persona.name, *persona.aliases)}
    said = letters(quote.text)
    seen = {said, ""}
    for row in rows:
        words = letters(row["dialogue"])
        repeated = words in seen or (len(said) >= _TELLING and said in words)
        if repeated or letters(row["role"]) in own:
            continue
        if len(row["dialogue"]) <= settings.longest:
            seen.add(words)
            yield row["dialogue"].strip('“”「」"')


def _expansions(
    quote: Utterance,
    asked: Question,
    answers: Answers,
    persona: Persona,
    settings: ExpansionSettings,
    context: RunContext,
) -> Iterator[Expansion]:
    rows = answers.rows.get(asked.request, ())
    for ordinal, text in enumerate(list(_good(rows, quote, persona, settings))[:_MOST]):
        yield Expansion(
            id=f"{quote.id}.x{ordinal}",
            persona_id=persona.id,
            utterance_id=quote.id,
            ordinal=ordinal,
            counterpart=COUNTERPART,
            text=text,
            model=settings.model,
            created_at=now(),
            run_id=context.run.id,
        )
