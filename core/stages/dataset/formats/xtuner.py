"""XTuner's own conversations: `[{"conversation": [{"system", "input", "output"}, {"input", "output"}]}]`.

The loss is on each `output`, but for those with `output_with_loss` false. Source: XTuner 0.2.0,
`docs/en/user_guides/dataset_format.md` and `xtuner/dataset/utils.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.conversations import xtuner_conversations
from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample, TurnRole
from core.stages.dataset.formats.intake import Intake, Origin, RawTurn
from core.stages.dataset.formats.parts import json_bytes, sides, split_of
from core.stages.dataset.formats.records import Record, records
from core.stages.dataset.formats.rows import Carried, Files, Format, Imported, Origins
from core.translation import N_

_KNOWN = ("system", "input", "output", "output_with_loss", "need_eos_token", "sep")


def write(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return a file for each side."""
    return {name: json_bytes(xtuner_conversations(version, part)) for name, part in sides(samples, ".json")}


def read(files: Files) -> Imported:
    """Return the conversations of all files."""
    intake = Intake()
    for record in records(files, intake):
        _take(record, intake)
    return intake.imported(name=", ".join(files))


def _take(record: Record, intake: Intake) -> None:
    intake.fields(record.content, ("conversation",))
    conversation = record.content.get("conversation")
    if not isinstance(conversation, list) or not all(isinstance(exchange, dict) for exchange in conversation):
        intake.refuse(record.place, N_("there is no list `{key}` of objects"), key="conversation")
        return
    turns: list[RawTurn] = []
    for exchange in conversation:
        intake.fields(exchange, _KNOWN)
        if "output" not in exchange:
            intake.refuse(record.place, N_("an exchange has no `{key}`"), key="output")
            return
        heard = exchange.get("input")
        turns += [
            RawTurn(TurnRole.COUNTERPART, "" if heard is None else heard),
            RawTurn(TurnRole.PERSONA, exchange["output"], context=exchange.get("output_with_loss") is False),
        ]
    system = conversation[0].get("system", "") if conversation else ""
    intake.add(turns, record.place, system=system, origin=Origin(split=split_of(record.place.file)))


ROW = Format(
    name="xtuner",
    title=N_("XTuner (JSON)"),
    extension="json",
    write=write,
    read=read,
    carries=frozenset({Carried.TURNS, Carried.LOSS, Carried.SYSTEM, Carried.SPLIT}),
    loses=N_("Who speaks to the persona, and where the words stand; both are in the manifest."),
)
