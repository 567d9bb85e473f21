"""Commands about scores: examine a model, and decide by what it reached."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.commands.terminal import Json, Settings, Who, answered, done_here, parsed, queued, studio
from core.settings import stage_defaults
from core.stages.evaluation.fidelity.settings import FidelitySettings
from core.stages.evaluation.gate import Gate, Verdict, judge, read_gate
from core.stages.evaluation.settings import EvaluationSettings
from core.stages.evaluation.tables import values_of

if TYPE_CHECKING:
    from core.domain.evaluation import Scorecard
    from core.services import Services


Gates = Annotated[
    Path | None, typer.Option("--gate", help="Rules that must hold; ends with code 1 where one does not.")
]
Against = Annotated[str, typer.Option("--against", help="Id of an older scorecard that the rules compare with.")]
Queue = Annotated[bool, typer.Option("--queue", help="Leave the work to a running worker.")]


def evaluate(
    model: Annotated[str, typer.Option(help="Id of the text model; empty for the server of the settings.")] = "",
    benchmark: Annotated[list[str], typer.Option(help="ceval or cmmlu; may be given twice.")] = [],  # noqa: B006 - typer copies it
    settings: Settings = [],  # noqa: B006
    gate: Gates = None,
    against: Against = "",
    queue: Queue = False,
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Examine a model with OpenCompass, keep its scorecard, and decide by rules if some are given."""
    rules = read_gate(gate) if gate else None
    with studio() as services:
        usual = stage_defaults("evaluation", EvaluationSettings).model_dump(mode="json")
        wanted = {**usual, "benchmarks": benchmark or usual["benchmarks"], **parsed(settings)}
        wanted["model_id"] = model or wanted["model_id"]
        if queue:
            queued(services, "evaluation", persona, wanted, as_json=as_json)
            return
        card, verdicts = _examined(services, "evaluation", persona, wanted, rules, against)
    _decided(card, verdicts, as_json)


def fidelity(
    who: Annotated[str, typer.Option(help="Id of a text model, openai, or retrieval: her own lines.")] = "",
    settings: Settings = [],  # noqa: B006
    gate: Gates = None,
    against: Against = "",
    queue: Queue = False,
    persona: Who = "",
    as_json: Json = False,
) -> None:
    """Put held-out scenes and probes to a model, hold its replies beside her real lines, and decide by rules."""
    rules = read_gate(gate) if gate else None
    with studio() as services:
        usual = stage_defaults("fidelity", FidelitySettings).model_dump(mode="json")
        wanted = {**usual, **parsed(settings)}
        wanted["who"] = who or wanted["who"]
        if queue:
            queued(services, "fidelity", persona, wanted, as_json=as_json)
            return
        card, verdicts = _examined(services, "fidelity", persona, wanted, rules, against)
    _decided(card, verdicts, as_json)


def _examined(
    services: Services, kind: str, persona: str, wanted: dict[str, Any], rules: Gate | None, against: str
) -> tuple[Scorecard, list[Verdict]]:
    older = services.store.scorecards.get(against) if against else None
    done = done_here(services, kind, persona, wanted)
    card = services.store.scorecards.get(done.result["scorecard_id"])
    pairs = services.store.scorecards.pairs(older.id, card.id) if older else {}
    return card, judge(rules, card, older, pairs) if rules else []


def _decided(card: Scorecard, verdicts: list[Verdict], as_json: bool) -> None:
    told = [*_lines(card), *(f"{'ok  ' if one.holds else 'FAIL'} {one.dataset}: {one.told}" for one in verdicts)]
    found = {"scorecard": card.id, "gate": {one.dataset: one.holds for one in verdicts}}
    answered(
        {**found, "scores": {one.dataset: None for one in card.scores} | values_of(card)}, "\n".join(told), as_json
    )
    if not all(one.holds for one in verdicts):
        raise typer.Exit(1)


def _lines(card: Scorecard) -> list[str]:
    models = {one.model for one in card.scores}
    shown = [
        f"{one.dataset}{f' ({one.model})' if len(models) > 1 else ''}: "
        f"{'-' if one.value is None else f'{one.value:.2f}'}"
        for one in card.scores
    ]
    return [f"{card.id}  {card.name}", *shown]
