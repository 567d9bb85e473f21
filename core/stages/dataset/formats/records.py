"""Reads JSON that strangers made: arrays and lines, one record at a time, each with the line it begins on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Never

from core.errors import InvalidInputError
from core.stages.dataset.formats.intake import Intake
from core.stages.dataset.formats.report import Place
from core.stages.dataset.formats.rows import Files
from core.translation import N_

NOT_DATA = ("manifest.json", "dataset_info.json")
"""Files of an export that describe and hold no samples."""

_WINDOWS = (1 << 16, 1 << 19, 1 << 22)
"""Characters looked at in turn: a longer window is copied only for a longer record."""
_MAX_RECORD = _WINDOWS[-1]
"""Characters of one record: what is parsed at once takes memory many times its length."""
_WHITE = " \t\r\n"
_SPACE = re.compile(f"[{_WHITE}]*")


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object of a file."""

    place: Place
    content: dict[str, Any]


def records(files: Files, intake: Intake) -> Iterator[Record]:
    """Yield the objects of all JSON files, training side first; a line that is none is refused and passed over.

    InvalidInputError where the rest of a file cannot be read: JSON has no place to go on from after an error.
    """
    for name, data in sorted(files.items(), key=lambda one: (not one[0].endswith(("train.json", "train.jsonl")), one)):
        if name.rpartition("/")[2] in NOT_DATA or not name.casefold().endswith((".json", ".jsonl", ".ndjson")):
            continue
        for place, value in _values(decoded(data, name), name, intake):
            if isinstance(value, dict):
                yield Record(place, value)
            else:
                intake.refuse(place, N_("it is not an object with named fields"))


def first_record(data: bytes, name: str) -> dict[str, Any] | None:
    """Return the first object of a file, to tell what it is; None when it begins with anything else."""
    text = decoded(data, name)
    begin = _after_white(text, 0)
    try:
        value, _ = parsed(text, _after_white(text, begin + 1) if text.startswith("[", begin) else begin)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def decoded(data: bytes, name: str) -> str:
    """Return the file as text; InvalidInputError when it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            N_("{name} is not UTF-8 text (byte {place})."),
            remedy=N_("Save it as UTF-8, or choose the file that was exported."),
            name=name,
            place=error.start,
        ) from None


def parsed(text: str, place: int = 0) -> tuple[Any, int]:
    """Return the JSON value that begins at an offset, and where it ends; ValueError says what is wrong with it."""
    for size in _WINDOWS:
        try:
            value, end = _DECODER.raw_decode(text[place : place + size])
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        except ValueError as error:
            if len(text) - place <= size:
                raise ValueError(_plain(error)) from None
            if size == _MAX_RECORD:
                raise ValueError(f"{_plain(error)}, or longer than {_MAX_RECORD:,} characters") from None
        else:
            return value, place + end
    raise AssertionError(place)


def _refused_number(name: str) -> Never:
    raise ValueError(f"{name} is no number in JSON")


_DECODER = json.JSONDecoder(parse_constant=_refused_number)


def _plain(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _values(text: str, name: str, intake: Intake) -> Iterator[tuple[Place, Any]]:
    begin = _after_white(text, 0)
    if text.startswith("[", begin):
        yield from _of_array(text, name, begin)
    elif _is_one_value(text, begin):
        yield Place(name, 1), parsed(text, begin)[0]
    else:
        yield from _of_lines(text, name, intake)


def _of_array(text: str, name: str, begin: int) -> Iterator[tuple[Place, Any]]:
    place, line, counted = _after_white(text, begin + 1), 1, 0
    while not text.startswith("]", place):
        line += text.count("\n", counted, place)
        counted = place
        try:
            value, end = parsed(text, place)
        except ValueError as error:
            raise _broken(name, line, str(error)) from None
        yield Place(name, line), value
        place = _after_white(text, end)
        if text.startswith(",", place):
            place = _after_white(text, place + 1)
        elif not text.startswith("]", place):
            raise _broken(name, line + text.count("\n", counted, place), "a comma or the end of the list is missing")


def _of_lines(text: str, name: str, intake: Intake) -> Iterator[tuple[Place, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip(_WHITE)
        if not content:
            continue
        place = Place(name, number)
        try:
            value, end = parsed(content)
        except ValueError as error:
            intake.refuse(place, N_("it is not JSON: {problem}"), problem=str(error))
            continue
        if end < len(content):
            intake.refuse(place, N_("it is not JSON: {problem}"), problem="there is more than one value on the line")
            continue
        yield place, value


def _is_one_value(text: str, begin: int) -> bool:
    """Whether the file is one object over several lines, as a person would write it."""
    try:
        _, end = parsed(text, begin)
    except ValueError:
        return False
    return _after_white(text, end) == len(text)


def _after_white(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _broken(name: str, line: int, problem: str) -> InvalidInputError:
    return InvalidInputError(
        N_("{name} is not valid JSON at line {line}: {problem}."),
        remedy=N_("Mend or export the file again; what stands before that line is not taken either."),
        name=name,
        line=line,
        problem=problem,
    )
