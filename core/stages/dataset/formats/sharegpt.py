"""ShareGPT: `{"conversations": [{"from", "value"}, …], "system"}`, with `dataset_info.json` for LLaMA-Factory.

It wants `human` in odd places and `gpt` in even ones, and learns every `gpt`. Source: LLaMA-Factory, `data/README.md`,
"Sharegpt Format", and `src/llamafactory/data/converter.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample
from core.stages.dataset.formats.dataset_info import described_files
from core.stages.dataset.formats.intake import Intake, Origin
from core.stages.dataset.formats.messages import Keys
from core.stages.dataset.formats.openai import talk_in
from core.stages.dataset.formats.parts import exchanges, learnt, split_of
from core.stages.dataset.formats.records import records
from core.stages.dataset.formats.rows import Carried, Files, Format, Imported, Origins
from core.translation import N_

_DESCRIPTION = {"formatting": "sharegpt", "columns": {"messages": "conversations", "system": "system"}}
_KEYS = Keys(role="from", content="value")


def write(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return a file for each side and their description."""
    return described_files(version, samples, _record, _DESCRIPTION)


def read(files: Files) -> Imported:
    """Return the conversations of all files."""
    intake = Intake()
    for record in records(files, intake):
        intake.fields(record.content, ("conversations", "system", "id"))
        talk = talk_in(record, record.content.get("conversations"), _KEYS, intake)
        if talk is not None:
            system = talk.system or record.content.get("system")
            intake.add(talk.turns, record.place, system=system, origin=Origin(split=split_of(record.place.file)))
    return intake.imported(name=", ".join(files))


def _record(sample: Sample, system: str) -> dict[str, Any]:
    said = [
        message
        for heard, reply in exchanges(sample)
        for message in ({"from": "human", "value": heard}, {"from": "gpt", "value": reply})
    ]
    return {"conversations": said, "system": system}


ROW = Format(
    name="sharegpt",
    title=N_("ShareGPT (JSON, for LLaMA-Factory)"),
    extension="json",
    write=write,
    read=read,
    carries=frozenset({Carried.TURNS, Carried.SYSTEM, Carried.SPLIT}),
    loses=N_("Who speaks to the persona, and where the words stand; both are in the manifest."),
    choose=learnt,
)
