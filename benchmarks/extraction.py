"""Scores the rule extractor on hand-labelled quotations and clocks it on a whole book.

    python benchmarks/extraction.py --gold GOLD.jsonl --text BOOK.txt [--aliases ALIASES.json] [--json]

Scoring: fragments are not scored; a quotation is found when one with the same place or words is returned and
not typed non-speech; a speaker is right when the set of people equals the labelled set after mapping aliases.
Without `--aliases` the names are discovered; `--map` then gives the aliases for scoring only.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.stages.corpus.chapters import split_passages
from core.stages.dialogues.export import UtteranceRow, extract_rows

Gold = Mapping[str, Any]
_CLASSES = {
    "丫鬟": ("丫鬟们", "小丫头", "小丫头们", "丫头", "丫头们", "小丫鬟", "众丫鬟"),
    "婆子": ("婆子们", "老婆子", "老婆子们", "众婆子"),
}


def main() -> None:
    """Print the figures as a table, and as one JSON object last with `--json`."""
    parser = argparse.ArgumentParser(description="Score the rule extractor.")
    parser.add_argument("--gold", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--aliases", type=Path)
    parser.add_argument("--map", type=Path, help="aliases for scoring, where none are given to the extractor")
    parser.add_argument("--persona", default="林黛玉")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--errors", action="store_true", help="list what was wrong")
    chosen = parser.parse_args()

    gold = [json.loads(line) for line in chosen.gold.read_text(encoding="utf-8").splitlines() if line]
    text = chosen.text.read_text(encoding="utf-8")
    cast = _aliases(chosen.aliases)
    begun = time.process_time()
    rows = extract_rows(split_passages(text, "book"), cast)
    seconds = time.process_time() - begun
    figures, errors = score(gold, rows, cast or _aliases(chosen.map), chosen.persona)
    figures = {**figures, "chars_per_second": round(len(text) / seconds), "quotes": len(rows)}

    if chosen.errors:
        _print(errors)
    _print(f"{name:<22}{value:>12}" for name, value in figures.items())
    if chosen.json:
        _print([json.dumps(figures)])


def score(
    gold: Sequence[Gold], rows: Sequence[UtteranceRow], aliases: Mapping[str, Sequence[str]], persona: str
) -> tuple[dict[str, float], list[str]]:
    """Return the figures and a line for each mistake."""
    canonical = {alias: name for group in (_CLASSES, aliases) for name, others in group.items() for alias in others}
    by_place = {(row["chapter"], row["para"], row["start"]): row for row in rows}
    by_words = {(row["chapter"], row["quote"]): row for row in rows}
    counts = dict.fromkeys(("quotes", "found", "right", "thoughts", "typed", "terms", "rejected", "tp", "fp", "fn"), 0)
    errors: list[str] = []
    for one in gold:
        if one["type"] == "fragment":
            continue
        place = (one["chapter"], one["para"], one["start"])
        row = by_place.get(place) or by_words.get((one["chapter"], one["quote"]))
        heard = row is not None and row["type"] != "nonspeech"
        if one["type"] == "nonspeech":
            counts["terms"] += 1
            counts["rejected"] += not heard
            if heard:
                errors.append(f"heard  {place} {one['quote']}")
            continue
        _count(counts, one, row if heard else None, canonical, persona, errors)
    precision = counts["tp"] / max(counts["tp"] + counts["fp"], 1)
    recall = counts["tp"] / max(counts["tp"] + counts["fn"], 1)
    return {
        "speaker_accuracy": _share(counts["right"], counts["quotes"]),
        "quote_recall": _share(counts["found"], counts["quotes"]),
        "thoughts_typed": _share(counts["typed"], counts["thoughts"]),
        "nonspeech_rejected": _share(counts["rejected"], counts["terms"]),
        "persona_f1": round(2 * precision * recall / max(precision + recall, 1e-9), 4),
    }, errors


def _count(
    counts: dict[str, int],
    one: Gold,
    row: UtteranceRow | None,
    canonical: Mapping[str, str],
    persona: str,
    errors: list[str],
) -> None:
    counts["quotes"] += 1
    counts["found"] += row is not None
    said = {canonical.get(name, name) for name in (row["speaker"] or "").split("、")} if row else set()
    meant = {canonical.get(name, name) for name in one["speakers"]}
    counts["right"] += said == meant
    if said != meant:
        errors.append(
            f"{'/'.join(meant)} <- {'/'.join(said)} {one['id']} {one['quote'][:24]} [{row and row['reason']}]"
        )
    if one["type"] == "thought":
        counts["thoughts"] += 1
        typed = row is not None and row["type"] == "thought"
        counts["typed"] += typed
        if not typed:
            errors.append(f"thought typed {row and row['type']} {one['id']} {one['quote'][:24]}")
    if one["type"] == "speech":
        counts["tp"] += persona in said and persona in meant
        counts["fp"] += persona in said and persona not in meant
        counts["fn"] += persona not in said and persona in meant


def _share(part: int, whole: int) -> float:
    return round(part / max(whole, 1), 4)


def _aliases(file: Path | None) -> dict[str, list[str]]:
    return json.loads(file.read_text(encoding="utf-8")) if file else {}


def _print(lines: Any) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
