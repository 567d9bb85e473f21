"""Scores the rule extractor on hand-labelled quotations and clocks it on a whole book.

    python benchmarks/extraction.py --gold GOLD.jsonl --text BOOK.txt [--aliases ALIASES.json] [--json]

Scoring: fragments are not scored; a quotation is found when one with the same place or the same words in the
chapter is returned and not typed non-speech; a speaker is right when the set of people equals the labelled set
after mapping aliases. Without `--aliases` the names are discovered; `--map` then gives the aliases for scoring
only, by default the file beside the labels that shares their name (`modern_aliases.json` for `modern.jsonl`).
With `--aliases` the text is read a second time without them, for `speaker_accuracy_discovered`.
Labels without the words read them from the text by their place.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.domain.normalising import folded
from core.domain.text import Passage
from core.stages.corpus.chapters import split_passages
from core.stages.dialogues.export import UtteranceRow, extract_rows

Gold = Mapping[str, Any]
_CLASSES = {
    "丫鬟": ("丫鬟们", "小丫头", "小丫头们", "丫头", "丫头们", "小丫鬟", "众丫鬟"),
    "婆子": ("婆子们", "老婆子", "老婆子们", "众婆子"),
}
_BUCKETS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01)
_NOT_WORDS = re.compile(r"[\W_]+")


@dataclass
class Tally:
    """What is counted on the way through the labels."""

    counts: Counter[str] = field(default_factory=Counter)
    sure: dict[float, list[bool]] = field(default_factory=dict)
    """Lower bound of a bucket of confidence -> which of its speakers are right."""
    reasons: dict[str, list[bool]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def hear(self, row: UtteranceRow | None, right: bool) -> None:
        """Count one labelled quotation."""
        self.counts["quotes"] += 1
        self.counts["right"] += right
        if row is not None:
            self.counts["found"] += 1
            bucket = max(bound for bound in _BUCKETS if bound <= row["confidence"])
            self.sure.setdefault(bucket, []).append(right)
            self.reasons.setdefault(row["reason"].split(":")[0], []).append(right)


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
    parser.add_argument("--confidence", action="store_true", help="show how often each confidence and reason is right")
    parser.add_argument("--rounds", type=int, default=1, help="extract so often and clock the fastest")
    chosen = parser.parse_args()

    text = chosen.text.read_text(encoding="utf-8")
    passages = split_passages(text, "book")
    lines = chosen.gold.read_text(encoding="utf-8").splitlines()
    gold = [_with_words(json.loads(line), passages) for line in lines if line.strip()]
    cast = _aliases(chosen.aliases)
    seconds, rows = min((_clocked(passages, cast) for _ in range(chosen.rounds)), key=lambda round_: round_[0])
    mapping = cast or _aliases(chosen.map or _beside(chosen.gold))
    tally = score(gold, rows, mapping, chosen.persona)
    figures = {**_figures(tally.counts), "chars_per_second": round(len(text) / seconds), "quotes": len(rows)}
    if cast:
        discovered = score(gold, extract_rows(passages, {}), mapping, chosen.persona)
        figures["speaker_accuracy_discovered"] = _figures(discovered.counts)["speaker_accuracy"]

    if chosen.errors:
        _print(tally.errors)
    if chosen.confidence:
        _print(_shares("confidence", tally.sure) + _shares("reason", tally.reasons))
    _print(f"{name:<30}{value:>12}" for name, value in figures.items())
    if chosen.json:
        _print([json.dumps(figures)])


def score(
    gold: Sequence[Gold], rows: Sequence[UtteranceRow], aliases: Mapping[str, Sequence[str]], persona: str
) -> Tally:
    """Return what was found and who was right."""
    canonical = {alias: name for group in (_CLASSES, aliases) for name, others in group.items() for alias in others}
    by_place = {(row["chapter"], row["para"], row["start"]): row for row in rows}
    by_words = {(row["chapter"], _words(row["quote"])): row for row in rows}
    tally = Tally()
    for one in gold:
        if one["type"] == "fragment":
            continue
        words = _words(one["quote"])
        row = by_place.get((one["chapter"], one["para"], one["start"]))
        if row is None or _words(row["quote"])[:4] != words[:4]:
            row = by_words.get((one["chapter"], words))
        if row is not None and row["type"] == "nonspeech":
            row = None
        if one["type"] == "nonspeech":
            tally.counts["terms"] += 1
            tally.counts["rejected"] += row is None
            if row is not None:
                tally.errors.append(f"heard {_place(one)} {one['quote'][:24]} [{row['reason']}]")
        else:
            _hear(tally, one, row, canonical, persona)
    return tally


def _hear(tally: Tally, one: Gold, row: UtteranceRow | None, canonical: Mapping[str, str], persona: str) -> None:
    said = {canonical.get(name, name) for name in (row["speaker"] or "").split("、")} if row else set()
    meant = {canonical.get(name, name) for name in one.get("speakers") or [one["speaker"]]}
    tally.hear(row, said == meant)
    if said != meant:
        why = row and f"{row['reason']} {row['confidence']}"
        tally.errors.append(f"{'/'.join(meant)} <- {'/'.join(said)} {_place(one)} {one['quote'][:24]} [{why}]")
    if one["type"] == "thought":
        typed = row is not None and row["type"] == "thought"
        tally.counts["thoughts"] += 1
        tally.counts["typed"] += typed
        if not typed:
            tally.errors.append(f"thought typed {row and row['type']} {_place(one)} {one['quote'][:24]}")
    if one["type"] == "speech":
        tally.counts["tp"] += persona in said and persona in meant
        tally.counts["fp"] += persona in said and persona not in meant
        tally.counts["fn"] += persona not in said and persona in meant


def _figures(counts: Counter[str]) -> dict[str, float]:
    precision = _share(counts["tp"], counts["tp"] + counts["fp"])
    recall = _share(counts["tp"], counts["tp"] + counts["fn"])
    return {
        "speaker_accuracy": _share(counts["right"], counts["quotes"]),
        "quote_recall": _share(counts["found"], counts["quotes"]),
        "thoughts_typed": _share(counts["typed"], counts["thoughts"]),
        "nonspeech_rejected": _share(counts["rejected"], counts["terms"]),
        "persona_f1": round(2 * precision * recall / max(precision + recall, 1e-9), 4),
    }


def _clocked(passages: Sequence[Passage], cast: Mapping[str, Sequence[str]]) -> tuple[float, list[UtteranceRow]]:
    begun = time.process_time()
    rows = extract_rows(passages, cast)
    return time.process_time() - begun, rows


def _with_words(one: dict[str, Any], passages: Sequence[Passage]) -> Gold:
    """Return the label with the words it labels, read by place where it does not bring them."""
    if "quote" not in one:
        first = next(p.ordinal for p in passages if (p.chapter, p.para) == (one["chapter"], one["para"]))
        texts = [passage.text for passage in passages[first : first + one.get("runs_on", 0) + 1]]
        texts[-1] = texts[-1][: one["end"]]
        one["quote"] = "\n".join(texts)[one["start"] :].strip('“”「」『』"＂')
    return one


def _place(one: Gold) -> str:
    return f"{one['chapter']}.{one['para']}.{one['start']}"


def _words(text: str) -> str:
    """Return the letters alone: editions differ in their stops."""
    return _NOT_WORDS.sub("", folded(text))


def _shares(title: str, groups: Mapping[Any, Sequence[bool]]) -> list[str]:
    rows = sorted(groups.items())
    return [f"{title} {name:<18} {_share(sum(right), len(right)):>8} of {len(right):>5}" for name, right in rows]


def _share(part: float, whole: float) -> float:
    return round(part / max(whole, 1), 4)


def _beside(gold: Path) -> Path | None:
    """Return the aliases that lie beside the labels and go with them."""
    candidates = gold.parent.glob("*_aliases.json")
    return next((one for one in sorted(candidates) if gold.stem.startswith(one.stem.removesuffix("_aliases"))), None)


def _aliases(file: Path | None) -> dict[str, list[str]]:
    return json.loads(file.read_text(encoding="utf-8")) if file else {}


def _print(lines: Any) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
