"""Transcripts with times: tables of `start end text`, and the JSON that Whisper and its kin write."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInputError
from core.translation import N_

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:[.,]\d{1,6})?)")
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
_COLUMNS = ("start", "end", "text")
_LONGEST_ROW = 10_000


@dataclass(frozen=True, slots=True)
class Timed:
    """Words with their times, as a file has them."""

    start: float
    """Seconds."""
    end: float
    text: str
    speaker: str = ""


def rows_in_json(text: str, name: str) -> Iterator[Timed]:
    """Yield the segments of a JSON transcript; InvalidInputError when it is no JSON or has none."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInputError(
            N_("{name} begins like JSON and is not."),
            remedy=N_("Write the transcript again, or choose another form: .srt, .tsv."),
            name=name,
        ) from None
    segments = content.get("segments") if isinstance(content, Mapping) else content
    if not isinstance(segments, list):
        raise InvalidInputError(
            N_("{name} is JSON without a list of segments."),
            remedy=N_("Give each segment a start, an end (both in seconds) and a text, as Whisper does."),
            name=name,
        )
    for segment in segments:
        if isinstance(segment, Mapping):
            yield Timed(
                _seconds(segment.get("start")),
                _seconds(segment.get("end")),
                _words(segment.get("text")),
                _words(segment.get("speaker")),
            )


def rows_in_table(lines: Sequence[str]) -> Iterator[Timed]:
    """Yield the rows that begin with two times; a first row may name the columns, others are no rows.

    Whole numbers below the heading `start end text` are milliseconds, as Whisper writes them; all else is
    seconds, or hours, minutes and seconds with colons.
    """
    filled = [line[:_LONGEST_ROW] for line in lines if line.strip()]
    if not filled:
        return
    delimiter = "\t" if "\t" in filled[0] else "," if "," in filled[0] else " "
    heading = [cell.strip().lower() for cell in filled[0].split(delimiter)]
    named = set(_COLUMNS) <= set(heading)
    columns = heading if named else list(_COLUMNS)
    cells = [_cells(line, delimiter, columns) for line in filled[named:]]
    whole = named and delimiter == "\t" and all(one[0].isdecimal() and one[1].isdecimal() for one in cells if one)
    scale = 1000 if whole else 1
    for one in cells:
        if one:
            yield Timed(_time(one[0]) / scale, _time(one[1]) / scale, one[2], one[3])


def _cells(line: str, delimiter: str, columns: Sequence[str]) -> tuple[str, str, str, str] | None:
    """Return start, end, text and speaker; what is left over belongs to a text in the last column."""
    try:
        parts = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return None
    if len(parts) < len(columns):
        return None
    kept = [*parts[: len(columns) - 1], delimiter.join(parts[len(columns) - 1 :])]
    row = dict(zip(columns, kept, strict=True))
    if math.isnan(_time(row["start"])) or math.isnan(_time(row["end"])):
        return None
    return row["start"].strip(), row["end"].strip(), row["text"], row.get("speaker", "")


def _time(cell: str) -> float:
    """Return seconds; not a number for what is no time."""
    cell = cell.strip()
    if _NUMBER.fullmatch(cell):
        return float(cell)
    clock = _CLOCK.fullmatch(cell)
    if clock is None:
        return math.nan
    return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3].replace(",", "."))


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        return _time(value)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else math.nan


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""
