"""Reads OpenCompass's summaries, as they were written in 2024 and as they are written now: .csv, .txt and .md.

`dataset,version,metric,mode,<model…>`, a row a dataset and metric, a column a model, `-` where a value is missing.
Now a group of datasets has an `accuracy` and a `naive_average` row; in 2024 only the latter. The .txt holds the table
in several forms, the CSV among them, and tells at its end why something is missing; the .md is one Markdown table.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from core.domain.evaluation import Score
from core.errors import InvalidInputError
from core.translation import N_

HEADER = ("dataset", "version", "metric", "mode")
DELIMITERS = ",;\t"
"""OpenCompass writes commas; a spreadsheet may have saved it otherwise."""
GROUP_METRIC = "naive_average"
MISSING = frozenset({"", "-", "nan"})
_CSV_PART, _RAW = "csv format", "raw format"
_REASON = re.compile(r"^([\w.-]+): \{'error': [\"'](.*)[\"']\}$", re.MULTILINE)


def parse_summary(content: bytes, name: str) -> tuple[Score, ...]:
    """Return every cell of the summary, row by row; InvalidInputError saying which line is wrong and why."""
    text = _decoded(content, name)
    reasons = dict(_REASON.findall(text.partition(_RAW)[2]))
    rows = _rows(_table_in(text), name)
    models = _models(next(rows, (0, []))[1], name)
    scores = [score for number, cells in rows for score in _scores(cells, models, number, name)]
    scores = [replace(one, reason=reasons.get(one.dataset, "")) if one.value is None else one for one in scores]
    if not scores:
        raise InvalidInputError(
            N_("{name} has no scores below its header."),
            remedy=N_("Look whether the evaluation ended well, then import its newest summary."),
            name=name,
        )
    return tuple(scores)


def preferred(scores: Iterable[Score]) -> tuple[Score, ...]:
    """Return the scores without the twins of group rows: where a dataset has a `naive_average`, that one counts."""
    scores = tuple(scores)
    groups = {(score.dataset, score.mode) for score in scores if score.metric == GROUP_METRIC}
    return tuple(score for score in scores if score.metric == GROUP_METRIC or (score.dataset, score.mode) not in groups)


def _decoded(content: bytes, name: str) -> str:
    if not content.strip():
        raise InvalidInputError(N_("{name} is empty."), remedy=N_("Choose a summary with scores in it."), name=name)
    sixteen = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if sixteen else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _no_summary(name)


def _table_in(text: str) -> str:
    """Return the table as CSV, each line where it stood, so that a wrong one can be named."""
    lines = text.splitlines()
    begin = next((place for place, line in enumerate(lines) if line.strip() == _CSV_PART), None)
    if begin is not None:
        end = next((place for place in range(begin, len(lines)) if lines[place].startswith("$$$")), len(lines))
        kept = (line if begin < place < end and not line.startswith("^^^") else "" for place, line in enumerate(lines))
        return "\n".join(kept)
    if any(line.lstrip().startswith("|") for line in lines):
        return "\n".join(_from_markdown(line) for line in lines)
    return text


def _from_markdown(line: str) -> str:
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if not line.lstrip().startswith("|") or all(set(cell) <= set("-: ") and len(cell) > 1 for cell in cells):
        return ""
    return ",".join(cell.replace(",", " ") for cell in cells)


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of what is neither blank nor a section's title."""
    first = text.lstrip().partition("\n")[0]
    delimiter = next((one for one in DELIMITERS if tuple(_cells(first.split(one))[:4]) == HEADER), None)
    if delimiter is None:
        raise _no_summary(name)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        for row in reader:
            cells = _cells(row)
            if any(cells) and not cells[0].startswith("--"):
                yield reader.line_num, cells
    except csv.Error:
        raise _no_summary(name) from None


def _cells(row: Sequence[str]) -> list[str]:
    return [cell.strip().strip('"') for cell in row]


def _models(header: Sequence[str], name: str) -> list[str]:
    models = list(header[len(HEADER) :])
    if not models or not all(models) or len(set(models)) != len(models):
        raise InvalidInputError(
            N_("The header of {name} names no model, or one of them twice."),
            remedy=N_("Give the summary as OpenCompass wrote it: dataset,version,metric,mode and a column a model."),
            name=name,
        )
    return models


def _scores(cells: Sequence[str], models: Sequence[str], number: int, name: str) -> Iterator[Score]:
    if len(cells) != len(HEADER) + len(models) or not cells[0]:
        raise InvalidInputError(
            N_("Line {line} of {name} has {found} cells, its header {wanted}."),
            remedy=N_("Export the summary again; commas inside a cell are not possible in it."),
            line=number,
            name=name,
            found=len(cells),
            wanted=len(HEADER) + len(models),
        )
    dataset, version, metric, mode = cells[: len(HEADER)]
    for model, cell in zip(models, cells[len(HEADER) :], strict=True):
        yield Score(dataset, metric, mode, version, model, _value(cell, number, name))


def _value(cell: str, number: int, name: str) -> float | None:
    if cell.casefold() in MISSING:
        return None
    try:
        value = float(cell)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise InvalidInputError(
            N_("Line {line} of {name} has {cell} where a score should be."),
            remedy=N_("A score is a number, or - where it is missing."),
            line=number,
            name=name,
            cell=cell[:40],
        )
    return value


def _no_summary(name: str) -> InvalidInputError:
    return InvalidInputError(
        N_("{name} is not an OpenCompass summary."),
        remedy=N_("Give a file summary/summary_… of an evaluation; its table begins with dataset,version,metric,mode."),
        name=name,
    )
