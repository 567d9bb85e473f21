"""Scores the screenplay extractor on labelled lines.

    python benchmarks/screenplay.py [--gold GOLD.jsonl] [--text PLAY.txt] [--cast ALIASES.json] [--json] [--errors]

Every labelled line of text counts by itself, also where a speech goes on over several: it is right when the extractor
gives exactly its words to exactly its speakers. Without `--cast` the names have to be found in the text.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.domain.text import Passage, Utterance
from core.stages.corpus.chapters import split_passages
from core.stages.dialogues.screenplay import extract

LABELS = Path(__file__).resolve().parent / "labels"
Line = tuple[int, int, int]
"""Chapter, paragraph and start of the words."""


def main() -> None:
    """Print the figures as a table, and as one JSON object last with `--json`."""
    parser = argparse.ArgumentParser(description="Score the screenplay extractor.")
    parser.add_argument("--gold", type=Path, default=LABELS / "screenplay.jsonl")
    parser.add_argument("--text", type=Path, default=LABELS / "screenplay.txt")
    parser.add_argument("--cast", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--errors", action="store_true", help="list what was wrong")
    chosen = parser.parse_args()

    gold = [json.loads(line) for line in chosen.gold.read_text(encoding="utf-8").splitlines()]
    cast = json.loads(chosen.cast.read_text(encoding="utf-8")) if chosen.cast else {}
    passages = split_passages(chosen.text.read_text(encoding="utf-8"), "play")
    figures, errors = score(gold, list(extract(passages, cast)), passages)

    lines = [*(errors if chosen.errors else ()), *(f"{name:<18}{value:>10}" for name, value in figures.items())]
    sys.stdout.write("\n".join([*lines, *([json.dumps(figures)] if chosen.json else ())]) + "\n")


def score(
    gold: Sequence[Mapping[str, Any]], found: Sequence[Utterance], passages: Sequence[Passage]
) -> tuple[dict[str, float], list[str]]:
    """Return the figures and a line for each mistake."""
    meant = {(row["chapter"], row["para"], row["start"]): row for row in gold}
    said = dict(line for one in found for line in _lines(one, passages))
    heard = [place for place, row in meant.items() if place in said and _same_words(row["quote"], place, said)]
    right = [place for place in heard if _speakers(said[place]) == set(meant[place]["speakers"])]
    typed = [place for place in right if said[place].kind.value == meant[place]["type"]]
    errors = [f"missed {place} {row['speaker']}: {row['quote']}" for place, row in meant.items() if place not in said]
    errors += [f"extra  {place} {one.speaker} [{one.reason}]" for place, one in said.items() if place not in meant]
    errors += [
        f"wrong  {place} {meant[place]['speaker']} <- {said[place].speaker} [{said[place].reason}] {said[place].text}"
        for place in meant.keys() & said.keys() - set(typed)
    ]
    precision, recall = len(right) / max(len(said), 1), len(right) / max(len(meant), 1)
    return {
        "lines": len(meant),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / max(precision + recall, 1e-9), 4),
        "kinds_right": round(len(typed) / max(len(right), 1), 4),
    }, sorted(errors)


def _lines(one: Utterance, passages: Sequence[Passage]) -> Iterator[tuple[Line, Utterance]]:
    yield (one.chapter, one.para, one.start), one
    for passage in passages[one.ordinal + 1 : one.ordinal + 1 + one.runs_on]:
        yield (passage.chapter, passage.para, 0), one


def _same_words(words: str, place: Line, said: Mapping[Line, Utterance]) -> bool:
    """Whether the words are the utterance's, or, where it goes on over several lines, among them."""
    heard, meant = (re.sub(r"\s+", "", text) for text in (said[place].text, words))
    return heard == meant if not said[place].runs_on else meant in heard


def _speakers(one: Utterance) -> set[str]:
    return set((one.speaker or "").split("、"))


if __name__ == "__main__":
    main()
