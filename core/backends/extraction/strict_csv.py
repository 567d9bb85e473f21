"""Kor's CSV encoding, but an answer is either read whole or refused.

Kor's own reader loses words without a word: a `|` too many shifts the columns, a missing header makes the
first row the header, a code fence becomes a row. Here each of these is a ParseError that says what is wrong.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from kor.encoders.csv_data import DELIMITER, CSVEncoder
from kor.exceptions import ParseError

_TABLE = re.compile(r"<csv>(.*?)</csv>", re.DOTALL)


class StrictCSVEncoder(CSVEncoder):
    """Writes and reads one table between <csv> tags; words outside the tags are a model's politeness."""

    def __init__(self, node: Any) -> None:
        super().__init__(node, use_tags=True)
        self._names = [attribute.id for attribute in node.attributes]

    def encode(self, data: Any) -> str:
        """Return the table of an example, as the model is to write it; Kor leaves out what is empty."""
        table = io.StringIO()
        writer = csv.writer(table, delimiter=DELIMITER, lineterminator="\n")
        writer.writerow(self._names)
        writer.writerows([row[name] for name in self._names] for row in data.get(self.node.id, ()))
        return f"<csv>\n{table.getvalue()}</csv>"

    def decode(self, text: str) -> dict[str, list[dict[str, str]]]:
        """Return the rows of an answer; ParseError when anything in it is not as it should be."""
        header, *rows = self._cells(_table_in(text))
        if [cell.strip().lower() for cell in header] != self._names:
            raise ParseError(f"the header is {DELIMITER.join(header)!r} and not {DELIMITER.join(self._names)!r}")
        return {self.node.id: [self._row(number, cells) for number, cells in enumerate(rows, start=1)]}

    def _cells(self, table: str) -> list[list[str]]:
        lines = io.StringIO(table.strip("\r\n"), newline="")
        try:
            found = list(csv.reader(lines, delimiter=DELIMITER, strict=True, skipinitialspace=True))
        except csv.Error as error:
            raise ParseError(f"the table is not CSV: {error}") from None
        rows = [cells for cells in found if any(cell.strip() for cell in cells)]
        if not rows:
            raise ParseError("the table is empty, not even a header")
        return rows

    def _row(self, number: int, cells: list[str]) -> dict[str, str]:
        if len(cells) != len(self._names):
            raise ParseError(f"row {number} has {len(cells)} columns instead of {len(self._names)}")
        row = dict(zip(self._names, (cell.strip() for cell in cells), strict=True))
        if not row[self._names[-1]]:
            raise ParseError(f"row {number} has no {self._names[-1]}")
        return row


def _table_in(text: str) -> str:
    tables = _TABLE.findall(text)
    if len(tables) != 1:
        cut_off = "<csv>" in text and not tables
        problem = "the answer breaks off inside its table" if cut_off else f"{len(tables)} tables instead of one"
        raise ParseError(problem if text.strip() else "the answer is empty")
    outside = _TABLE.sub("", text)
    if "csv>" in outside or any(DELIMITER in line for line in outside.splitlines()):
        raise ParseError("there are rows outside the table")
    return str(tables[0])
