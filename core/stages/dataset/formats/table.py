"""The flat table that CSV and Parquet share: a row is a turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from core.domain.text import Sample, Split, TurnRole
from core.stages.dataset.formats.intake import Intake, Origin, RawTurn
from core.stages.dataset.formats.report import Place
from core.stages.dataset.formats.rows import Origins
from core.translation import N_

COLUMNS = (
    "sample",
    "split",
    "turn",
    "role",
    "speaker",
    "text",
    "utterances",
    "source_id",
    "source",
    "source_sha256",
    "chapter",
    "context",
    "expansion",
    "synthetic",
)
NUMBERS = ("sample", "turn", "chapter", "context", "synthetic")
"""Columns of whole numbers; all others are texts."""
NEEDED = ("sample", "role", "text")
_LARGEST = 1 << 31


def rows(samples: Sequence[Sample], origins: Origins) -> Iterator[dict[str, str | int]]:
    """Yield a row for each turn, the lines it was made of separated by spaces."""
    for sample in samples:
        source = origins.sources.get(sample.source_id)
        for number, turn in enumerate(sample.turns):
            yield {
                "sample": sample.ordinal,
                "split": sample.split.value,
                "turn": number,
                "role": turn.role.value,
                "speaker": turn.speaker,
                "text": turn.text,
                "utterances": " ".join(turn.utterance_ids),
                "source_id": sample.source_id,
                "source": source.name if source else "",
                "source_sha256": source.sha256 if source else "",
                "chapter": sample.chapter,
                "context": int(turn.context),
                "expansion": turn.expansion_id,
                "synthetic": int(sample.synthetic),
            }


def take(table: Iterable[tuple[Place, Mapping[str, object]]], intake: Intake) -> None:
    """Take in rows that belong together by `sample`; a sample with an unknown role is refused as a whole."""
    for _, group in groupby(table, key=lambda one: str(one[1].get("sample"))):
        numbered = list(group)
        place, first = numbered[0]
        turns, strange = _turns(numbered)
        if strange:
            intake.refuse(strange, N_("the role is neither user nor assistant"))
            continue
        intake.add(turns, place, origin=_origin(first))


def _turns(numbered: Sequence[tuple[Place, Mapping[str, object]]]) -> tuple[list[RawTurn], Place | None]:
    turns = []
    for place, row in numbered:
        role = _word(row.get("role")).strip().casefold()
        if role not in list(TurnRole):
            return [], place
        lines = tuple(_word(row.get("utterances")).split())
        context, expansion = _number(row.get("context")) == 1, _word(row.get("expansion"))
        turns.append(RawTurn(TurnRole(role), row.get("text"), _word(row.get("speaker")), lines, context, expansion))
    return turns, None


def _origin(row: Mapping[str, object]) -> Origin:
    split = _word(row.get("split")).strip().casefold()
    return Origin(
        ordinal=_number(row.get("sample")),
        source_id=_word(row.get("source_id")),
        chapter=_number(row.get("chapter")) or 0,
        split=Split.HELD_OUT if split in (Split.HELD_OUT, "test", "validation") else Split.TRAIN,
        synthetic=_number(row.get("synthetic")) == 1,
    )


def _number(value: object) -> int | None:
    """Return the whole number a cell holds, or None."""
    text = str(value).strip().removesuffix(".0")  # a column with gaps comes back from a spreadsheet as decimals
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST))):
        return None
    number = int(text)
    return number if number < _LARGEST else None


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
