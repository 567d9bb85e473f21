"""Reads sets of questions: JSON lines or CSV, with four options and a letter, or with an answer in words."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final, Literal

from core.domain.encoding import decode
from core.errors import InvalidInputError
from core.settings import CONFIGS
from core.translation import N_

LETTERS: Final = ("A", "B", "C", "D")
MOST_BYTES: Final = 16_000_000
_MOST_CHARACTERS: Final = 8_000
PERSONA_QUESTIONS: Final = CONFIGS / "evaluation" / "questions"
"""`<persona's id>.jsonl` for each persona that has some."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions of one kind."""

    kind: Literal["mcq", "qa"]
    rows: Sequence[Mapping[str, str]]
    """`question` and `answer`, and of multiple choice the options `A` to `D`."""

    def lines(self) -> str:
        """Return them as JSON lines."""
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows)


def persona_file(persona_id: str) -> Path | None:
    """Return the file of the questions about a persona; None where nobody wrote any."""
    file = PERSONA_QUESTIONS / f"{PurePath(persona_id).name}.jsonl"
    return file if file.is_file() else None


def read_questions(content: bytes, name: str) -> QuestionSet:
    """Return the questions of a file; InvalidInputError saying which line is wrong and why."""
    if len(content) > MOST_BYTES:
        raise InvalidInputError(
            N_("{name} is larger than {limit} MB."),
            remedy=N_("Divide it into several sets."),
            name=name,
            limit=MOST_BYTES // 1_000_000,
        )
    text, _encoding = decode(content, name)
    told = _json_lines(text, name) if text.lstrip()[:1] == "{" else _table(text, name)
    if not told:
        raise _wrong(N_("There is no question in {name}."), name, 1)
    kind: Literal["mcq", "qa"] = "mcq" if "A" in told[0][1] else "qa"
    return QuestionSet(kind, [_checked(row, kind, name, line) for line, row in told])


def _json_lines(text: str, name: str) -> list[tuple[int, Mapping[str, Any]]]:
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for line, row in enumerate(text.splitlines(), start=1):
        if not row.strip():
            continue
        try:
            told = json.loads(row)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise _wrong(N_("Line {line} of {name} is no JSON object."), name, line)
        rows.append((line, told))
    return rows


def _table(text: str, name: str) -> list[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text))
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise _wrong(N_("Line {line} of {name} cannot be read as CSV."), name, reader.line_num) from error


def _checked(row: Mapping[str, Any], kind: Literal["mcq", "qa"], name: str, line: int) -> Mapping[str, str]:
    wanted = ("question", *(LETTERS if kind == "mcq" else ()), "answer")
    found = {key: str(row.get(key) or "").strip() for key in wanted}
    if missing := [key for key in wanted if not found[key]]:
        raise _wrong(N_("Line {line} of {name} lacks the column {column}."), name, line, column=missing[0])
    if kind == "mcq":
        found["answer"] = found["answer"].upper()
        if found["answer"] not in LETTERS:
            raise _wrong(N_("The answer in line {line} of {name} is none of A, B, C, D."), name, line)
    if sum(map(len, found.values())) > _MOST_CHARACTERS:
        raise _wrong(N_("Line {line} of {name} is longer than {limit} characters."), name, line, limit=_MOST_CHARACTERS)
    return found


def _wrong(message: str, name: str, line: int, **values: object) -> InvalidInputError:
    return InvalidInputError(
        message,
        remedy=N_(
            "Give JSON lines or CSV with the columns question, A, B, C, D and answer (a letter), "
            "or question and answer."
        ),
        line=line,
        name=name,
        **values,
    )
