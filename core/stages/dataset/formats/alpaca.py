"""Alpaca: `{"instruction", "input", "output", "system", "history"}`, with `dataset_info.json` for LLaMA-Factory.

LLaMA-Factory learns the replies in `history`, too; other readers of Alpaca see the last exchange only. Source:
LLaMA-Factory, `data/README.md`, "Alpaca Format".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample, TurnRole
from core.stages.dataset.formats.dataset_info import described_files
from core.stages.dataset.formats.intake import Intake, Origin, RawTurn
from core.stages.dataset.formats.parts import exchanges, learnt, split_of
from core.stages.dataset.formats.records import Record, records
from core.stages.dataset.formats.rows import Carried, Files, Format, Imported, Origins
from core.translation import N_

_DESCRIPTION = {
    "formatting": "alpaca",
    "columns": {
        "prompt": "instruction",
        "query": "input",
        "response": "output",
        "system": "system",
        "history": "history",
    },
}
_KNOWN = ("instruction", "input", "output", "system", "history")


def write(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return a file for each side and their description."""
    return described_files(version, samples, _record, _DESCRIPTION)


def read(files: Files) -> Imported:
    """Return the conversations of all files."""
    intake = Intake()
    for record in records(files, intake):
        _take(record, intake)
    return intake.imported(name=", ".join(files))


def _record(sample: Sample, system: str) -> dict[str, Any]:
    *history, (asked, answered) = exchanges(sample)
    return {
        "instruction": asked,
        "input": "",
        "output": answered,
        "system": system,
        "history": [list(exchange) for exchange in history],
    }


def _take(record: Record, intake: Intake) -> None:
    content = record.content
    intake.fields(content, _KNOWN)
    missing = [key for key in ("instruction", "output") if not isinstance(content.get(key), str)]
    if missing:
        intake.refuse(record.place, N_("the text `{key}` is missing"), key=missing[0])
        return
    history = content.get("history") or []
    if not isinstance(history, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in history):
        intake.refuse(record.place, N_("`{key}` is no list of pairs"), key="history")
        return
    asked, context = content["instruction"], content.get("input")
    if context:
        asked = f"{asked}\n{context}" if asked else context
    turns = [turn for pair in [*history, [asked, content["output"]]] for turn in _exchange(*pair)]
    intake.add(turns, record.place, system=content.get("system"), origin=Origin(split=split_of(record.place.file)))


def _exchange(asked: object, answered: object) -> Iterator[RawTurn]:
    yield RawTurn(TurnRole.COUNTERPART, asked)
    yield RawTurn(TurnRole.PERSONA, answered)


ROW = Format(
    name="alpaca",
    title=N_("Alpaca (JSON, for LLaMA-Factory)"),
    extension="json",
    write=write,
    read=read,
    carries=frozenset({Carried.TURNS, Carried.SYSTEM, Carried.SPLIT}),
    loses=N_("Who speaks to the persona, and where the words stand; both are in the manifest."),
    choose=learnt,
)
