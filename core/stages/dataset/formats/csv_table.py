"""CSV, twice: for spreadsheets, with a mark of its encoding and no cell that would run as a formula; and for programs.

The mark decides while reading: a file with it has its guards taken off again, one without it is taken word for word.
Source: RFC 4180; OWASP, "CSV Injection".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

from core.domain.persona import Persona
from core.domain.text import DatasetVersion, Sample
from core.errors import InvalidInputError
from core.stages.dataset.formats import table
from core.stages.dataset.formats.intake import Intake
from core.stages.dataset.formats.report import Place
from core.stages.dataset.formats.rows import Carried, Files, Format, Imported, Origins
from core.translation import N_

_MARK = b"\xef\xbb\xbf"
_GUARD = "'"
_RISKY = re.compile(r"[=+\-@\t\r＝＋－＠']")
"""A cell that begins so is run by a spreadsheet, or is a guard already; full-width signs count in Chinese ones."""
_MAX_COLUMNS = 200
_DELIMITERS = (",", ";", "\t")


def write_for_spreadsheets(
    version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins
) -> Files:
    """Return the table as Excel and others open it without asking."""
    guarded = ({key: _guarded(cell) for key, cell in row.items()} for row in table.rows(samples, origins))
    return {"turns.csv": _MARK + _csv(guarded)}


def write_for_programs(version: DatasetVersion, samples: Sequence[Sample], persona: Persona, origins: Origins) -> Files:
    """Return the table word for word."""
    return {"turns.csv": _csv(table.rows(samples, origins))}


def read(files: Files) -> Imported:
    """Return the conversations of all tables; InvalidInputError when a file is none or has no place for turns."""
    intake = Intake()
    for name, data in sorted(files.items()):
        if name.casefold().endswith((".csv", ".tsv", ".txt")):
            table.take(_rows(data, name, intake), intake)
    return intake.imported(name=", ".join(files))


def _csv(rows: Iterator[dict[str, str | int]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, table.COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _guarded(cell: str | int) -> str | int:
    return _GUARD + cell if isinstance(cell, str) and _RISKY.match(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith(_GUARD) and _RISKY.match(cell, 1) else cell


def _rows(data: bytes, name: str, intake: Intake) -> Iterator[tuple[Place, Mapping[str, object]]]:
    guarded = data.startswith(_MARK)
    text = _decoded(data, name, intake)
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        _check_head(reader.fieldnames or (), name, intake)
        for row in reader:
            place = Place(name, reader.line_num)
            if None in row or None in row.values():
                intake.refuse(place, N_("the row has more or fewer cells than the head"))
                continue
            yield place, {key: _unguarded(cell) if guarded else cell for key, cell in row.items()}
    except csv.Error as error:
        raise InvalidInputError(
            N_("{name} is not a CSV table at line {line}: {problem}."),
            remedy=N_("Save it again as CSV with quotation marks around texts."),
            name=name,
            line=reader.line_num,
            problem=str(error),
        ) from None


def _decoded(data: bytes, name: str, intake: Intake) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        raise InvalidInputError(
            N_("{name} is neither UTF-8 nor GB18030 text."), remedy=N_("Save it as CSV in UTF-8."), name=name
        ) from None
    intake.note(N_("{name} is not UTF-8; it was read as GB18030"), name=name)
    return text


def _check_head(head: Sequence[str], name: str, intake: Intake) -> None:
    missing = [column for column in table.NEEDED if column not in head]
    if missing:
        raise InvalidInputError(
            N_("{name} has no column {column}."),
            remedy=N_("Name the columns in its first row: {needed} at least."),
            name=name,
            column=missing[0],
            needed=", ".join(table.NEEDED),
        )
    if len(head) > _MAX_COLUMNS:
        raise InvalidInputError(
            N_("{name} has {count} columns; {limit} are allowed."),
            remedy=N_("Leave out the columns that hold no turns."),
            name=name,
            count=len(head),
            limit=_MAX_COLUMNS,
        )
    intake.fields(dict.fromkeys(head, ""), table.COLUMNS)


_LOSES = N_("The system prompt; it is in the manifest.")
_CARRIES = frozenset({Carried.TURNS, Carried.LOSS, Carried.SPEAKERS, Carried.SPLIT, Carried.ORIGINS})

ROWS = (
    Format("csv", N_("CSV for spreadsheets"), "csv", write_for_spreadsheets, read, _CARRIES, _LOSES),
    Format("csv-plain", N_("CSV for programs"), "csv", write_for_programs, read, _CARRIES, _LOSES),
)
