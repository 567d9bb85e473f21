"""Reads what OpenCompass leaves behind: replies while they come, judgements, the summary.

out/<time>/predictions/<model>/tmp_<dataset>.jsonl   while a dataset is asked, a reply a line
                               <dataset>.json        when it is done, also in parts `_0`, `_1`
           results/<model>/<dataset>.json            its score, and `details` of each question
           logs/{infer,eval}/<model>/<first dataset>.out
           summary/summary_<time>.csv
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.domain.evaluation import Answer

_STAMP = re.compile(r"\d{8}_\d{6}")


def newest(out: Path) -> Path | None:
    """Return the folder of the newest attempt; its name is the time of its start."""
    tries = sorted(one for one in out.glob("*") if one.is_dir() and _STAMP.fullmatch(one.name))
    return tries[-1] if tries else None


def replies(attempt: Path, model: str, dataset: str) -> list[Mapping[str, Any]]:
    """Return the replies there are for a dataset, in the order of its questions: finished parts, else the growing.

    May be asked while they are written: what is half there, or just went, counts as not there.
    """
    folder = attempt / "predictions" / model
    finished = [content for part in _parts(folder, dataset) if (content := _object(part)) is not None]
    if not finished:
        return [row for line in _text(folder / f"tmp_{dataset}.jsonl").splitlines() if (row := _row(line))]
    return [row for content in finished for row in _numbered(content)]


def judged(attempt: Path, model: str) -> dict[str, Path]:
    """Return dataset -> the file with its score."""
    return {file.stem: file for file in (attempt / "results" / model).glob("*.json")}


def score_of(file: Path) -> Mapping[str, Any]:
    """Return the content of a result; `error` in it tells that there is no score, as of one that is half written."""
    content = _object(file)
    return {"error": "unreadable"} if content is None else content


def answers(attempt: Path, model: str, dataset: str) -> Iterator[Answer]:
    """Yield a dataset's questions as they were judged; none where it has no result."""
    file = judged(attempt, model).get(dataset)
    if file is None:
        return
    details = _details(score_of(file).get("details"))
    for number, reply in enumerate(replies(attempt, model, dataset)):
        told = details[number] if number < len(details) else {}
        wanted = _first(told.get("references", told.get("refr", told.get("gold", reply.get("gold", "")))))
        chosen = _first(told.get("predictions", told.get("parsed", told.get("pred", reply.get("prediction", "")))))
        correct = _first(told.get("correct", chosen == wanted))
        yield Answer(
            dataset=dataset,
            number=number,
            prompt=_prompt(reply.get("origin_prompt", "")),
            reply=str(_first(reply.get("prediction", ""))),
            chosen=str(chosen),
            wanted=str(wanted),
            correct=bool(correct),
        )


def summary_file(attempt: Path) -> Path | None:
    """Return the newest summary table; each resumed attempt writes another."""
    files = sorted((attempt / "summary").glob("summary_*.csv"), key=lambda one: one.stat().st_mtime_ns)
    return files[-1] if files else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _object(file: Path) -> Mapping[str, Any] | None:
    """Return a file's JSON object; None while it is not wholly there."""
    return _row(_text(file))


def _parts(folder: Path, dataset: str) -> list[Path]:
    whole = folder / f"{dataset}.json"
    if whole.exists():
        return [whole]
    parts = [(int(found[1]), one) for one in folder.glob("*.json") if (found := _part_of(one.stem, dataset))]
    return [one for _number, one in sorted(parts)]


def _part_of(stem: str, dataset: str) -> re.Match[str] | None:
    return re.fullmatch(rf"{re.escape(dataset)}_(\d+)", stem)


def _numbered(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [content[key] for key in sorted(content, key=int)]


def _row(text: str) -> Mapping[str, Any] | None:
    try:
        row = json.loads(text)
    except ValueError:
        return None  # it is being written
    return row if isinstance(row, dict) else None


def _details(details: Any) -> Sequence[Mapping[str, Any]]:
    """Return the questions of a result: a list, or numbered beside a `type`."""
    if isinstance(details, dict):
        return _numbered({key: value for key, value in details.items() if key.isdigit()})
    return details if isinstance(details, list) else ()


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _prompt(prompt: Any) -> str:
    if isinstance(prompt, str):
        return prompt
    return "\n".join(f"[{turn.get('role', '')}]\n{turn.get('prompt', '')}" for turn in prompt)
