"""Scores the search for a persona's lines in subtitles, and the clock of subtitles, on episodes made on the spot.

    python benchmarks/alignment.py [--text BOOK.txt --aliases ALIASES.json --persona NAME] [--strength 1] [--json]

Without `--text` the book is the shipped samples with a thousand lines made of our own clauses; with it, what the rule
extractor finds in that text. The episodes and the noise in their subtitles are described in generated_episode.py.
`her_lines_found`: her lines of which at least half the time is covered by a hit with their id or their very words.
`others_found`: lines of others, and lines that are not in the book, of which a hit covers half or more.
`clock_error_seconds`: the worst error, over the middle 90 % of any episode, of subtitles put right by their shift.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generated_episode import HOP, Episode, Spoken, episode, invented_book
from core.domain.persona import Persona
from core.domain.text import SourceKind, Utterance
from core.settings import CONFIGS
from core.stages.corpus.chapters import split_passages
from core.stages.dialogues.extractors import extractor_for
from core.stages.voice_dataset.words.alignment import AlignmentSettings, Hit, find_lines
from core.stages.voice_dataset.words.clock import clock_offset
from core.stages.voice_dataset.words.line_index import letters

_SAMPLES = (("scenes.txt", SourceKind.NOVEL), ("screenplay.txt", SourceKind.SCREENPLAY))


def main() -> None:
    """Print the figures as a table, and as one JSON object last with `--json`."""
    parser = argparse.ArgumentParser(description="Score the alignment of subtitles with a book.")
    parser.add_argument("--text", type=Path, help="a novel; without it, texts of ours")
    parser.add_argument("--aliases", type=Path, help="canonical name -> aliases")
    parser.add_argument("--persona", default="林黛玉")
    parser.add_argument("--seeds", type=int, default=6, help="how many episodes")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--lines", type=int, default=350, help="lines of an episode")
    parser.add_argument("--strength", type=float, default=1.0, help="how noisy the subtitles are")
    parser.add_argument("--errors", action="store_true", help="list what was wrong")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()

    cast = json.loads(chosen.aliases.read_text(encoding="utf-8")) if chosen.aliases else {}
    book = _novel(chosen.text, cast) if chosen.text else _ours()
    persona = Persona("p", chosen.persona, "", "", "", tuple(cast.get(chosen.persona, ())), cast=cast)
    counts: Counter[str] = Counter()
    worst = seconds = 0.0
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        made = episode(book, persona.name, seed=seed, lines=chosen.lines, strength=chosen.strength)
        begun = time.perf_counter()
        hits = find_lines(made.true_cues, book, persona=persona, settings=AlignmentSettings())
        seconds = max(seconds, time.perf_counter() - begun)
        counts += _scored(made, hits, persona.name, show=chosen.errors)
        worst = max(worst, _clock_error(made, show=chosen.errors))
    figures = {
        "book_lines": len(book),
        "cues": counts["cues"] // chosen.seeds,
        "her_lines": counts["hers"],
        "others_lines": counts["others"],
        "her_lines_found": round(counts["hers_found"] / max(counts["hers"], 1), 4),
        "others_found": round(counts["others_found"] / max(counts["others"], 1), 4),
        "edges_within_300_ms": round(counts["edges_right"] / max(counts["edges"], 1), 4),
        "clock_error_seconds": round(worst, 3),
        "seconds": round(seconds, 2),
    }
    for name, figure in figures.items():
        print(f"{name:24} {figure:>10}")
    if chosen.json:
        print(json.dumps(figures))


def _scored(made: Episode, hits: Sequence[Hit], persona: str, *, show: bool) -> Counter[str]:
    counts: Counter[str] = Counter(cues=len(made.cues))
    for one in made.spoken:
        over = [hit for hit in hits if _shared(one, hit) > 0]
        if one.utterance is not None and one.utterance.speaker == persona:
            counts["hers"] += 1
            right = [hit for hit in over if _same(hit, one.utterance)]
            found = sum(_shared(one, hit) for hit in right) >= 0.5 * (one.end - one.start)
            counts["hers_found"] += found
            if found:
                counts["edges"] += 2
                counts["edges_right"] += abs(min(hit.start for hit in right) - one.start) <= 0.3
                counts["edges_right"] += abs(max(hit.end for hit in right) - one.end) <= 0.3
            elif show:
                print(
                    "missed",
                    one.utterance.text[:40],
                    [cue.text for cue in made.true_cues if _at(cue.start, cue.end, one)],
                )
        else:
            counts["others"] += 1
            if sum(_shared(one, hit) for hit in over) >= 0.5 * (one.end - one.start):
                counts["others_found"] += 1
                if show:
                    said = one.utterance.text[:30] if one.utterance else "-"
                    print(
                        "wrong",
                        said,
                        [(hit.spoken, hit.book[:30], round(hit.similarity, 2), hit.kind.value) for hit in over],
                    )
    return counts


def _same(hit: Hit, line: Utterance) -> bool:
    said = letters(line.text)
    return hit.utterance_id == line.id or letters(hit.book) == said or said in letters(hit.book)


def _shared(one: Spoken, hit: Hit) -> float:
    return max(min(one.end, hit.end) - max(one.start, hit.start), 0.0)


def _at(start: float, end: float, one: Spoken) -> bool:
    return min(end, one.end) - max(start, one.start) > 0.1


def _clock_error(made: Episode, *, show: bool) -> float:
    shift = clock_offset(made.cues, made.active, hop=HOP)
    last = made.true_cues[-1].end
    moments = [last * share for share in (0.05, 0.5, 0.95)]
    error = max(abs(shift.apply((moment - made.seconds) / made.stretch) - moment) for moment in moments)
    if show:
        print(f"clock: {made.seconds:.2f} {made.stretch:.5f} -> {shift}, error {error:.3f}")
    return error


def _novel(path: Path, cast: Mapping[str, Any]) -> list[Utterance]:
    passages = split_passages(path.read_text(encoding="utf-8"), "novel")
    return list(extractor_for(SourceKind.NOVEL).extract(passages, cast))


def _ours() -> list[Utterance]:
    lines: list[Utterance] = []
    for name, kind in _SAMPLES:
        passages = split_passages((CONFIGS / "samples" / name).read_text(encoding="utf-8"), name)
        lines += extractor_for(kind).extract(passages, {"林黛玉": ["黛玉"], "贾宝玉": ["宝玉"], "薛宝钗": ["宝钗"]})
    speakers = ["林黛玉", "贾宝玉", "薛宝钗", "史湘云", "紫鹃"]
    return lines + invented_book(speakers, 1000, seed=7)


if __name__ == "__main__":
    main()
